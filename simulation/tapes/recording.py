"""A site's tape: the messages of all its edges in the order in which the hub gets them, with the truth beside it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from passerby.codec import encode
from passerby.errors import ConfigError
from passerby.ids import BootId, EdgeId, TrackletId
from passerby.messages import Envelope
from passerby.tape import TapeWriter
from simulation.ground_truth import Sighting
from simulation.kinds import KIND_VERSION
from simulation.site import SimulatedSite
from simulation.streams import stream
from simulation.tapes.appearance import Appearance
from simulation.tapes.clocks import NS_PER_SECOND, START_NS
from simulation.tapes.filming import FilmedTracklet, film
from simulation.tapes.networks import NetworkProfile, network_profile
from simulation.tapes.sightings import look
from simulation.tapes.trajectories import follow
from simulation.tapes.truth import (
    TAPE_VERSION,
    TapeTruth,
    TrackletTruth,
    site_truth,
    stays,
    tracklet_truth,
    write_boxes,
    write_tape_truth,
)

DEFAULT_NETWORK = "like-retail-0288"
MAX_FPS = 5.0
"""An edge's default: frames looked at each second."""

_CAMERAS_PER_EDGE = 4
_LATENCY_S = (0.12, 0.45)
"""From a frame to the hub: decoding, networks, the wire."""

_BATCH_NS = 500_000_000
"""The hub takes what has come in half a second together, as a busy one does: each batch costs a commit."""

_SHARES = (0.35, 0.75)
"""Where the work is when everybody has been followed, and when all cameras are filmed."""


@dataclass(frozen=True, slots=True)
class RecordedTape:
    """What was written: the tape, and the folder with its truth."""

    tape: Path
    truth: Path
    messages: int
    tracklets: int
    people: int


@dataclass(frozen=True, slots=True)
class _Post:
    """One message to be: due at the hub at `at_ns`, telling `number` of a tracklet."""

    at_ns: int
    edge: int
    filmed: FilmedTracklet
    number: int


def truth_folder(tape: Path) -> Path:
    """Where the truth of a tape is: beside it, `NAME-truth`."""
    return tape.with_name(f"{tape.stem}-truth")


def record_tape(
    site: SimulatedSite,
    path: Path,
    *,
    seconds: float,
    network: NetworkProfile | None = None,
    progress: Callable[[float], None],
) -> RecordedTape:
    """Write `seconds` of a site to `path`, and gt/CAMERA.txt, truth.json, tracklets.json beside it.

    The same site and seconds give the same bytes. `progress` hears the share done, 0-1. Raises ConfigError for less
    than a second or a folder that cannot be made, DataError for a tape that cannot be written.
    """
    if not 1 <= seconds <= 7 * 86400:
        raise ConfigError(f"a tape of {seconds:g} s cannot be made, expected 1 s to a week")
    network = network or network_profile(DEFAULT_NETWORK)
    folder = truth_folder(path)
    try:
        (folder / "gt").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot make the folder: {error.strerror}") from error
    trajectories = follow(site, seconds=seconds, progress=lambda share: progress(_SHARES[0] * share))
    appearance = Appearance(site.seed, site.people, network=network, spread=site.kind.colour_spread)
    posts: list[_Post] = []
    found: list[Sighting] = []
    fps: dict[str, float] = {}
    for index, camera_id in enumerate(site.camera_ids):
        spec = site.spec(camera_id)
        fps[camera_id] = min(spec.fps, MAX_FPS)
        sightings = look(site.plan, spec, trajectories, seconds=seconds, fps=fps[camera_id])
        write_boxes(folder / "gt" / f"{camera_id}.txt", sightings, person_ids=trajectories.person_ids)
        found += stays(sightings, person_ids=trajectories.person_ids)
        edge = index // _CAMERAS_PER_EDGE
        for filmed in film(site.seed, sightings, appearance=appearance, seconds=seconds):
            posts += _posts(site.seed, filmed, edge=edge, fps=fps[camera_id])
        progress(_SHARES[0] + (_SHARES[1] - _SHARES[0]) * (index + 1) / len(site.camera_ids))
    sent = _Edges(site.seed, network)
    posts.sort(key=lambda post: post.at_ns)
    with TapeWriter(path) as tape:
        for done, post in enumerate(posts):
            edge_id, parts = sent.parts(post)
            tape.write(post.at_ns, edge_id, parts=parts)
            if done % 512 == 0:
                progress(_SHARES[1] + (1 - _SHARES[1]) * done / len(posts))
    known = [
        tracklet_truth(
            filmed, boot=boot.hex(), tracklet=number, person_ids=trajectories.person_ids, fps=fps[filmed.told.camera_id]
        )
        for boot, number, filmed in sent.tracklets
    ]
    site_wide = site_truth(site, found, seconds=seconds, fps=fps)
    write_tape_truth(folder, _tape_truth(site, network, seconds=seconds, fps=fps, tracklets=known), site=site_wide)
    progress(1.0)
    return RecordedTape(path, folder, len(posts), len(known), site_wide.people)


def _posts(seed: int, filmed: FilmedTracklet, *, edge: int, fps: float) -> list[_Post]:
    told = filmed.told
    draw = stream(seed, "latency", told.camera_id, int(told.frames[0]), round(float(told.boxes_xyxy[0, 0]) * 8))
    posts = []
    before = 0
    for number, (telling, late) in enumerate(
        zip(told.tellings, draw.uniform(*_LATENCY_S, len(told.tellings)).tolist(), strict=True)
    ):
        due = round((telling.frame / fps + late) * NS_PER_SECOND)
        before = max(before, START_NS + -(-due // _BATCH_NS) * _BATCH_NS)
        posts.append(_Post(before, edge, filmed, number))
    return posts


class _Edges:
    """Numbers the messages and tracklets of each edge, in the order in which they are sent."""

    def __init__(self, seed: int, network: NetworkProfile) -> None:
        self._seed, self._network = seed, network
        self._seq: dict[int, int] = {}
        self._counts: dict[int, int] = {}
        self._ids: dict[int, TrackletId] = {}
        self.tracklets: list[tuple[BootId, TrackletId, FilmedTracklet]] = []

    def parts(self, post: _Post) -> tuple[EdgeId, list[bytes]]:
        edge = post.edge
        boot = BootId(hashlib.blake2b(f"tape {self._seed} edge {edge}".encode(), digest_size=16).digest())
        key = id(post.filmed)  # All of them are alive until the tape is done.
        if key not in self._ids:
            self._counts[edge] = self._counts.get(edge, 0) + 1
            self._ids[key] = TrackletId(self._counts[edge])
            self.tracklets.append((boot, self._ids[key], post.filmed))
        self._seq[edge] = self._seq.get(edge, 0) + 1
        update = post.filmed.told.update(post.number, tracklet_id=self._ids[key], model_id=self._network.model_id)
        return EdgeId(f"edge-{edge + 1}"), encode(Envelope(boot, self._seq[edge], update))


def _tape_truth(
    site: SimulatedSite,
    network: NetworkProfile,
    *,
    seconds: float,
    fps: dict[str, float],
    tracklets: list[TrackletTruth],
) -> TapeTruth:
    return TapeTruth(
        tape_version=TAPE_VERSION,
        kind=site.kind.name,
        kind_version=KIND_VERSION,
        seed=site.seed,
        network=network.name,
        seconds=seconds,
        fps=fps,
        start_ns=START_NS,
        families={person.person_id: person.family for person in site.people if person.family >= 0},
        tracklets=tracklets,
    )
