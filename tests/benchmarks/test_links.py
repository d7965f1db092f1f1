"""A link is wrong when most of the identity's other tracklets are of another person at that moment."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.judging.links import Link, Settled, TrueLinks
from hub.records import Event, EventId, EventKind, Evidence, Tracklet, TrackletNumber
from passerby.ids import BootId, CameraId, IdentityId, ModelId, TrackletId
from simulation.tapes.truth import Stretch, TapeTruth, TrackletTruth

BOOT = BootId(bytes(16))
ANN, BOB, THING = 1, 2, 0


def seen(number: int, *, end_s: float = 10.0) -> Tracklet:
    return Tracklet(
        number=TrackletNumber(number),
        boot_id=BOOT,
        tracklet_id=TrackletId(number),
        camera_id=CameraId("hall"),
        model_id=ModelId("m@1"),
        started_at_ns=0,
        ended_at_ns=round(end_s * 1e9),
        revision=1,
        final=True,
        open=False,
        exemplars=5,
        quality=1.0,
        clock_source="host",
        clock_error_ns=0,
        frame_width=640,
        frame_height=360,
        identity_id=None,
        prototype=False,
        opened_at_ns=0,
        updated_at_ns=0,
        embedding=np.zeros(2, np.float32),
    )


def follow(people: list[list[tuple[int, float]]], events: list[Event]) -> TrueLinks:
    """The links of a site of tracklets 1, 2, ..., each of (person, from when on) stretches, over after ten seconds."""
    truth = TapeTruth(
        tape_version=1, kind="default", kind_version=1, seed=1, network="", seconds=60.0, fps={}, start_ns=0,
        families={},
        tracklets=[
            TrackletTruth(
                boot=BOOT.hex(), tracklet=number, camera="hall", person=stretches[0][0], begin_s=0.0, end_s=10.0,
                stretches=[Stretch(person=p, begin_s=begin, end_s=10.0, sightings=1) for p, begin in stretches],
            )
            for number, stretches in enumerate(people, 1)
        ],
    )  # fmt: skip
    followed = TrueLinks({TrackletNumber(n): seen(n) for n in range(1, len(people) + 1)}, truth)
    followed.follow([replace(event, event_id=EventId(number)) for number, event in enumerate(events, 1)])
    return followed


def event(
    kind: EventKind, identity: int, tracklet: int | None = None, *, other: int | None = None, at_s: float = 5.0
) -> Event:
    return Event(
        event_id=EventId(0),
        at_ns=round(at_s * 1e9),
        kind=kind,
        identity_id=IdentityId(identity),
        other_identity_id=None if other is None else IdentityId(other),
        tracklet=None if tracklet is None else TrackletNumber(tracklet),
        evidence=Evidence(probability=0.9),
    )


def created(identity: int, tracklet: int) -> Event:
    return event(EventKind.CREATED, identity, tracklet)


def linked(identity: int, tracklet: int, *, at_s: float = 5.0, other: int | None = None) -> Event:
    return event(EventKind.LINKED, identity, tracklet, at_s=at_s, other=other)


def test_nothing_happened() -> None:
    followed = follow([], [])
    assert followed.links == []
    assert followed.settled == []


def test_links_are_right_or_wrong_by_the_majority_of_the_others() -> None:
    followed = follow(
        [[(ANN, 0.0)], [(ANN, 0.0)], [(BOB, 0.0)], [(BOB, 0.0)]],
        [created(1, 1), linked(1, 2), linked(1, 3), linked(1, 4)],
    )
    assert [link.wrong for link in followed.links] == [False, True, True]
    assert [link.order for link in followed.links] == [1, 2, 3]
    assert followed.links[0].probability == 0.9


def test_of_equally_many_the_first_one_counts() -> None:
    followed = follow(
        [[(ANN, 0.0)], [(BOB, 0.0)], [(ANN, 0.0)], [(BOB, 0.0)]], [created(1, 1), linked(1, 2), linked(1, 3)]
    )
    assert [link.wrong for link in followed.links] == [True, False]


@pytest.mark.parametrize(("at_s", "wrong"), [(2.0, False), (8.0, True)])
def test_who_a_tracklet_is_depends_on_the_moment(at_s: float, wrong: bool) -> None:
    followed = follow([[(ANN, 0.0)], [(ANN, 0.0), (BOB, 6.0)]], [created(1, 1), linked(1, 2, at_s=at_s)])
    assert [link.wrong for link in followed.links] == [wrong]


def test_a_tracklet_that_leaves_counts_where_it_is() -> None:
    followed = follow(
        [[(ANN, 0.0)], [(BOB, 0.0)], [(ANN, 0.0)]],
        [created(1, 1), linked(1, 3), created(2, 2), linked(2, 3, other=1), linked(1, 3, other=2)],
    )
    assert [link.wrong for link in followed.links] == [False, True, False]
    assert [link.order for link in followed.links] == [1, 1, 1]


def test_a_merge_is_one_link_of_majorities_and_moves_all() -> None:
    followed = follow(
        [[(ANN, 0.0)], [(BOB, 0.0)], [(BOB, 0.0)], [(BOB, 0.0)]],
        [created(1, 1), created(2, 2), linked(2, 3), event(EventKind.MERGED, 1, other=2), linked(1, 4)],
    )
    assert followed.links[1] == Link(3, 0.9, True, True)
    assert followed.links[2].wrong is False


def test_reach_is_asked_ten_seconds_after_the_end_of_each_tracklet_of_a_person() -> None:
    followed = follow(
        [[(ANN, 0.0)], [(ANN, 0.0)], [(BOB, 0.0)], [(THING, 0.0)], [(ANN, 0.0)]],
        [created(1, 1), linked(1, 2), linked(1, 3), created(2, 4), created(3, 5),
         event(EventKind.MERGED, 1, other=3, at_s=25.0)],
    )  # fmt: skip
    assert followed.settled == [
        Settled(0, False, True, True),
        Settled(1, True, True, True),
        Settled(2, False, True, False),
        Settled(4, True, False, False),
    ]
