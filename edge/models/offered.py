"""An offer of the hub, read: what the model is, which files it has, and whose people it is to describe."""

import re
from dataclasses import dataclass

import msgspec

from passerby.errors import ModelError
from passerby.ids import CameraId, ModelId
from passerby.messages import ModelFile, ModelOffer
from passerby.models import ModelDescription

_MODEL_ID = re.compile(r"(?P<name>[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127})@(?P<version>[0-9a-f]{12})")
"""The name is a file's stem here: no folder, no leading dot."""

_SUFFIXES = ((".onnx",), (".xml", ".bin"))


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model that the edge may use. The name of each of its files is the model's with a suffix: never a path."""

    model_id: ModelId
    description: ModelDescription
    files: tuple[ModelFile, ...]
    """The one to load first."""
    cameras: tuple[CameraId, ...]
    """Empty: all."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def read_offer(offer: ModelOffer) -> OfferedModel:
    """The offer, every value checked. Raises ModelError."""
    parsed = _MODEL_ID.fullmatch(offer.model_id)
    if parsed is None:
        raise ModelError(f"{offer.model_id!r} is no model id; expected NAME@VERSION with 12 hexadecimal digits")
    names = [file.name for file in offer.files]
    if names not in [[parsed["name"] + suffix for suffix in suffixes] for suffixes in _SUFFIXES]:
        raise ModelError(
            f"{offer.model_id} is offered as {names}; expected {parsed['name']}.onnx, or {parsed['name']}.xml and .bin"
        )
    if len(offer.files) == 1 and not offer.files[0].sha256.startswith(parsed["version"]):
        raise ModelError(f"{offer.model_id} is offered with a file of SHA-256 {offer.files[0].sha256[:12]}...")
    empty = [file.name for file in offer.files if not file.size]
    if empty:
        raise ModelError(f"{offer.model_id} is offered with an empty file {empty[0]}")
    try:
        description = msgspec.convert(offer.manifest, ModelDescription)
    except msgspec.ValidationError as error:
        raise ModelError(f"{offer.model_id} has a manifest that this edge cannot read: {error}") from error
    if description.task != "embed":
        raise ModelError(f"{offer.model_id} is a model with task `{description.task}`, expected `embed`")
    return OfferedModel(offer.model_id, description, tuple(offer.files), tuple(offer.cameras))
