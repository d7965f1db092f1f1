"""Which models the hub chose last, kept for the next start."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from passerby.errors import DataError
from passerby.ids import CameraId, ModelId


class Choice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The model of an edge, and those of the cameras that have another."""

    model_id: ModelId
    cameras: dict[CameraId, ModelId] = {}


def read_choice(file: Path) -> Choice | None:
    """What is kept in `file`; None where nothing is. Raises DataError for a file that cannot be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Choice)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot read which model was chosen: {error}") from error


def write_choice(choice: Choice, file: Path) -> None:
    """Replace the file in one step. Raises DataError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, msgspec.json.format(msgspec.json.encode(choice)) + b"\n")
    except OSError as error:
        raise DataError(f"{file}: cannot keep which model was chosen: {error.strerror or error}") from error


def write_whole(file: Path, content: bytes) -> None:
    """Let a file appear with all its bytes, or stay as it was. Raises OSError."""
    scratch = file.with_name(f".{file.name}.new")
    with scratch.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    scratch.replace(file)
