"""The detector one turn ahead: the same order, no turn lost, errors where their turn is taken."""

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from edge.ahead import DetectionAhead, detected
from edge.frames import Frame
from edge.pipeline import CameraPipeline, tracklet_ids
from passerby.arrays import Detections, Image
from passerby.config import CameraSettings
from passerby.errors import EngineError
from passerby.ids import CameraId
from passerby.messages import Clock
from tests.edge.engines import MeanColourEmbedder, ScriptedDetector, people

HALL = CameraId("hall")


class MarkingDetector(ScriptedDetector):
    """Finds as many people as the picture's first byte says; a picture of 255 breaks it."""

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        counts = [int(frame[0, 0, 0]) for frame in frames]
        if 255 in counts:
            raise EngineError("broken picture")
        return [people(*[[0, 0, 10, 20]] * count) for count in counts]


def pipeline(detector: ScriptedDetector) -> CameraPipeline:
    return CameraPipeline(
        HALL, CameraSettings(url="x"), detector=detector, embedder=MeanColourEmbedder(), tracklet_ids=tracklet_ids()
    )


def work(camera: CameraPipeline, *marks: int) -> list[tuple[CameraPipeline, Frame]]:
    return [
        (camera, Frame(HALL, mark + 1, mark, Clock(source="file", error_ns=0), np.full((4, 4, 3), mark, np.uint8)))
        for mark in marks
    ]


def test_turns_come_in_order_with_their_own_people() -> None:
    detector = MarkingDetector()
    camera = pipeline(detector)
    turns = list(detected([work(camera, 1, 2), work(camera, 3), work(camera, 0)], detector=detector))
    assert [[frame.frame_number for _, frame in turn.work] for turn in turns] == [[2, 3], [4], [1]]
    assert [[len(found) for found in turn.detections] for turn in turns] == [[1, 2], [3], [0]]


def test_no_turns_give_none() -> None:
    assert list(detected([], detector=MarkingDetector())) == []


def test_the_next_turn_is_under_way_before_the_former_is_given() -> None:
    detector = MarkingDetector()
    camera = pipeline(detector)
    asked: list[int] = []

    def turns() -> Iterator[list[tuple[CameraPipeline, Frame]]]:
        for mark in (1, 2, 3):
            asked.append(mark)
            yield work(camera, mark)

    results = detected(turns(), detector=detector)
    next(results)
    assert asked == [1, 2]


def test_an_error_belongs_to_its_turn() -> None:
    detector = MarkingDetector()
    camera = pipeline(detector)
    with DetectionAhead(detector) as ahead:
        assert ahead.exchange(work(camera, 255)) is None
        assert ahead.busy
        with pytest.raises(EngineError, match="broken picture"):
            ahead.exchange(work(camera, 2))
        turn = ahead.exchange(())
        assert turn is not None
        assert len(turn.detections[0]) == 2
        assert not ahead.busy
        assert ahead.exchange(()) is None


def test_closing_ends_the_thread() -> None:
    detector = MarkingDetector()
    with DetectionAhead(detector) as ahead:
        ahead.exchange(work(pipeline(detector), 1))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("detect")]
