"""What moving says of who a tracklet is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hub.association.topology import Topology
from hub.movement import Movement, Sightings, missed_since
from hub.records import Tracklet, TrackletNumber
from passerby.config import TransitSettings
from passerby.ids import BootId, CameraId, IdentityId, ModelId, TrackletId
from tests.hub.people import SECOND

HALL, YARD = CameraId("hall"), CameraId("yard")


def tracklet(camera: CameraId, *, begin_s: float, end_s: float) -> Tracklet:
    begin, end = (round(seconds * SECOND) for seconds in (begin_s, end_s))
    return Tracklet(
        number=TrackletNumber(begin),
        boot_id=BootId(bytes(16)),
        tracklet_id=TrackletId(1),
        camera_id=camera,
        model_id=ModelId("looks"),
        started_at_ns=begin,
        ended_at_ns=end,
        revision=1,
        final=True,
        open=False,
        exemplars=3,
        quality=0.8,
        clock_source="file",
        clock_error_ns=0,
        frame_width=640,
        frame_height=480,
        identity_id=IdentityId(1),
        prototype=True,
        opened_at_ns=begin,
        updated_at_ns=end,
        embedding=np.ones(4, np.float32) / 2,
    )


def movement(*words: TransitSettings) -> Movement:
    topology = Topology()
    for camera_id in (HALL, YARD):
        topology.know(camera_id)
    for word in words:
        topology.tell(word)
    return Movement(topology, asked=True)


LATE = tracklet(HALL, begin_s=1000.0, end_s=1005.0)


def test_long_absence_says_little_against_somebody_as_a_fragment_of_them_may_have_been_seen() -> None:
    absent = [tracklet(YARD, begin_s=990.0 - gap_s, end_s=1000.0 - gap_s) for gap_s in (5.0, 900.0)]
    short, long = movement().evidence(Sightings.of([LATE, LATE]), Sightings.of(absent)).tolist()
    assert np.log(0.28) < long < short


def test_what_an_operator_says_is_impossible_stays_so() -> None:
    never = movement(TransitSettings(before=YARD, after=HALL, never=True))
    long_ago = tracklet(YARD, begin_s=10.0, end_s=20.0)
    assert never.evidence(Sightings.of([LATE]), Sightings.of([long_ago]))[0] < -50.0


@given(st.lists(st.floats(-1e6, 1e9), min_size=2))
def test_who_is_seen_was_not_missed_and_the_longer_ago_the_more_were(gaps: list[float]) -> None:
    gap_s = np.sort(np.array(gaps))
    missed = missed_since(gap_s)
    assert (missed[gap_s <= 0.0] == 0.0).all()
    assert (np.diff(missed) >= 0.0).all()
    assert (missed < 0.3 + 1e-12).all()
