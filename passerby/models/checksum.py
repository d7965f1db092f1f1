"""Hashes of files."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from passerby.errors import ModelError

_BLOCK = 1 << 20


def file_digest(paths: Sequence[Path], *, algorithm: str) -> str:
    """Hex digest over the bytes of `paths`, one after the other. Raises ModelError when one cannot be read."""
    digest = hashlib.new(algorithm)
    for path in paths:
        try:
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
        except OSError as error:
            raise ModelError(f"{path}: cannot read the model's file: {error.strerror}") from error
    return digest.hexdigest()


def version_of(paths: Sequence[Path]) -> str:
    """The first 12 hex digits of the SHA-256 over the files; for one file, as `sha256sum` prints them."""
    return file_digest(paths, algorithm="sha256")[:12]
