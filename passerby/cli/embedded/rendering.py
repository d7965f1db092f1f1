"""Simulated sites as training data; each is rendered in a process of its own."""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Int64Array
from passerby.cli.embedded.recipe import SiteRecipe
from passerby.models import Preprocessing
from simulation.building import make_plan
from simulation.cameras import place_cameras, rooms_watched
from simulation.kinds import site_kind
from simulation.samples import is_asked_for, person_crops, sampled_frames
from simulation.site import SimulatedSite
from simulation.streams import stream
from simulation.wardrobe import random_people
from training.detector.frames import FrameCollector, MarkedFrames
from training.source import LabelledCrops


@dataclass(frozen=True, slots=True)
class SitePictures:
    """One site: its frames for a detector, and its people for a re-ID network with ids that no other site has."""

    number: int
    frames: MarkedFrames
    crops: LabelledCrops


def training_site(recipe: SiteRecipe, number: int) -> SimulatedSite:
    """Site `number` of a recipe. Raises ConfigError for a kind that does not exist."""
    seed = recipe.first_seed + number
    kind = dataclasses.replace(site_kind(recipe.kinds[number % len(recipe.kinds)]), colour_spread=recipe.colour_spread)
    plan = make_plan(seed, rooms_watched(recipe.cameras, kind)[0])
    return SimulatedSite(
        kind,
        seed,
        plan=plan,
        cameras=place_cameras(seed, plan, kind=kind, count=recipe.cameras),
        people=random_people(seed, recipe.people, dresses=kind.dresses),
    )


def site_pictures(
    site: SimulatedSite,
    number: int,
    *,
    frames_per_camera: int,
    seconds: float,
    detector_input: Preprocessing,
    reid_input: Preprocessing,
) -> SitePictures:
    """Frames and crops of one site; person and camera ids are made unique by `number`."""
    collector = FrameCollector(detector_input, capacity=frames_per_camera * len(site.camera_ids))
    pictures: list[NDArray[np.uint8]] = []
    people: list[int] = []
    cameras: list[int] = []
    draw = stream(site.seed, "crops")
    for camera, frame in sampled_frames(site, frames_per_camera=frames_per_camera, seconds=seconds, seed=site.seed):
        asked_for = is_asked_for(frame.truth, frame_height=frame.image.shape[0])
        collector.add(frame.image, boxes_xyxy=frame.truth.boxes_xyxy, ignored=~asked_for)
        for crop in person_crops(frame, draw=draw):
            # As the engines resize, so that the network meets the same pixels.
            size = (reid_input.width, reid_input.height)
            pictures.append(np.asarray(cv2.resize(crop.image, size, interpolation=cv2.INTER_LINEAR), np.uint8))
            people.append(1000 * number + crop.person_id)
            cameras.append(1000 * number + camera)
    nobody = np.zeros((0, reid_input.height, reid_input.width, 3), np.uint8)
    stacked = np.stack(pictures) if pictures else nobody
    crops = LabelledCrops(stacked, np.array(people, np.int64), np.array(cameras, np.int64))
    return SitePictures(number, collector.collected(), crops)


def render_sites(
    recipe: SiteRecipe, *, detector_input: Preprocessing, reid_input: Preprocessing, processes: int
) -> Iterator[SitePictures]:
    """Every site of the recipe, in the order in which they are done."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        waiting = [pool.submit(_rendered, recipe, number, detector_input, reid_input) for number in range(recipe.count)]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def joined(sites: list[SitePictures]) -> tuple[MarkedFrames, LabelledCrops]:
    """All sites, in the order of their numbers. The frames of each are filled up to the most people in any."""
    sites = sorted(sites, key=lambda site: site.number)
    most = max(site.frames.boxes_xyxy.shape[1] for site in sites)

    def filled(array: NDArray[np.generic]) -> NDArray[np.generic]:
        room = [(0, 0), (0, most - array.shape[1])] + [(0, 0)] * (array.ndim - 2)
        return np.pad(array, room)

    frames = MarkedFrames(
        np.concatenate([site.frames.pictures for site in sites]),
        np.concatenate([filled(site.frames.boxes_xyxy) for site in sites]).astype(np.float32),
        np.concatenate([filled(site.frames.counts) for site in sites]).astype(np.bool_),
        np.concatenate([filled(site.frames.ignored) for site in sites]).astype(np.bool_),
    )
    people: Int64Array = np.concatenate([site.crops.people for site in sites])
    crops = LabelledCrops(
        np.concatenate([site.crops.pictures for site in sites]),
        people,
        np.concatenate([site.crops.cameras for site in sites]),
    )
    return frames, crops


def _one_thread() -> None:
    cv2.setNumThreads(1)


def _rendered(
    recipe: SiteRecipe, number: int, detector_input: Preprocessing, reid_input: Preprocessing
) -> SitePictures:
    return site_pictures(
        training_site(recipe, number),
        number,
        frames_per_camera=recipe.frames_per_camera,
        seconds=recipe.seconds,
        detector_input=detector_input,
        reid_input=reid_input,
    )
