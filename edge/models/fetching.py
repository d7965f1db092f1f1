"""A model on its way from the hub, file by file and piece by piece."""

import shutil

from edge.models.offered import OfferedModel
from edge.models.shelf import ModelShelf
from passerby.errors import ModelError
from passerby.messages import ModelChunk, ModelFile, ModelRequest

_ROOM_LEFT_BYTES = 64 << 20
"""So much of the disk a model leaves to others, such as the spool."""


class ModelFetch:
    """Knows which piece to ask for next, and takes what comes. What earlier starts have fetched is kept.

    Raises ModelError, at the beginning and with each piece, where the disk does not take it.
    """

    def __init__(self, model: OfferedModel, shelf: ModelShelf) -> None:
        self._model = model
        self._shelf = shelf
        try:
            shelf.folder_of(model.model_id).mkdir(parents=True, exist_ok=True)
            self._done = {file.name: self._bytes_here(file) for file in model.files}
            free = shutil.disk_usage(shelf.folder_of(model.model_id)).free - _ROOM_LEFT_BYTES
        except OSError as error:
            raise ModelError(f"{shelf.folder_of(model.model_id)}: {error.strerror or error}") from error
        if self.bytes_left > free:
            raise ModelError(f"{self.bytes_left} bytes of it are to come, and the disk has room for {max(free, 0)}")

    @property
    def bytes_left(self) -> int:
        """What has not come yet."""
        return self._model.size - sum(self._done.values())

    def next_request(self) -> ModelRequest | None:
        """The piece to ask for now; None when all bytes are here."""
        file = self._unfinished()
        if file is None:
            return None
        return ModelRequest(model_id=self._model.model_id, file_name=file.name, offset=self._done[file.name])

    def take(self, chunk: ModelChunk) -> bool:
        """Keep the piece. False, and it is dropped, unless it is the one that is asked for."""
        file, request = self._unfinished(), self.next_request()
        if file is None or request is None:
            return False
        if (chunk.model_id, chunk.file_name, chunk.offset) != (request.model_id, request.file_name, request.offset):
            return False
        if chunk.offset + len(chunk.data) > file.size:
            return False
        part = self._shelf.folder_of(self._model.model_id) / f"{file.name}.part"
        try:
            with part.open("ab") as sink:
                sink.write(chunk.data)
        except OSError as error:
            raise ModelError(f"{part}: {error.strerror or error}") from error
        self._done[file.name] += len(chunk.data)
        return True

    def _unfinished(self) -> ModelFile | None:
        return next((file for file in self._model.files if self._done[file.name] < file.size), None)

    def _bytes_here(self, file: ModelFile) -> int:
        """Of a whole or partial file; one that is longer than it should be is begun anew."""
        path = self._shelf.lies_at(self._model.model_id, file)
        if not path.exists():
            return 0
        if path.stat().st_size > file.size:
            path.unlink()
            return 0
        return path.stat().st_size
