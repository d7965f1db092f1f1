"""Simulated sites as the snapshots that a hub would take of them, with the truth beside."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.adapting.sites import SiteCrops, seen_visits, site_subject
from benchmarks.adapting.subjects import read_tracklets
from passerby.adaptation import Snapshot, SnapshotViews, read_snapshot, write_snapshot
from passerby.adaptation.snapshot import ARRAYS
from passerby.arrays import Float32Array, Image, Int64Array, l2_normalize
from passerby.features.normalization import zscore_by_camera
from passerby.ids import CameraId, ModelId
from simulation.site import SimulatedSite
from simulation.streams import stream
from training.evaluate.labelled import read_image

LINKED, WRONG = 0.85, 0.01
"""Of tracklets of known people, how many the hub links to them, and how many of all to somebody else: the false-link
rate that it is set to."""

_CLOCK_ERROR_NS = 20_000_000
_TRUTH = "people.npy"


@dataclass(frozen=True, slots=True, eq=False)
class GateSite:
    """What the gate is given, and `people` (t,) int64: who is on each tracklet, which it is not told."""

    name: str
    snapshot: Snapshot
    people: Int64Array

    @property
    def crop_people(self) -> Int64Array:
        """(n,)"""
        people: Int64Array = self.people[self.snapshot.crop_tracklets]
        return people


def gate_site(site: SiteCrops, cache: Path, *, embed: Callable[[list[Image]], Float32Array], model_id: str) -> GateSite:
    """The site's snapshot below `cache`, made unless it is there; `embed` gives the parent's raw embeddings."""
    subject = site_subject(site, cache, progress=lambda _done, _total: None)
    folder = cache / f"{subject.folder.name}.snapshot"
    if not (folder / ARRAYS).exists():
        _take(site, subject.folder, folder, embed=embed, model_id=model_id)
    return GateSite(site.name, read_snapshot(folder), np.load(folder / _TRUTH))


def _take(
    choice: SiteCrops,
    pictures: Path,
    folder: Path,
    *,
    embed: Callable[[list[Image]], Float32Array],
    model_id: str,
) -> None:
    site = SimulatedSite.make(choice.kind, seed=choice.seed, cameras=choice.cameras, people=choice.people)
    fps = np.array([site.spec(camera).fps for camera in site.camera_ids])
    stays = _Stays.of(site, seconds=60.0 * choice.minutes)
    names = read_tracklets(pictures / "tracklets.csv")
    members: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: int(name.split("_")[2])):
        members.setdefault(names[name], []).append(name)
    rows = sorted(stays.rows[tracklet] for tracklet in members)
    tracklets = {row: name for name, row in stays.rows.items() if name in members}
    order = sorted(rows, key=lambda row: (stays.began_ns[row], row))
    files = [name for row in order for name in members[tracklets[row]]]
    crop_tracklets = np.repeat(np.arange(len(order)), [len(members[tracklets[row]]) for row in order]).astype(np.int64)
    images = [read_image(pictures / name) for name in files]
    embeddings = embed(images)
    camera_rows = stays.cameras[order]
    frames = np.array([int(name.split("_")[2]) for name in files])
    jpegs = [(pictures / name).read_bytes() for name in files]
    snapshot = Snapshot(
        folder=folder,
        site=choice.name,
        model_id=ModelId(model_id),
        cameras=tuple(CameraId(name) for name in site.camera_ids),
        taken_at_ns=round(60e9 * choice.minutes),
        numbers=np.array(order, np.int64),
        camera_rows=camera_rows,
        identities=hub_identities(
            embeddings, crop_tracklets, camera_rows, people=stays.people[order], seed=choice.seed
        ),
        started_at_ns=stays.began_ns[order],
        ended_at_ns=stays.ended_ns[order],
        clock_error_ns=np.full(len(order), _CLOCK_ERROR_NS, np.int64),
        crop_tracklets=crop_tracklets,
        crop_ids=np.arange(len(files), dtype=np.int64),
        captured_at_ns=np.round(frames / fps[camera_rows[crop_tracklets]] * 1e9).astype(np.int64),
        qualities=np.ones(len(files), np.float32),
        embeddings=embeddings,
        jpeg_ends=np.cumsum([len(each) for each in jpegs]).astype(np.int64),
        together=np.zeros((0, 2), np.int64),
        apart=np.zeros((0, 2), np.int64),
        views=stays.views(len(fps)),
    )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{_TRUTH}.fresh").open("wb") as file:
        np.save(file, stays.people[order])
    os.replace(folder / f"{_TRUTH}.fresh", folder / _TRUTH)
    write_snapshot(snapshot, jpegs)


@dataclass(frozen=True, slots=True, eq=False)
class _Stays:
    """All stays of everybody; row i of each array is one."""

    rows: dict[str, int]
    people: Int64Array
    cameras: Int64Array
    began_ns: Int64Array
    ended_ns: Int64Array

    @classmethod
    def of(cls, site: SimulatedSite, *, seconds: float) -> "_Stays":
        found = seen_visits(site, seconds=seconds)
        fps = np.array([site.spec(camera).fps for camera in site.camera_ids])
        cameras = np.array([each.camera for each in found], np.int64)

        def times(frames: list[int]) -> Int64Array:
            return np.round(np.array(frames) / fps[cameras] * 1e9).astype(np.int64)

        return cls(
            {each.tracklet: row for row, each in enumerate(found)},
            np.array([each.person_id for each in found], np.int64),
            cameras,
            times([each.frames[0] for each in found]),
            times([each.frames[-1] for each in found]),
        )

    def views(self, cameras: int) -> SnapshotViews:
        """What a hub that has watched for long knows: who was ever seen in two views at once, and the quickest ways."""
        apart: NDArray[np.bool_] = ~np.eye(cameras, dtype=np.bool_)
        quickest = np.full((cameras, cameras), np.inf)
        for person in np.unique(self.people):
            own = np.flatnonzero(self.people == person)
            gaps = (self.began_ns[own][None, :] - self.ended_ns[own][:, None]) / 1e9
            for (i, j), gap in np.ndenumerate(gaps):
                pair = self.cameras[own[i]], self.cameras[own[j]]
                if i != j and gap < 0 and gaps[j, i] < 0:
                    apart[pair] = apart[pair[::-1]] = False
                elif gap >= 0:
                    quickest[pair] = min(quickest[pair], gap)
        fastest = np.where(apart & np.isfinite(quickest), 0.8 * quickest, 0.0)
        return SnapshotViews(apart, fastest.astype(np.float32))


def hub_identities(
    embeddings: Float32Array,
    crop_tracklets: Int64Array,
    camera_rows: Int64Array,
    *,
    people: Int64Array,
    seed: int,
    wrong: float = WRONG,
) -> Int64Array:
    """(t,): what a hub with the deployed network's raw `embeddings` (n, d) would make of the tracklets of `people`."""
    if len(people) == 0:
        return people
    sums = np.zeros((len(people), embeddings.shape[1]))
    np.add.at(sums, crop_tracklets, zscore_by_camera(embeddings, camera_rows[crop_tracklets].tolist()))
    unit = l2_normalize(sums)
    return hub_guess(unit @ unit.T, people, draw=stream(seed, "hub's guesses"), wrong=wrong)


