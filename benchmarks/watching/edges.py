"""The edges of a watched site: what is on its tape at its pace, and live pictures of whoever is asked for."""

import itertools
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.watching.site import PREVIEW_INTERVAL_S, WatchedSite, with_crops
from hub.playback import Batch
from passerby.ids import BootId, CameraId, EdgeId, TrackletId
from passerby.messages import CameraCommand, CameraStatus, Hello, Marked, Preview, Status, TrackletUpdate
from passerby.transport import EdgeLink, Spool, local_keys
from simulation.tapes.live import moved

CAMERAS_PER_EDGE = 4
_STATUS_S = 5.0
_LOOK_S = 0.004
_CONNECT_S = 30.0
_SPOOL_BYTES = 64 << 20


class Settled(msgspec.Struct, frozen=True):
    """A message that the hub has committed: when, by the monotonic clock, and how long after it was published."""

    at_s: float
    after_s: float


class Spoken(msgspec.Struct, frozen=True):
    """What came of all that the edges said. `late_s` is how far behind its time the latest message was published."""

    settled: list[Settled]
    previews: list[float]
    """When each live picture was sent, by the monotonic clock."""
    late_s: float


@dataclass
class _Edge:
    link: EdgeLink
    cameras: list[CameraId]
    watched: dict[CameraId, float] = field(default_factory=dict)
    next_at: dict[CameraId, float] = field(default_factory=dict)
    waiting: deque[float] = field(default_factory=deque)
    known: int = 0
    status_at: float = 0.0


def speak(folder: Path, port: int, past_s: float, stop: Event) -> None:
    """Be all edges until `stop`, or the tape is over; writes `spoken.json` into the folder."""
    site = WatchedSite(folder, port, past_s)
    settings = site.settings()
    cameras = list(settings.cameras)
    with ExitStack() as stack:
        edges = {
            EdgeId(f"edge-{number + 1}"): _open(
                stack, site, name=f"edge-{number + 1}", cameras=cameras[first : first + CAMERAS_PER_EDGE]
            )
            for number, first in enumerate(range(0, len(cameras), CAMERAS_PER_EDGE))
        }
        told = _Speech(site, edges)
        for edge in edges.values():
            assert edge.link.wait_until_connected(_CONNECT_S), edge.link.stats().problem
        told.begin()
        while not stop.is_set() and told.go_on():
            time.sleep(_LOOK_S)
        (folder / "spoken.json").write_bytes(msgspec.json.encode(told.spoken()))


def _open(stack: ExitStack, site: WatchedSite, *, name: str, cameras: list[CameraId]) -> _Edge:
    keys = local_keys(site.settings().data / "keys", name, cameras).edge
    spool = stack.enter_context(Spool(site.folder / f"{name}.spool", max_bytes=_SPOOL_BYTES))
    first = next(site.past()).deliveries[0][1].message
    assert isinstance(first, TrackletUpdate)
    link = EdgeLink(
        f"tcp://127.0.0.1:{site.port}",
        keys,
        boot_id=BootId(os.urandom(16)),
        spool=spool,
        hello=Hello(software="benchmark", cameras=cameras, model_id=first.model_id),
    )
    return _Edge(stack.enter_context(link), cameras)


class _Speech:
    """The work of all edges in one thread."""

    def __init__(self, site: WatchedSite, edges: dict[EdgeId, _Edge]) -> None:
        self._edges = edges
        self._crops = site.crops()
        self._pictures = {
            camera: itertools.cycle(site.previews(camera)) for edge in edges.values() for camera in edge.cameras
        }
        self._batches: Iterator[Batch] = site.future()
        self._next: Batch | None = next(self._batches)
        self._sent: dict[tuple[EdgeId, TrackletId], set[int]] = {}
        self._present: dict[CameraId, dict[TrackletId, Marked]] = {}
        self._shift_ns = 0
        self._settled: list[Settled] = []
        self._previews: list[float] = []
        self._late_ns = 0

    def begin(self) -> None:
        """The future begins now."""
        assert self._next is not None
        self._shift_ns = time.time_ns() - self._next.received_at_ns

    def go_on(self) -> bool:
        """Do what is due; False when there is nothing more to tell."""
        while self._next is not None and self._next.received_at_ns + self._shift_ns <= time.time_ns():
            self._tell(self._next)
            self._next = next(self._batches, None)
        now = time.monotonic()
        for edge in self._edges.values():
            self._hear(edge, now)
            self._show(edge, now)
            if now >= edge.status_at:
                edge.status_at = now + _STATUS_S
                self._publish(edge, _status(edge))
            self._count(edge)
        return self._next is not None

    def spoken(self) -> Spoken:
        return Spoken(self._settled, self._previews, self._late_ns / 1e9)

    def _tell(self, batch: Batch) -> None:
        self._late_ns = max(self._late_ns, time.time_ns() - batch.received_at_ns - self._shift_ns)
        for edge_id, envelope in batch.deliveries:
            update = envelope.message
            assert isinstance(update, TrackletUpdate)
            now = moved(update, update.camera_id, update.tracklet_id, shift_ns=self._shift_ns)
            sent = self._sent.setdefault((edge_id, update.tracklet_id), set())
            self._publish(self._edges[edge_id], with_crops(now, crops=self._crops, sent=sent))
            self._mark(update)

    def _mark(self, update: TrackletUpdate) -> None:
        """Who is in a camera's live pictures from now on, where they were told to be last."""
        present = self._present.setdefault(update.camera_id, {})
        present.pop(update.tracklet_id, None)
        if not update.final and len(update.observations):
            left, top, right, bottom = np.maximum(update.observations.boxes_xyxy[-1], 0.0).tolist()
            present[update.tracklet_id] = Marked(tracklet_id=update.tracklet_id, box_xyxy=(left, top, right, bottom))

    def _publish(self, edge: _Edge, message: TrackletUpdate | Status) -> None:
        edge.waiting.append(time.monotonic())
        edge.link.publish(message, timeout_s=5.0)

    def _hear(self, edge: _Edge, now: float) -> None:
        while (command := edge.link.receive(0)) is not None:
            if isinstance(command, CameraCommand) and command.action == "preview":
                seconds = command.settings["seconds"]
                assert isinstance(seconds, (int, float))
                edge.watched[command.camera_id] = now + seconds

    def _show(self, edge: _Edge, now: float) -> None:
        for camera_id, until in edge.watched.items():
            if now < until and now >= edge.next_at.get(camera_id, 0.0):
                edge.next_at[camera_id] = max(edge.next_at.get(camera_id, now), now - _LOOK_S) + PREVIEW_INTERVAL_S
                picture = Preview(
                    camera_id=camera_id,
                    captured_at_ns=time.time_ns(),
                    jpeg=next(self._pictures[camera_id]),
                    people=list(self._present.get(camera_id, {}).values()),
                )
                if edge.link.offer(picture):
                    self._previews.append(now)

    def _count(self, edge: _Edge) -> None:
        stats, now = edge.link.stats(), time.monotonic()
        for _ in range(stats.acknowledged + stats.refused - edge.known):
            self._settled.append(Settled(now, now - edge.waiting.popleft()))
        edge.known = stats.acknowledged + stats.refused


def _status(edge: _Edge) -> Status:
    now_ns = time.time_ns()
    cameras = [
        CameraStatus(camera_id=camera, state="live", expected_fps=5.0, achieved_fps=5.0, last_frame_at_ns=now_ns)
        for camera in edge.cameras
    ]
    return Status(sent_at_ns=now_ns, cameras=cameras)
