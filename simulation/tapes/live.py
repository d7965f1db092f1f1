"""A tape, live: thousands of cameras that repeat a tape's messages over the real transport, as fast as time goes.

Each camera is one of the tape's, begun at another place, under a name of its own; when the tape is over it begins again
with new tracklets. Edges are real: a CURVE key, a spool and a connection each.
"""

import heapq
import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

from passerby.codec import decode
from passerby.errors import ConfigError, DataError, SpoolFullError
from passerby.ids import BootId, CameraId, TrackletId
from passerby.messages import Exemplars, Hello, Observations, TrackletUpdate
from passerby.tape import read_tape
from passerby.transport import AllowList, EdgeLink, Spool, load_edge_keys, local_keys
from passerby.transport.allow_list import ALLOW_LIST_NAME
from passerby.transport.keys import key_directory
from simulation.streams import stream
from simulation.tapes.latencies import Latencies

MAX_CAMERAS = 20_000
MAX_EDGES = 256
MAX_PROCESSES = 16
MAX_CAMERAS_PER_EDGE = 1_000
"""A Hello names at most 1024."""

_LOOK_S = 0.02
"""How often acknowledgements are looked at: what a latency is known to."""

_SPOOL_BYTES = 64 << 20
_PUBLISH_TIMEOUT_S = 0.5
_CONNECT_TIMEOUT_S = 20.0
_FLUSH_TIMEOUT_S = 15.0
_MORE_S = 60.0
"""A process that has not ended so long after its time is reported as an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much of what is published to whom. `keys` is the hub's own key folder: the hub must be on this machine."""

    tape: Path
    address: str
    keys: Path
    edges: int
    cameras: int
    seconds: float
    processes: int = 1
    name: str = "load"
    """Names of edges and cameras begin with it."""

    def __post_init__(self) -> None:
        for what, value, most in (
            ("edges", self.edges, MAX_EDGES),
            ("cameras", self.cameras, MAX_CAMERAS),
            ("processes", self.processes, MAX_PROCESSES),
        ):
            if not 1 <= value <= most:
                raise ConfigError(f"{value} {what} cannot publish, expected 1 to {most}")
        if not 0 < self.seconds <= 86_400:
            raise ConfigError(f"publishing for {self.seconds:g} s is out of range, expected up to a day")
        if self.cameras > self.edges * MAX_CAMERAS_PER_EDGE:
            raise ConfigError(f"{self.cameras} cameras need {-(-self.cameras // MAX_CAMERAS_PER_EDGE)} edges or more")
        _require_loopback(self.address)

    @property
    def edge_names(self) -> list[str]:
        """All edges."""
        return [f"{self.name}-{number + 1:03d}" for number in range(self.edges)]

    def cameras_of(self, edge: int) -> list[CameraId]:
        """The cameras of the edge of a number, from 0."""
        return [CameraId(f"{self.name}-{number + 1:05d}") for number in range(edge, self.cameras, self.edges)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFigures:
    """What came of it. `acknowledged` are messages that the hub has committed, `refused` those it will never take;
    `missing` is what neither came for in time. `seconds` is the time of publishing alone."""

    edges: int
    cameras: int
    seconds: float
    published: int
    acknowledged: int
    refused: int
    missing: int
    spool_full: int
    """Messages that were not published since an edge's spool was at its bound."""
    latest_s: float
    """How far behind its time the latest message was published: above a second this machine cannot do more."""
    latencies: Latencies

    @property
    def messages_per_s(self) -> float:
        """Published each second."""
        return self.published / self.seconds if self.seconds > 0 else 0.0


def publish(load: Load, *, progress: Callable[[float], None]) -> LoadFigures:
    """Publish, wait for the hub's acknowledgements, and give the figures; `progress` hears the seconds gone.

    The edges' keys are made for it and taken back afterwards. Raises ConfigError when no edge reaches the hub,
    DataError for a tape without tracklets.
    """
    processes = min(load.processes, load.edges)
    shares = [list(range(first, load.edges, processes)) for first in range(processes)]
    with _borrowed_keys(load), tempfile.TemporaryDirectory(prefix="passerby-load-") as spools:
        began = time.monotonic()
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            running = [pool.submit(publish_share, load, share, Path(spools)) for share in shares]
            deadline = began + load.seconds + _CONNECT_TIMEOUT_S + _FLUSH_TIMEOUT_S + _MORE_S
            while wait(running, timeout=0.2).not_done and time.monotonic() < deadline:
                progress(time.monotonic() - began)
            found = [future.result(timeout=max(0.1, deadline - time.monotonic())) for future in running]
    return _together(load, found)


def publish_share(load: Load, edges: Sequence[int], spools: Path) -> LoadFigures:
    """One process's part of a load: the edges of some numbers. Raises as `publish` does."""
    scripts = _scripts(load.tape)
    with ExitStack() as stack:
        live = [_LiveEdge.open(load, edge, stack=stack, spools=spools, scripts=scripts) for edge in edges]
        for edge in live:
            if not edge.link.wait_until_connected(_CONNECT_TIMEOUT_S):
                problem = edge.link.stats().problem or "no answer"
                raise ConfigError(f"the hub at {load.address} does not take {edge.name}: {problem}")
        began = time.monotonic()
        late_s, full = _publish_for(load.seconds, live)
        lasted = time.monotonic() - began
        deadline = time.monotonic() + _FLUSH_TIMEOUT_S
        pause = threading.Event()
        while any(edge.waiting for edge in live) and time.monotonic() < deadline:
            for edge in live:
                edge.note_acknowledged()
            pause.wait(_LOOK_S)
        stats = [edge.link.stats() for edge in live]
        latencies = Latencies()
        for edge in live:
            latencies.add(edge.latencies)
        published = sum(edge.published for edge in live)
        acknowledged, refused = sum(s.acknowledged for s in stats), sum(s.refused for s in stats)
        return LoadFigures(
            edges=len(live),
            cameras=sum(len(edge.cameras) for edge in live),
            seconds=lasted,
            published=published,
            acknowledged=acknowledged,
            refused=refused,
            missing=published - acknowledged - refused,
            spool_full=full,
            latest_s=late_s,
            latencies=latencies,
        )


@dataclass(frozen=True, slots=True)
class _Script:
    """What one of the tape's cameras says: (nanoseconds since the tape's begin, update), and when the tape is over."""

    lines: list[tuple[int, TrackletUpdate]]
    began_ns: int
    length_ns: int


@dataclass(slots=True)
class _Speaker:
    """One camera, somewhere in its script."""

    camera_id: CameraId
    script: _Script
    started_ns: int
    """When the script's present round began; by the machine's clock, once publishing has begun."""
    place: int = 0
    ids: dict[int, TrackletId] = field(default_factory=dict)

    @property
    def due_ns(self) -> int:
        return self.started_ns + self.script.lines[self.place][0]

    def next(self, new_id: Callable[[], TrackletId]) -> TrackletUpdate | None:
        """The next line, in the present; None for one of a tracklet that began before this camera did."""
        update = self.script.lines[self.place][1]
        shift = self.started_ns - self.script.began_ns
        if update.revision == 1:
            self.ids[update.tracklet_id] = new_id()
        tracklet_id = self.ids.get(update.tracklet_id)
        self.place += 1
        if self.place == len(self.script.lines):
            self.place = 0
            self.started_ns += self.script.length_ns
            self.ids = {}
        return None if tracklet_id is None else moved(update, self.camera_id, tracklet_id, shift_ns=shift)


@dataclass(slots=True)
class _LiveEdge:
    """One edge with its cameras."""

    name: str
    link: EdgeLink
    cameras: list[_Speaker]
    published: int = 0
    waiting: deque[float] = field(default_factory=deque)
    """When each message that is not acknowledged yet was published."""
    latencies: Latencies = field(default_factory=Latencies)
    _settled: int = 0
    _tracklets: int = 0

    @classmethod
    def open(
        cls, load: Load, number: int, *, stack: ExitStack, spools: Path, scripts: Sequence[_Script]
    ) -> "_LiveEdge":
        name, cameras = load.edge_names[number], load.cameras_of(number)
        spool = stack.enter_context(Spool(spools / f"{name}.db", max_bytes=_SPOOL_BYTES))
        model_id = scripts[0].lines[0][1].model_id
        link = EdgeLink(
            load.address,
            load_edge_keys(load.keys, name),
            boot_id=BootId(os.urandom(16)),
            spool=spool,
            hello=Hello(software="passerby-tape", cameras=cameras, model_id=model_id),
        )
        speakers = []
        for order, camera_id in enumerate(cameras):
            script = scripts[(number + order * load.edges) % len(scripts)]
            gone = int(stream(0, "begins", camera_id).uniform(0, script.length_ns))
            place = next((k for k, line in enumerate(script.lines) if line[0] >= gone), 0)
            started = -gone + (0 if script.lines[place][0] >= gone else script.length_ns)
            speakers.append(_Speaker(camera_id, script, started, place))
        return cls(name, stack.enter_context(link), speakers)

    def say(self, update: TrackletUpdate) -> bool:
        """Publish. False when the spool is full."""
        try:
            self.link.publish(update, timeout_s=_PUBLISH_TIMEOUT_S)
        except SpoolFullError:
            return False
        self.published += 1
        self.waiting.append(time.monotonic())
        return True

    def note_acknowledged(self) -> None:
        stats = self.link.stats()
        settled = stats.acknowledged + stats.refused
        now = time.monotonic()
        for _ in range(min(settled - self._settled, len(self.waiting))):
            self.latencies.note(now - self.waiting.popleft())
        self._settled = settled

    def new_id(self) -> TrackletId:
        self._tracklets += 1
        return TrackletId(self._tracklets)


def _publish_for(seconds: float, live: Sequence[_LiveEdge]) -> tuple[float, int]:
    """Publish what is due when it is due; gives how late the latest was, and how many found their spool full."""
    begin_ns = time.time_ns()
    for edge in live:
        for speaker in edge.cameras:
            speaker.started_ns += begin_ns
    queue = [
        (speaker.due_ns, edge_number, number)
        for edge_number, edge in enumerate(live)
        for number, speaker in enumerate(edge.cameras)
    ]
    heapq.heapify(queue)
    end_ns = begin_ns + int(seconds * 1e9)
    looked, latest_ns, full = 0.0, 0, 0
    pause = threading.Event()
    while (now_ns := time.time_ns()) < end_ns:
        if time.monotonic() - looked >= _LOOK_S:
            for edge in live:
                edge.note_acknowledged()
            looked = time.monotonic()
        due_ns, edge_number, number = queue[0]
        if due_ns > now_ns:
            pause.wait(min(_LOOK_S, (due_ns - now_ns) / 1e9))
            continue
        edge = live[edge_number]
        speaker = edge.cameras[number]
        update = speaker.next(edge.new_id)
        if update is not None:
            full += not edge.say(update)
            latest_ns = max(latest_ns, now_ns - due_ns)
        heapq.heapreplace(queue, (speaker.due_ns, edge_number, number))
    return latest_ns / 1e9, full


def _scripts(tape: Path) -> list[_Script]:
    """What each camera of a tape says. Raises DataError when nobody is on it."""
    lines: dict[tuple[bytes, CameraId], list[tuple[int, TrackletUpdate]]] = {}
    first_ns = last_ns = 0
    for record in read_tape(tape):
        envelope = decode(record.parts)
        if isinstance(envelope.message, TrackletUpdate):
            first_ns = first_ns or record.received_at_ns
            last_ns = record.received_at_ns
            key = (envelope.boot_id, envelope.message.camera_id)
            lines.setdefault(key, []).append((record.received_at_ns - first_ns, envelope.message))
    if not lines:
        raise DataError(f"{tape}: no tracklet is on this tape; make a longer one, or one with more people")
    length_ns = last_ns - first_ns + 10**9
    return [_Script(said, first_ns, length_ns) for _, said in sorted(lines.items())]


def moved(update: TrackletUpdate, camera_id: CameraId, tracklet_id: TrackletId, *, shift_ns: int) -> TrackletUpdate:
    """The same at another camera, of another name, and all its times later by `shift_ns`."""
    seen, best = update.observations, update.exemplars
    return replace(
        update,
        camera_id=camera_id,
        tracklet_id=tracklet_id,
        started_at_ns=update.started_at_ns + shift_ns,
        ended_at_ns=update.ended_at_ns + shift_ns,
        observations=Observations(seen.frame_numbers, seen.captured_at_ns + shift_ns, seen.boxes_xyxy, seen.confidence),
        exemplars=Exemplars(
            best.crop_ids, best.captured_at_ns + shift_ns, best.boxes_xyxy, best.quality, best.embeddings
        ),
    )


@contextmanager
def _borrowed_keys(load: Load) -> Iterator[None]:
    """Keys for all edges on the hub's list, and none of them afterwards. Raises ConfigError."""
    list_path = load.keys / ALLOW_LIST_NAME
    taken = {edge.name for edge in AllowList.read(list_path).edges()} & set(load.edge_names)
    if taken:
        raise ConfigError(f"the hub knows an edge {sorted(taken)[0]!r} already; choose another --name")
    made: list[str] = []
    try:
        for number, name in enumerate(load.edge_names):
            local_keys(load.keys, name, load.cameras_of(number))
            made.append(name)
        yield
    finally:
        with key_directory(load.keys):
            allowed = AllowList.read(list_path)
            for name in made:
                allowed = allowed.revoke(name)
                for ending in ("secret", "public"):
                    (load.keys / f"{name}.{ending}").unlink(missing_ok=True)
            allowed.write(list_path)


def _require_loopback(address: str) -> None:
    host = address.removeprefix("tcp://").rpartition(":")[0]
    if not address.startswith("tcp://") or not (host.startswith("127.") or host in {"localhost", "[::1]"}):
        raise ConfigError(
            f"{address} is not on this machine; a load is published to tcp://127.0.0.1:PORT only, never to a real site"
        )


def _together(load: Load, found: Sequence[LoadFigures]) -> LoadFigures:
    latencies = Latencies()
    for one in found:
        latencies.add(one.latencies)
    return LoadFigures(
        edges=load.edges,
        cameras=load.cameras,
        seconds=max(one.seconds for one in found),
        published=sum(one.published for one in found),
        acknowledged=sum(one.acknowledged for one in found),
        refused=sum(one.refused for one in found),
        missing=sum(one.missing for one in found),
        spool_full=sum(one.spool_full for one in found),
        latest_s=max(one.latest_s for one in found),
        latencies=latencies,
    )
