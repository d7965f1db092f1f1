"""The folder of an edge's models: `NAME@VERSION/NAME.onnx` with NAME.json, and `chosen.json`."""

import json
import os
import shutil
from collections.abc import Collection
from pathlib import Path

import msgspec

from edge.models.choice import Choice, read_choice, write_choice, write_whole
from edge.models.offered import OfferedModel
from passerby.errors import ChecksumError, ModelError
from passerby.ids import ModelId
from passerby.messages import ModelFile
from passerby.models import ModelManifest, read_model
from passerby.models.checksum import file_digest
from passerby.models.find import model_file

_KEPT_UNUSED = 2
"""Models beside those in use that stay: the way back is short then."""


class ModelShelf:
    """Models that came from the hub. Nothing on it is used before its bytes are right."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._chosen = folder / "chosen.json"

    def folder_of(self, model_id: ModelId) -> Path:
        """Where the model lies, or would."""
        return self._folder / model_id

    def put(self, model: OfferedModel) -> ModelManifest:
        """Take what was fetched as the model, once every file is verified; what is damaged is deleted.

        Raises ChecksumError (fetch it again), ModelError (the offer is wrong, or the disk failed).
        """
        try:
            return self._put(model)
        except OSError as error:
            raise ModelError(f"{self.folder_of(model.model_id)}: {error.strerror or error}") from error

    def _put(self, model: OfferedModel) -> ModelManifest:
        folder = self.folder_of(model.model_id)
        lying = {file.name: self.lies_at(model.model_id, file) for file in model.files}
        damaged = [file for file in model.files if not _is_whole(lying[file.name], file)]
        for file in damaged:
            lying[file.name].unlink(missing_ok=True)
        if damaged:
            names = ", ".join(file.name for file in damaged)
            raise ChecksumError(f"{names} of {model.model_id} came with other bytes than were offered")
        for name, path in reversed(lying.items()):  # the one that others look for comes last
            if path.name != name:
                with path.open("rb") as written:
                    os.fsync(written.fileno())
                path.replace(folder / name)
        description = json.dumps(msgspec.to_builtins(model.description), indent=2).encode() + b"\n"
        write_whole((folder / model.files[0].name).with_suffix(".json"), description)
        return self.read(model.model_id)

    def lies_at(self, model_id: ModelId, file: ModelFile) -> Path:
        """The file, where one of its size is there, else where its bytes lie that have come so far. Raises OSError."""
        whole = self.folder_of(model_id) / file.name
        return whole if whole.is_file() and whole.stat().st_size == file.size else whole.with_name(f"{file.name}.part")

    def read(self, model_id: ModelId) -> ModelManifest:
        """The manifest of a model on the shelf, its bytes verified against its id. Raises ModelError."""
        folder = self.folder_of(model_id)
        file = model_file(folder, model_id.rpartition("@")[0])
        if file is None:
            raise ModelError(f"{folder}: no model file there")
        manifest = read_model(file)
        if manifest.model_id != model_id:
            raise ModelError(f"{file}: its bytes are those of {manifest.model_id}, expected {model_id}")
        return manifest

    def choice(self) -> Choice | None:
        """What was chosen last. Raises DataError where that cannot be read."""
        return read_choice(self._chosen)

    def choose(self, choice: Choice) -> None:
        """Keep for the next start which models are in use. Raises DataError."""
        write_choice(choice, self._chosen)

    def clear(self, *, used: Collection[ModelId]) -> None:
        """Delete models that are not `used`, except the latest few. One that cannot be deleted stays."""
        unused = [path for path in self._folder.glob("*@*") if path.is_dir() and path.name not in used]
        for path in sorted(unused, key=lambda path: path.stat().st_mtime_ns, reverse=True)[_KEPT_UNUSED:]:
            shutil.rmtree(path, ignore_errors=True)


def _is_whole(path: Path, file: ModelFile) -> bool:
    return (
        path.is_file() and path.stat().st_size == file.size and file_digest([path], algorithm="sha256") == file.sha256
    )
