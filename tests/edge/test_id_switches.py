"""A tracker exchanges two people where they cross, and the edge cuts their tracklets there."""

from collections import Counter

import numpy as np
import pytest

from edge.frames import Frame
from edge.pipeline import CameraPipeline, tracklet_ids
from passerby.arrays import Detections, Image
from passerby.config import CameraSettings
from passerby.messages import TrackletUpdate
from tests.edge.engines import MeanColourEmbedder, ScriptedDetector, people
from tests.edge.test_pipeline import CLOCK, HALL, MS

RED, BLUE = (40, 40, 220), (220, 60, 30)
GRAIN = np.random.default_rng(3).integers(0, 36, (400, 700, 3), dtype=np.uint8)
MIDDLE = 16
LENGTH = 34


def picture(number: int, *, exchanged: bool, alike: bool = False) -> tuple[Frame, Detections]:
    """Two who walk through each other, the one from the left in front. The boxes go on; from the middle on, the people
    in them have changed if `exchanged`: what a tracker that takes one for the other sees."""
    image: Image = GRAIN + 20
    left, right = 40 + 16 * number, 40 + 16 * (2 * MIDDLE - number)
    colours = [RED, RED if alike else BLUE]
    if exchanged and number >= MIDDLE:
        colours.reverse()
    for x, colour, top in ((right, colours[1], 90), (left, colours[0], 100)):
        image[top : top + 200, x : x + 60] = GRAIN[top : top + 200, x : x + 60] + np.array(colour, np.uint8)
    found = people([left, 100, left + 60, 300], [right, 90, right + 60, 290])
    return Frame(HALL, number + 1, (number + 1) * 200 * MS, CLOCK, image), found


def pipeline(**changes: object) -> CameraPipeline:
    settings = CameraSettings(url="x", **changes)
    return CameraPipeline(
        HALL, settings, detector=ScriptedDetector(), embedder=MeanColourEmbedder(), tracklet_ids=tracklet_ids()
    )


def watch(camera: CameraPipeline, *, exchanged: bool, alike: bool = False) -> list[TrackletUpdate]:
    return [
        update
        for number in range(LENGTH)
        for update in camera.process_detected(*picture(number, exchanged=exchanged, alike=alike))
    ] + camera.finish()


def looks_red(update: TrackletUpdate) -> set[bool]:
    return set((update.exemplars.embeddings[:, 2] > update.exemplars.embeddings[:, 0]).tolist())


def by_tracklet(updates: list[TrackletUpdate]) -> dict[int, list[TrackletUpdate]]:
    return {key: [one for one in updates if one.tracklet_id == key] for key in {one.tracklet_id for one in updates}}


def test_two_who_were_exchanged_end_and_begin_anew() -> None:
    camera = pipeline()
    found = by_tracklet(watch(camera, exchanged=True))
    assert camera.switches == 1
    assert len(found) == camera.published == 4
    for updates in found.values():
        assert [one.revision for one in updates] == list(range(1, len(updates) + 1))
        assert [one.final for one in updates] == [False] * (len(updates) - 1) + [True]
        assert len(looks_red(updates[-1])) == 1
        times = [at for one in updates for at in one.observations.captured_at_ns.tolist()]
        assert (updates[-1].started_at_ns, updates[-1].ended_at_ns) == (times[0], times[-1])
    assert Counter(next(iter(looks_red(updates[-1]))) for updates in found.values()) == {True: 2, False: 2}
    seen = [
        (int(number), *box[:2].round().tolist())
        for updates in found.values()
        for one in updates
        for number, box in zip(one.observations.frame_numbers, one.observations.boxes_xyxy, strict=True)
    ]
    assert len(seen) == len(set(seen)) >= 2 * LENGTH - 4, "nothing is told twice, and hardly anything is lost"


def test_the_last_exemplars_are_from_before_and_their_pictures_have_been_sent() -> None:
    found = by_tracklet(watch(pipeline(), exchanged=True))
    for key in (1, 2):
        last = found[key][-1]
        assert last.exemplars.captured_at_ns.max() <= MIDDLE * 200 * MS
        at_hub: set[int] = set()
        for one in found[key]:
            at_hub = (at_hub | set(one.crops)) & set(one.exemplars.crop_ids.tolist())
        assert at_hub == set(last.exemplars.crop_ids.tolist())


def test_two_who_were_not_exchanged_go_on() -> None:
    camera = pipeline()
    assert len(by_tracklet(watch(camera, exchanged=False))) == 2
    assert camera.switches == 0


def test_two_who_look_alike_go_on_even_where_they_were_exchanged() -> None:
    camera = pipeline()
    assert len(by_tracklet(watch(camera, exchanged=True, alike=True))) == 2
    assert camera.switches == 0


def test_it_can_be_switched_off() -> None:
    camera = pipeline(cut_id_switches=False, crops_per_tracklet=20)
    updates = watch(camera, exchanged=True)
    assert len(by_tracklet(updates)) == 2
    assert any(len(looks_red(update)) == 2 for update in updates if update.final)


def test_a_comparison_costs_few_embeddings() -> None:
    watched, off = pipeline(), pipeline(cut_id_switches=False)
    watch(watched, exchanged=False)
    watch(off, exchanged=False)
    assert sum(watched.embedder.calls) <= sum(off.embedder.calls) + 4


@pytest.mark.parametrize("stop", range(MIDDLE - 4, MIDDLE + 10))
def test_stopping_in_the_middle_of_it_closes_everybody_once(stop: int) -> None:
    camera = pipeline()
    updates = [u for number in range(stop) for u in camera.process_detected(*picture(number, exchanged=True))]
    updates += camera.finish()
    assert all(count == 1 for count in Counter(one.tracklet_id for one in updates if one.final).values())
    assert {one.tracklet_id for one in updates if one.final} == {one.tracklet_id for one in updates}
