"""The state is told by the log alone: at any version, whatever has happened."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.association import PlainAssociator
from hub.corrections.acts import Act, Answer, Erase, Merge, Reject, Rename, Split, Undo
from hub.corrections.rebuilding import rebuild
from hub.history import DecisionHistory
from hub.reader import SiteReader
from hub.records import EventId, TrackletNumber
from hub.site_hub import Hub
from passerby.config import AssociationSettings
from passerby.errors import DataError
from passerby.ids import IdentityId
from tests.hub.corrections.operators import Operator, comparable, stored
from tests.hub.fingerprint import fingerprint
from tests.hub.people import Sender, at, seen

SETTINGS = AssociationSettings(forget_after_s=45)
SMALL = st.integers(0, 30)

SIGHTINGS = st.lists(
    st.tuples(
        st.integers(0, 3),  # person
        st.sampled_from(["hall", "lobby"]),
        st.booleans(),  # final
        st.sampled_from([0.1, 0.6, 1.2]),  # noise
    ),
    min_size=1,
    max_size=4,
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("seen"), SIGHTINGS, st.sampled_from([0.5, 3.0, 50.0])),
        st.tuples(st.sampled_from(["merge", "split", "reject", "rename", "undo", "undo", "answer"]), SMALL, SMALL),
        st.tuples(st.sampled_from(["erase", "restart"]), SMALL, SMALL),
    ),
    max_size=16,
)


def chosen(kind: str, first: int, second: int, *, data: Path) -> Act | None:
    """An act about what is there: mostly one that makes sense."""
    with SiteReader(data) as reader:
        people = [one.identity_id for one in reader.identities() if one.merged_into is None]
        tracklets = [t for t in reader.tracklets() if t.identity_id is not None]
        candidates = reader.candidates()
        last = reader.last_event_id()
    if not tracklets or not people:
        return None
    one, other = people[first % len(people)], people[second % len(people)]
    tracklet = tracklets[second % len(tracklets)]
    mine = tuple(t.number for t in tracklets if t.identity_id == one)
    act: Act | None = None
    match kind:
        case "merge":
            act = Merge(survivor=one, absorbed=other)
        case "split":
            act = Split(identity=one, tracklets=mine[: 1 + second % 2])
        case "reject":
            act = Reject(tracklet=tracklet.number, identity=one)
        case "rename":
            act = Rename(identity=one, name=None if second % 4 == 0 else f"name {second}")
        case "undo":
            act = Undo(event=EventId(max(1, last - first)))
        case "answer" if candidates:
            word = ("same", "different", "unsure")[second % 3]
            act = Answer(candidate=candidates[first % len(candidates)].event_id, answer=word)  # type: ignore[arg-type]
        case "erase":
            act = Erase(identity=one)
    return act


def run(data: Path, steps: list[Any], *, restarts: bool) -> tuple[Any, list[Any]]:
    """The fingerprint in the end, and after each step what is stored with the log's length then."""
    sender, operator, versions = Sender(), Operator(data), list[Any]()
    hub = Hub.open(data, association=SETTINGS, associator=PlainAssociator())
    now_s, tracklet = 10.0, 0
    try:
        for step in steps:
            match step:
                case ("seen", sightings, pause_s):
                    now_s += pause_s
                    updates = []
                    for person, camera, final, noise in sightings:
                        tracklet += 1
                        begin = now_s - 1
                        updates.append(
                            seen(
                                person, camera, tracklet=tracklet, begin_s=begin, end_s=now_s, final=final, noise=noise
                            )
                        )
                    hub.ingest(sender.send(*updates), now_ns=at(now_s))
                case ("restart", _, _):
                    if restarts:
                        before = fingerprint(hub.state)
                        hub.close()
                        hub = Hub.open(data, association=SETTINGS, associator=PlainAssociator())
                        assert fingerprint(hub.state) == before
                case (kind, first, second):
                    act = chosen(kind, first, second, data=data)
                    if act is not None:
                        with contextlib.suppress(DataError):
                            operator.ask(hub, act, now_ns=at(now_s))
            assert hub.state.constraints.broken() is None
            with SiteReader(data) as reader:
                versions.append((reader.last_event_id(), comparable(stored(data, hub.state.constraints))))
        return fingerprint(hub.state), versions
    finally:
        hub.close()


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_the_log_tells_the_state_at_any_version_whatever_has_happened(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, versions = run(Path(folder), steps, restarts=True)
        with SiteReader(Path(folder)) as reader:
            events = list(reader.all_events())
        for last, rows in versions:
            assert comparable(rebuild(events, upto=last)) == rows, last
        history = DecisionHistory(events)
        told = rebuild(events).tracklets
        assert {tracklet: history.last_identity(tracklet) for tracklet in told} == told


@settings(max_examples=15, deadline=None)
@given(steps=STEPS)
def test_a_restart_makes_no_difference_to_acts_nor_to_what_follows(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        straight = run(Path(folder) / "a", steps, restarts=False)
        assert run(Path(folder) / "b", steps, restarts=True) == straight


def test_an_empty_log_tells_of_nobody() -> None:
    told = rebuild([])
    assert (told.tracklets, told.identities) == ({}, {})
    assert told.constraints.must_be(TrackletNumber(1)) is None
    assert not told.constraints.cannot_be(TrackletNumber(1), IdentityId(1))
