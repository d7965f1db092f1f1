"""Whom the boxes of a tracklet show, by true ones that may be hidden, covered or cut by the picture's edge."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.judging.boxes import Footage
from hub.playback import Batch
from passerby.messages import Observations
from tests.hub.people import START, Sender, at, seen

Box = tuple[float, float, float, float]
"""Left, top, right, bottom; the picture is 640x480."""

FRAMES = 6


def footage(
    folder: Path, found: Sequence[Box], people: Mapping[int, Sequence[Box]], *, visible: float = 1.0
) -> Footage:
    """One tracklet of `found` boxes in one camera, frame by frame, and the true boxes of people in the same frames."""
    lines = [
        f"{frame + 1},{person},{left},{top},{right - left},{bottom - top},1,1,{visible}"
        for person, boxes in people.items()
        for frame, (left, top, right, bottom) in enumerate(boxes)
    ]
    (folder / "hall.txt").write_text("\n".join(lines) + "\n")
    frames = np.arange(len(found), dtype=np.int64)
    observations = Observations(
        frames + 1, START + frames * 10**8, np.array(found, np.float32), np.full(len(found), 0.9, np.float32)
    )
    update = replace(seen(1), observations=observations, final=True)
    return Footage([Batch(at(1.0), Sender().send(update))], folder)


def shown(told: Footage) -> list[int]:
    (_, _, _, people), *others = told.shown()
    assert not others
    return people.tolist()


def test_a_person_beyond_the_edge_is_as_large_as_the_picture_shows(tmp_path: Path) -> None:
    told = footage(tmp_path, [(100, 300, 180, 480)] * FRAMES, {7: [(100, 300, 180, 740)] * FRAMES})
    assert told.truth["hall"].boxes_xyxy[0].tolist() == [100, 300, 180, 480]
    assert shown(told) == [7] * FRAMES


def test_of_two_who_cover_each_other_it_shows_whom_it_lies_on_most_often(tmp_path: Path) -> None:
    ann = [(100.0, 100.0, 160.0, 280.0)] * FRAMES
    eve = [(400.0, 100.0, 460.0, 280.0)] * 2 + [(104.0, 100.0, 164.0, 280.0)] * 2 + [(400.0, 100.0, 460.0, 280.0)] * 2
    found = [ann[0], ann[0], eve[2], eve[2], ann[0], ann[0]]
    assert shown(footage(tmp_path, found, {1: ann, 2: eve})) == [1] * FRAMES


def test_who_is_followed_after_an_exchange_is_shown_from_then_on(tmp_path: Path) -> None:
    ann, eve = [(100.0, 100.0, 160.0, 280.0)] * FRAMES, [(400.0, 100.0, 460.0, 280.0)] * FRAMES
    assert shown(footage(tmp_path, ann[:4] + eve[4:], {1: ann, 2: eve})) == [1, 1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    "found", [(100.0, 100.0, 160.0, 160.0), (60.0, 60.0, 200.0, 320.0)], ids=["the upper half", "drawn too large"]
)
def test_a_part_of_somebody_shows_them_and_a_thing_nobody(tmp_path: Path, found: Box) -> None:
    ann = [(100.0, 100.0, 160.0, 280.0)] * FRAMES
    assert shown(footage(tmp_path, [found] * FRAMES, {1: ann})) == [1] * FRAMES
    assert shown(footage(tmp_path, [(500.0, 100.0, 560.0, 280.0)] * FRAMES, {1: ann})) == [0] * FRAMES


def test_who_is_nearly_hidden_is_shown_where_nobody_else_is(tmp_path: Path) -> None:
    upper, hidden = [(100.0, 100.0, 160.0, 160.0)] * FRAMES, [(90.0, 80.0, 170.0, 280.0)] * FRAMES
    assert shown(footage(tmp_path, upper, {1: hidden}, visible=0.1)) == [1] * FRAMES