def hub_guess(
    similarities: NDArray[np.floating],
    people: Int64Array,
    *,
    draw: np.random.Generator,
    linked: float = LINKED,
    wrong: float,
) -> Int64Array:
    """(t,): whom a hub takes each tracklet for, in the order in which they came; in place of the hub's decisions.

    It links with chance `wrong` to whom the deployed network (`similarities` (t, t)) finds most alike among all others
    that it knows; with chance `linked` to the person's latest identity; otherwise it takes the tracklet for somebody
    new. That it is right more often than looks alone allow is what time and place are for.
    """
    guessed = np.arange(len(people), dtype=np.int64)
    latest: dict[int, int] = {}
    for row, person in enumerate(people.tolist()):
        lot = draw.random()
        others = np.flatnonzero(people[:row] != person)
        if lot < wrong and len(others):
            guessed[row] = guessed[others[np.argmax(similarities[row, others])]]
        elif lot < wrong + linked and person in latest:
            guessed[row] = latest[person]
            latest[person] = int(guessed[row])
        else:
            latest[person] = int(guessed[row])
    return guessed


def shrunk(pictures: list[Image], *, height: int, width: int) -> NDArray[np.uint8]:
    """(n, height, width, 3): the pictures in a network's size."""
    resized = [cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR) for each in pictures]
    return np.stack(resized).astype(np.uint8) if resized else np.zeros((0, height, width, 3), np.uint8)
