"""Which re-ID network a site uses now: the promoted one, or the one of its file."""

from pathlib import Path

import msgspec

from hub.database.opening import FILE_NAME
from hub.reader import SiteReader
from passerby.config.settings import ModelSettings
from passerby.models.places import site_folder


def models_in_use(data_dir: Path, models: ModelSettings) -> ModelSettings:
    """The networks that `models` names, with the promoted re-ID network in place of its own, where there is one.

    Raises StoreError where the site's data cannot be read.
    """
    if not (data_dir / FILE_NAME).exists():
        return models
    with SiteReader(data_dir) as reader:
        deployed = reader.rollout().deployed
    file = None if deployed is None else site_folder(data_dir) / f"{deployed.partition('@')[0]}.onnx"
    return models if file is None or not file.is_file() else msgspec.structs.replace(models, reid=str(file))
