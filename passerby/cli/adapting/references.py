"""The statistics that a site's re-ID models bring, whichever they are when the hub first hears of one."""

import logging
from collections.abc import Iterator, Mapping

from passerby.cli.adapting.site_models import find_by_id, find_site_model
from passerby.config import Site
from passerby.errors import ModelError
from passerby.ids import ModelId
from passerby.models import ReferenceStatistics
from passerby.models.places import site_folder

_log = logging.getLogger("passerby.hub")


class SiteReferences(Mapping[ModelId, ReferenceStatistics]):
    """Looks into the manifest of a model when it is asked for: an adapted model comes while the hub runs."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def __getitem__(self, model_id: ModelId) -> ReferenceStatistics:
        try:
            manifest = find_by_id(self._site, model_id)
        except ModelError as error:
            _log.info("no manifest of %s here (%s): its camera statistics start from nothing", model_id, error)
            raise KeyError(model_id) from error
        if manifest.embedding is None or manifest.embedding.reference is None:
            raise KeyError(model_id)
        return manifest.embedding.reference

    def __iter__(self) -> Iterator[ModelId]:
        names = {self._site.models.reid, *(file.stem for file in site_folder(self._site.data).glob("*.onnx"))}
        for name in sorted(names):
            try:
                yield find_site_model(self._site, name).model_id
            except ModelError:
                continue

    def __len__(self) -> int:
        return sum(1 for _ in self)
