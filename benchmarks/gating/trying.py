"""A candidate for one site, the gate's word on it, and the truth."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.gating.networks import adapt, embedded, load, of_pictures, parent_network, save
from benchmarks.gating.poisons import collapsed, damaged, frozen, shuffled, where
from benchmarks.gating.sites import GateSite, hub_identities, shrunk
from passerby.adaptation import Snapshot
from passerby.adaptation.verdict import Figure
from passerby.arrays import Float32Array, Int64Array
from passerby.errors import NotEnoughDataError
from training.batch_norm import CameraNetwork
from training.evaluate import RankedImages, evaluate_retrieval
from training.gate.guarding import GuardSet
from training.gate.holding_out import groups_of, hold_out
from training.gate.judging import judge
from training.gate.normalizing import statistics_of
from training.starting import Start

HELD_OUT = 0.4
"""Of these small sites; a job, which has more, holds out less."""

_SPLIT_SEED = 1
_WRONG_LINKS = 0.2
_LEFT_OF_COLLAPSED = 1e-2


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate: how it comes about, for which site, from which seed. `about`: of damage, how much."""

    scenario: str
    site: str
    seed: int = 1
    about: float = 0.0

    @property
    def name(self) -> str:
        """Unlike that of any other trial."""
        about = f"-{self.about:g}" if self.about else ""
        return f"{self.scenario.replace(' ', '-')}{about}.{self.site}.{self.seed}"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate said, and mAP of parent and candidate on the held-out tracklets by who is really on them, as the
    hub compares them; None where there is nothing to measure by."""

    trial: Trial
    passed: bool
    reasons: list[str]
    figures: list[Figure]
    tracklets: int
    groups: int
    before: float | None
    after: float | None
    seconds: float

    @property
    def change(self) -> float | None:
        """In points of mAP."""
        return None if self.before is None or self.after is None else 100.0 * (self.after - self.before)


@dataclass(frozen=True, slots=True)
class Bench:
    """What all trials share: the parent, the guard set, a folder for what takes long, and the sites by name."""

    start: Start
    guard: GuardSet
    cache: Path
    site: Callable[[str], GateSite]
    elsewhere: Callable[[str], str]
    """For a site, the name of another."""


def attempt(trial: Trial, bench: Bench) -> Result:
    """Make the candidate and judge it."""
    began = time.perf_counter()
    site = bench.site(trial.site)
    snapshot = _snapshot(trial, site)
    try:
        learned, held_out = hold_out(snapshot, HELD_OUT, seed=_SPLIT_SEED)
        # Crop i is shown as crop order[i] is.
        order = _order(trial, snapshot)
        pictures = _pictures(snapshot, bench.start)
        network, cameras = _candidate(trial, bench, snapshot, pictures[order], learned=learned)
    except NotEnoughDataError as error:
        return _result(trial, began, passed=False, reasons=[str(error)])
    clean = embedded(network, bench.start, pictures, cameras)
    own = np.array_equal(order, np.arange(len(order)))
    shown = clean if own else embedded(network, bench.start, pictures[order], cameras)
    faces = list(bench.guard.pictures)
    verdict = judge(
        snapshot,
        held_out,
        parent=snapshot.embeddings[order],
        candidate=shown,
        guard=(
            bench.guard,
            of_pictures(parent_network(bench.start), bench.start, faces),
            of_pictures(network, bench.start, faces),
        ),
        seed=trial.seed,
    )
    truth = [true_precision(snapshot, raw, held_out, people=site.people) for raw in (snapshot.embeddings, clean)]
    return _result(
        trial,
        began,
        passed=verdict.passed,
        reasons=verdict.reasons,
        figures=verdict.figures,
        tracklets=verdict.tracklets,
        groups=verdict.groups,
        before=truth[0],
        after=truth[1],
    )


def true_precision(snapshot: Snapshot, raw: Float32Array, held_out: Int64Array, *, people: Int64Array) -> float:
    """mAP of the held-out tracklets across cameras, normalized as the hub does."""
    of_tracklets, groups = snapshot.tracklet_embeddings(raw), groups_of(snapshot)
    cameras, count = snapshot.camera_rows, len(snapshot.cameras)
    statistics = statistics_of(of_tracklets, cameras=cameras, people=groups, count=count)
    features = statistics.normalize(of_tracklets[held_out], cameras[held_out])
    images = RankedImages(features, people[held_out], cameras[held_out])
    return evaluate_retrieval(images, images).mean_average_precision


def _result(trial: Trial, began: float, *, passed: bool, reasons: list[str], **more: object) -> Result:
    nothing = {"figures": [], "tracklets": 0, "groups": 0, "before": None, "after": None}
    seconds = time.perf_counter() - began
    return msgspec.convert(
        {"trial": trial, "passed": passed, "reasons": reasons, "seconds": seconds} | nothing | more, Result
    )


def _snapshot(trial: Trial, site: GateSite) -> Snapshot:
    snapshot = site.snapshot
    if trial.scenario == "one camera":
        return where(snapshot, np.flatnonzero(snapshot.camera_rows == 0))
    if trial.scenario == "empty":
        return where(snapshot, np.zeros(0, np.int64))
    if trial.scenario == "hub often wrong":
        wrong = hub_identities(
            snapshot.embeddings,
            snapshot.crop_tracklets,
            snapshot.camera_rows,
            people=site.people,
            seed=trial.seed,
            wrong=_WRONG_LINKS,
        )
        return replace(snapshot, identities=wrong)
    return snapshot


def _order(trial: Trial, snapshot: Snapshot) -> Int64Array:
    busiest = int(np.bincount(snapshot.camera_rows).argmax())
    if trial.scenario == "camera shuffled":
        return shuffled(snapshot, camera=busiest, seed=trial.seed)
    if trial.scenario == "camera frozen":
        return frozen(snapshot, camera=busiest)
    return np.arange(snapshot.crops, dtype=np.int64)


def _candidate(
    trial: Trial, bench: Bench, snapshot: Snapshot, pictures: NDArray[np.uint8], *, learned: Int64Array
) -> tuple[CameraNetwork, Int64Array]:
    """The network, and what it takes the camera of each crop for."""
    start = bench.start
    if trial.scenario == "unchanged":
        return parent_network(start), snapshot.crop_cameras
    if trial.scenario == "collapsed":
        return collapsed(parent_network(start), left=_LEFT_OF_COLLAPSED), snapshot.crop_cameras
    if trial.scenario == "damaged":
        return damaged(parent_network(start), strength=trial.about, seed=trial.seed), snapshot.crop_cameras
    if trial.scenario == "another site":
        away = msgspec.structs.replace(trial, scenario="honest", site=bench.elsewhere(trial.site))
        other = bench.site(away.site).snapshot
        of_other, _ = hold_out(other, HELD_OUT, seed=_SPLIT_SEED)
        network = _adapted(away, bench, other, _pictures(other, start), learned=of_other)
        return network, np.full(snapshot.crops, network.cameras, np.int64)
    tracklets = snapshot.crop_tracklets
    if trial.scenario == "tracklets shuffled":
        tracklets = tracklets.copy()
        draw = np.random.default_rng(trial.seed)
        for camera in range(len(snapshot.cameras)):
            # Among those that are learned from: the others are not to come in by this door.
            own = np.flatnonzero((snapshot.crop_cameras == camera) & np.isin(tracklets, learned))
            tracklets[own] = draw.permutation(tracklets[own])
    return _adapted(trial, bench, snapshot, pictures, learned=learned, tracklets=tracklets), snapshot.crop_cameras


def _adapted(
    trial: Trial,
    bench: Bench,
    snapshot: Snapshot,
    pictures: NDArray[np.uint8],
    *,
    learned: Int64Array,
    tracklets: Int64Array | None = None,
) -> CameraNetwork:
    """Adapted now, or taken from the cache; what the hub believes makes no difference but for whom is held out."""
    file = bench.cache / f"{trial.name}.pth"
    if not file.exists():
        network = adapt(bench.start, snapshot, pictures, learned=learned, seed=trial.seed, tracklets=tracklets)
        save(network, file)
    return load(file, bench.start, cameras=len(snapshot.cameras))


def _pictures(snapshot: Snapshot, start: Start) -> NDArray[np.uint8]:
    pictures = snapshot.pictures(np.arange(snapshot.crops))
    return shrunk(pictures, height=start.how.height, width=start.how.width)
