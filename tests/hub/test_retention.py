"""What is kept longer than was meant goes, in small steps, and nothing else does."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hub.association import PlainAssociator
from hub.corrections.acts import Merge, Rename, Split, Undo
from hub.corrections.rebuilding import rebuild
from hub.database.storage import DatabaseStorage
from hub.enrolment.records import Look, Picture
from hub.enrolment.store import EnrolmentStore, read_enrolments
from hub.reader import SiteReader
from hub.records import EventKind, IdentityState, NameId, TrackletNumber
from hub.retention import AT_ONCE, FIRST_S, LOOK_S, STEP_S, Retention
from hub.site_hub import Hub
from passerby.config import AssociationSettings, RetentionSettings
from passerby.errors import DataError
from passerby.ids import IdentityId
from tests.hub.corrections.operators import Operator
from tests.hub.people import MODEL, Sender, at, look, seen

DAY_S = 86_400.0
YEAR = RetentionSettings(crops_days=30, tracklets_days=365)
ONE, TWO, THREE = IdentityId(1), IdentityId(2), IdentityId(3)


def opened(data: Path) -> Hub:
    return Hub.open(data, association=AssociationSettings(normalize="none"), associator=PlainAssociator())


def run_out(hub: Hub, data: Path, settings: RetentionSettings, *, day: float) -> int:
    """Let everything go that is due on a day; gives in how many steps."""
    retention, steps = Retention(hub, data, settings), 0
    while retention.step(now_ns=at(day * DAY_S)):
        steps += 1
    retention.close()
    return steps


def kept(data: Path, hub: Hub) -> tuple[list[int], list[int]]:
    """The numbers of tracklets, and of those with pictures."""
    assert isinstance(hub._storage, DatabaseStorage)
    crops = hub._storage._crops  # a process may open them once
    with SiteReader(data) as reader:
        numbers = [one.number for one in reader.tracklets()]
        return numbers, [number for number in range(1, 10) if crops.crop_ids(TrackletNumber(number))]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, Hub, Sender]]:
    """Person 1 is seen on day 0 and day 100, persons 2 and 3, who are one by an operator's word, on day 0."""
    data, sender = tmp_path / "data", Sender()
    hub = opened(data)
    first = [
        seen(n, tracklet=n, begin_s=10.0 * n, end_s=10.0 * n + 2, final=True, crops={1: b"x" * 99}) for n in (1, 2)
    ]
    third = seen(3, tracklet=3, begin_s=40, end_s=42, final=True, crops={1: b"x" * 99})
    for update in (*first, third):
        hub.ingest(sender.send(update), now_ns=at(50))
    operator = Operator(data)
    operator.ask(hub, Rename(identity=TWO, name="Ada"), now_ns=at(51))
    operator.ask(hub, Merge(survivor=TWO, absorbed=THREE), now_ns=at(52))
    again = seen(1, "lobby", tracklet=4, begin_s=100 * DAY_S, end_s=100 * DAY_S + 2, final=True, crops={1: b"x" * 99})
    hub.ingest(sender.send(again), now_ns=at(100 * DAY_S + 3))
    with EnrolmentStore(data, now_ns=at(0)) as enrolled:
        picture = Picture(look(7), 0.9, b"jpeg")
        enrolled.add("Bea", [Look((picture,))], model_id=MODEL, reason="guest", expires_at_ns=None)
    yield data, hub, sender
    hub.close()


def test_pictures_go_first_then_tracklets_then_the_people_of_whom_nothing_is_left(
    site: tuple[Path, Hub, Sender],
) -> None:
    data, hub, _ = site
    assert run_out(hub, data, YEAR, day=20) == 0
    assert run_out(hub, data, YEAR, day=110) == 1
    assert kept(data, hub) == ([1, 2, 3, 4], [4])
    assert run_out(hub, data, YEAR, day=400) == 2
    assert kept(data, hub) == ([4], [])
    with SiteReader(data) as reader:
        states = {one.identity_id: (one.state, one.name) for one in reader.identities()}
        assert states[TWO] == (IdentityState.ERASED, None)
        assert states[THREE] == (IdentityState.MERGED, None)
        erased = [event for event in reader.all_events() if event.kind is EventKind.ERASED]
        assert [(event.identity_id, event.act_id) for event in erased][-1] == (TWO, None)
        assert reader.name(NameId(1)) is None
        assert list(reader.constraints().assertions) == []
        told = rebuild(reader.all_events())
        assert {number: one.state for number, one in told.identities.items()} == {
            number: state for number, (state, _) in states.items()
        }
    assert [one.name for one in read_enrolments(data, now_ns=at(400 * DAY_S))] == ["Bea"]


