"""A clock that is set back by an hour in the middle of a walk."""

from dataclasses import replace

from passerby.messages import TrackletUpdate
from tests.edge.test_pipeline import MS, frame, pipeline, walk

HOUR_NS = 3_600_000 * MS
MIDNIGHT_NS = 1_700_000_000_000 * MS


def test_everybody_is_told_of_to_the_end_and_then_anew() -> None:
    camera = pipeline()
    updates: list[TrackletUpdate] = []
    for number in range(1, 21):
        moment = frame(number)
        set_back_ns = HOUR_NS if number > 10 else 0
        moment = replace(moment, captured_at_ns=MIDNIGHT_NS + moment.captured_at_ns - set_back_ns)
        updates += camera.process_detected(moment, walk(number))
    updates += camera.finish()
    assert all(update.started_at_ns <= update.ended_at_ns for update in updates)
    assert [update.tracklet_id for update in updates if update.final] == [1, 2]
    seen = {update.tracklet_id: [] for update in updates}
    for update in updates:
        seen[update.tracklet_id] += update.observations.frame_numbers.tolist()
    assert seen[1] == list(range(1, 11))
    assert seen[2] == list(range(11, 21))
