"""What a training may start from: a backbone by name, with the way its pictures are prepared."""

from dataclasses import dataclass
from pathlib import Path

import torch

from passerby.errors import ModelError, UnknownModelError
from passerby.models import Preprocessing
from passerby.models.checksum import version_of
from passerby.models.manifest import read_description
from passerby.models.places import MODEL_DIR_VARIABLE, embedded_folder, operator_folder, registry_folder
from training.backbones import Backbone, load_backbone, make_backbone
from training.export import IMAGENET


@dataclass(frozen=True, slots=True)
class Start:
    """`network` with its weights; `how` its pictures are prepared."""

    name: str
    version: str
    """The first 12 hex digits of the SHA-256 of the weights; empty for a network that starts from nothing."""
    network: Backbone
    how: Preprocessing


def trainable(name_or_file: str) -> Start:
    """The backbone NAME.pth in the folders where models are looked for, or FILE.pth.

    Its input is that of NAME.json beside it, or else what networks that start from ImageNet have. Raises
    UnknownModelError where there is none, ModelError for a file that holds no backbone.
    """
    file = weights_file(name_or_file)
    description = file.with_suffix(".json")
    how = read_description(description).input if description.is_file() else IMAGENET
    return Start(file.stem, version_of([file]), load_backbone(file), how)


def untrained(backbone: str, *, seed: int) -> Start:
    """The network called `backbone`, or `timm:NAME`, from nothing. Raises ModelError for another name."""
    torch.manual_seed(seed)
    return Start(backbone, "", make_backbone(backbone), IMAGENET)


def weights_file(name_or_file: str) -> Path:
    """The state dict that `trainable` would load. Raises UnknownModelError or ModelError where there is none."""
    if name_or_file.endswith(".pth") or "/" in name_or_file:
        file = Path(name_or_file).expanduser().resolve()
        if file.suffix != ".pth":
            raise ModelError(f"{name_or_file} cannot be trained; expected the state dict of a backbone, FILE.pth")
        if not file.is_file():
            raise UnknownModelError(f"{file}: no such file")
        return file
    folders = [folder for folder in (operator_folder(), registry_folder(), embedded_folder()) if folder is not None]
    for folder in folders:
        if (file := folder / f"{name_or_file}.pth").is_file():
            return file
    frozen = next((folder for folder in folders if any(folder.glob(f"{name_or_file}.[ox]*"))), None)
    if frozen is not None:
        raise UnknownModelError(
            f"{name_or_file} is in {frozen} without its weights for training; put its state dict "
            f"{name_or_file}.pth there"
        )
    raise UnknownModelError(
        f"no {name_or_file}.pth in {', '.join(map(str, folders))}; put the state dict there, in a folder named by "
        f"{MODEL_DIR_VARIABLE}, or name the file"
    )