def test_the_hub_goes_on_and_is_the_same_after_a_restart(site: tuple[Path, Hub, Sender]) -> None:
    data, hub, sender = site
    run_out(hub, data, YEAR, day=400)
    in_mind = sorted(hub.state.tracklets)
    hub.close()
    with opened(data) as other:
        assert sorted(other.state.tracklets) == in_mind
        assert run_out(other, data, YEAR, day=400) == 0
        update = seen(2, tracklet=9, begin_s=400 * DAY_S, end_s=400 * DAY_S + 2, final=True)
        events = other.ingest(sender.send(update), now_ns=at(400 * DAY_S + 3)).events
        assert EventKind.CREATED in {event.kind for event in events}
        merged = next(e for e in SiteReader(data).all_events() if e.kind is EventKind.MERGED)
        with pytest.raises(DataError, match="erased"):
            Operator(data).ask(other, Undo(event=merged.event_id), now_ns=at(400 * DAY_S + 4))
        run_out(other, data, YEAR, day=1000)
        assert kept(data, other) == ([], [])


def test_who_was_split_off_keeps_what_is_young_enough(site: tuple[Path, Hub, Sender]) -> None:
    data, hub, _ = site
    with SiteReader(data) as reader:
        last = reader.tracklet(TrackletNumber(4))
        first = reader.tracklet(TrackletNumber(1))
        assert last is not None
        assert first is not None
    if first.identity_id == last.identity_id:
        Operator(data).ask(hub, Split(identity=ONE, tracklets=(TrackletNumber(4),)), now_ns=at(101 * DAY_S))
    run_out(hub, data, YEAR, day=400)
    assert kept(data, hub)[0] == [4]


@pytest.mark.parametrize("settings", [RetentionSettings(crops_days=0, tracklets_days=0)])
def test_nothing_goes_where_all_is_kept(site: tuple[Path, Hub, Sender], settings: RetentionSettings) -> None:
    data, hub, _ = site
    assert run_out(hub, data, settings, day=99_999) == 0
    assert kept(data, hub) == ([1, 2, 3, 4], [1, 2, 3, 4])


def test_where_tracklets_go_sooner_their_pictures_go_with_them(site: tuple[Path, Hub, Sender]) -> None:
    data, hub, _ = site
    run_out(hub, data, RetentionSettings(crops_days=0, tracklets_days=50), day=110)
    assert kept(data, hub) == ([4], [4])


def test_much_goes_in_small_steps_and_none_waits_for_it_long(tmp_path: Path) -> None:
    data, sender, count = tmp_path / "data", Sender(), 3 * AT_ONCE
    with opened(data) as hub:
        updates = [
            seen(0, tracklet=n, begin_s=n, end_s=n + 0.6, final=True, embedding=np.roll(look(1), n))
            for n in range(count)
        ]
        hub.ingest(sender.send(*updates), now_ns=at(count + 5))
        begin = time.perf_counter()
        assert run_out(hub, data, YEAR, day=900) == 3
        assert time.perf_counter() - begin < 10, "some 20 ms a step on a machine that is not busy"
        assert kept(data, hub) == ([], [])
        assert hub.state.identities == {}


def test_it_begins_a_minute_after_the_start_and_rests_while_nothing_is_due(site: tuple[Path, Hub, Sender]) -> None:
    data, hub, _ = site
    retention = Retention(hub, data, YEAR)

    def look_at(now: float) -> list[int]:
        retention.look(now_ns=at(400 * DAY_S), now=now)
        return kept(data, hub)[0]

    assert look_at(5.0) == look_at(5.0 + FIRST_S - 1) == [1, 2, 3, 4]
    assert look_at(5.0 + FIRST_S) == [4]
    assert kept(data, hub)[1] == [4]
    look_at(5.0 + FIRST_S + STEP_S)
    assert kept(data, hub)[1] == []
    look_at(5.0 + FIRST_S + 2 * STEP_S)
    look_at(5.0 + FIRST_S + 2 * STEP_S + LOOK_S)
    retention.close()
