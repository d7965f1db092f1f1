"""What became of each camera that was attached, edited or removed at run time: `live/cameras.json` of the data folder.

The running hub writes it, and whoever has asked reads it.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from passerby.errors import StoreError
from passerby.ids import CameraId, EdgeId
from passerby.whole_files import write_whole

FOLDER_NAME = "live"
_FILE = "cameras.json"
_POLL_S = 0.05

Progress: TypeAlias = Literal["waiting", "asked", "taken", "refused"]
"""`waiting`: no edge is here that could take it; `asked`: one has been asked, and has not answered yet."""


class CameraNews(Struct, frozen=True, kw_only=True):
    """How far the latest word about a camera has come."""

    changed_at_ns: int
    """Of the word that this is about: `SavedCamera.changed_at_ns`."""
    progress: Progress
    edges: list[EdgeId] = []
    """Whose camera it is."""
    reason: str = ""
    """Why it waits, or was refused."""


def live_folder(data_dir: Path) -> Path:
    """The folder of what is true only now, made if need be. Raises StoreError."""
    folder = data_dir / FOLDER_NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be used: {error.strerror}") from error
    return folder


def write_news(data_dir: Path, news: Mapping[CameraId, CameraNews]) -> None:
    """Put it in place of the former. Raises StoreError."""
    file = live_folder(data_dir) / _FILE
    try:
        write_whole(file, msgspec.json.encode(dict(news)), private=True, durable=False)
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}") from error


def read_news(data_dir: Path) -> dict[CameraId, CameraNews]:
    """As of the hub's last look; empty where there is none. Raises StoreError."""
    file = data_dir / FOLDER_NAME / _FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[CameraId, CameraNews])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or 'damaged'}") from error


def wait_for_news(
    data_dir: Path, camera_id: CameraId, *, changed_at_ns: int, timeout_s: float, keep_waiting: Callable[[], bool]
) -> CameraNews | None:
    """What became of a word about a camera, once it is taken, refused, or waits for an edge; else the last news of it.

    None where the hub had not looked within the time, or `keep_waiting` said that no hub is there.
    """
    deadline = time.monotonic() + timeout_s
    latest = None
    while True:
        with contextlib.suppress(StoreError):  # looked at again
            found = read_news(data_dir).get(camera_id)
            latest = found if found is not None and found.changed_at_ns == changed_at_ns else latest
        if (latest is not None and latest.progress != "asked") or time.monotonic() >= deadline or not keep_waiting():
            return latest
        time.sleep(_POLL_S)
