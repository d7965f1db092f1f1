"""Live pictures for whoever watches: `live/CAMERA.picture`, kept as long as somebody renews `live/CAMERA.watch`.

They are in the camera's own size while somebody renews `live/CAMERA.full` too.

Who watches is another process, the web server's: it calls `watch` every few seconds, and `picture` whenever it likes.
Edges encode previews only while they are asked to.
"""

import contextlib
import itertools
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from hub.camera_news import FOLDER_NAME, live_folder
from hub.worker import Worker
from passerby.config.attached import CAMERA_NAME
from passerby.errors import DataError, StoreError
from passerby.ids import BootId, CameraId, EdgeId
from passerby.messages import CameraCommand, HubMessage, Marked, Preview
from passerby.transport import ConnectedEdge

_log = logging.getLogger("passerby.hub")

WATCHED_S = 10.0
LOOK_S = 0.5
_SUFFIX = ".picture"
_WATCH = ".watch"
_FULL = ".full"
_ASK_FOR_S = 5.0
_ASK_AGAIN_S = 2.0
_CLOSE_TIMEOUT_S = 5.0


def watch(data_dir: Path, camera_ids: Iterable[CameraId], *, full: bool = False) -> None:
    """Wish for live pictures of these cameras for the next ten seconds, `full` ones in the camera's own size.

    Raises DataError or StoreError.
    """
    names = [_usable(camera_id) for camera_id in camera_ids]
    folder = live_folder(data_dir)
    try:
        for name in names:
            (folder / f"{name}{_WATCH}").touch(mode=0o600)
            if full:
                (folder / f"{name}{_FULL}").touch(mode=0o600)
    except OSError as error:
        raise StoreError(f"{folder}: cannot ask for live pictures: {error.strerror}") from error


class KeptPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A live picture as a file has it; `captured_at_ns` by the camera's clock."""

    captured_at_ns: int
    boot_id: BootId
    """Of the edge's process, in which the tracklets of `people` have their numbers."""
    people: list[Marked]
    jpeg: bytes


_DECODER = msgspec.msgpack.Decoder(KeptPicture)


def picture(data_dir: Path, camera_id: CameraId) -> KeptPicture | None:
    """The latest picture of a watched camera, with who is in it.

    None while there is none: nobody watches, it is not connected, or the disk does not take it. Raises DataError.
    """
    try:
        return _DECODER.decode((data_dir / FOLDER_NAME / f"{_usable(camera_id)}{_SUFFIX}").read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


class PreviewPort(Protocol):
    """What is needed of `passerby.transport.HubPort`; called from a thread of its own."""

    def edges(self) -> list[ConnectedEdge]:
        """The edges that are here."""

    def send(self, edge_id: EdgeId, message: HubMessage) -> bool:
        """Queue a message to an edge."""


class LivePictures(Worker):
    """The hub's side, in a thread from `__enter__` to the end: a slow disk costs the hub nothing.

    Whoever has not renewed the wish for `watched_s` has gone.
    """

    def __init__(self, data_dir: Path, port: PreviewPort, *, watched_s: float = WATCHED_S) -> None:
        super().__init__("live-pictures", stop_s=_CLOSE_TIMEOUT_S)
        self._data_dir = data_dir
        self._port = port
        self._watched_s = watched_s
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._watched: frozenset[CameraId] = frozenset()
        self._full: frozenset[CameraId] = frozenset()
        self._latest: dict[CameraId, KeptPicture] = {}
        self._came_at: dict[CameraId, float] = {}
        self._asked_at: dict[CameraId, float] = {}
        self._command_ids: Iterator[int] = itertools.count(1)
        self._disk_fails = False

    def take(self, preview: Preview, boot_id: BootId) -> None:
        """A picture has come; it takes the place of one that is not written yet. Unwatched ones are dropped."""
        if preview.camera_id in self._watched:
            kept = KeptPicture(
                captured_at_ns=preview.captured_at_ns, boot_id=boot_id, people=preview.people, jpeg=preview.jpeg
            )
            with self._lock:
                self._latest[preview.camera_id] = kept
            self._wake.set()

    def _ask_to_stop(self) -> None:
        super()._ask_to_stop()
        self._wake.set()

    def _run(self) -> None:
        look_at = float("-inf")
        while not self._stop.is_set():
            try:
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + LOOK_S
                    self._look(time.monotonic())
                self._write()
                self._disk_fails = False
            except OSError as error:
                if not self._disk_fails:
                    self._disk_fails = True
                    _log.error("%s: live pictures cannot be kept: %s", self._data_dir / FOLDER_NAME, error.strerror)
            self._wake.wait(max(0.0, look_at - time.monotonic()))
            self._wake.clear()
        with contextlib.suppress(OSError):
            self._drop(frozenset())

    def _look(self, now: float) -> None:
        """See who is watched, ask the edges to go on, and drop what nobody looks at or what has stopped coming."""
        watched, full = self._wished(_WATCH), self._wished(_FULL)
        for camera_id in self._full ^ full:
            self._asked_at.pop(camera_id, None)  # another size is wished: at once
        self._watched, self._full = watched, full
        self._ask(now)
        self._drop(frozenset(c for c in watched if now - self._came_at.get(c, float("-inf")) <= self._watched_s))

    def _wished(self, suffix: str) -> frozenset[CameraId]:
        wished = set()
        for wish in (self._data_dir / FOLDER_NAME).glob(f"*{suffix}"):
            with contextlib.suppress(FileNotFoundError):
                # An age below zero is a clock set back: the wish is renewed, or grows old, soon enough.
                if abs(time.time() - wish.stat().st_mtime) <= self._watched_s:
                    wished.add(CameraId(wish.stem))
                else:
                    wish.unlink()
        return frozenset(wished)

    def _ask(self, now: float) -> None:
        due = [c for c in self._watched if now - self._asked_at.get(c, float("-inf")) >= _ASK_AGAIN_S]
        self._asked_at = {c: at for c, at in self._asked_at.items() if c in self._watched}
        for edge in self._port.edges() if due else ():
            for camera_id in set(due) & set(edge.cameras):
                wish = CameraCommand(
                    command_id=next(self._command_ids),
                    camera_id=camera_id,
                    action="preview",
                    settings={"seconds": _ASK_FOR_S, **({"full": True} if camera_id in self._full else {})},
                )
                self._port.send(edge.edge_id, wish)
                self._asked_at[camera_id] = now

    def _write(self) -> None:
        with self._lock:
            latest, self._latest = self._latest, {}
        for camera_id, kept in latest.items():
            if camera_id not in self._watched:
                continue
            file = self._data_dir / FOLDER_NAME / f"{camera_id}{_SUFFIX}"
            scratch = file.with_name(f".{file.name}.new")
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(msgspec.msgpack.encode(kept))
            scratch.replace(file)
            self._came_at[camera_id] = time.monotonic()

    def _drop(self, kept: frozenset[CameraId]) -> None:
        for file in (self._data_dir / FOLDER_NAME).glob(f"*{_SUFFIX}"):
            if file.stem not in kept:
                file.unlink(missing_ok=True)
                self._came_at.pop(CameraId(file.stem), None)


def _usable(camera_id: CameraId) -> CameraId:
    if not CAMERA_NAME.fullmatch(camera_id):
        raise DataError(f"camera {camera_id!r}: not a camera's name")
    return camera_id
