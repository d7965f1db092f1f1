"""People are found across models: by twins, in both directions, and only where twins may count."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.association import PlainAssociator
from hub.corrections.acts import Erase, Merge, Stage, Undo
from hub.reader import SiteReader
from hub.records import EventId, EventKind, TrackletNumber
from hub.rehearsal import Rehearsal
from hub.site_hub import Hub
from passerby.config import AssociationSettings
from passerby.errors import DataError
from passerby.ids import IdentityId, ModelId
from tests.hub.corrections.operators import Operator, live
from tests.hub.fingerprint import fingerprint
from tests.hub.people import MODEL, Sender, at, look, seen
from tests.hub.twins.made_up import DIMENSIONS, OTHER, twins, twins_of_all

SETTINGS = AssociationSettings(forget_after_s=3600)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub.open(tmp_path, association=SETTINGS, associator=PlainAssociator()) as hub:
        yield hub


def see(
    hub: Hub, sender: Sender, person: int, *, at_s: float, model_id: ModelId, number: int, camera: str = "hall"
) -> int:
    """Let a person be seen for two seconds; gives whom the hub takes them for."""
    update = seen(
        person,
        camera,
        tracklet=10 * number + person,
        begin_s=at_s - 2,
        end_s=at_s,
        final=True,
        embedding=look(person, noise=0.2, seed=number, dimension=DIMENSIONS[model_id]),
        model_id=model_id,
    )
    hub.ingest(sender.send(update), now_ns=at(at_s))
    (identity,) = [t.identity_id for t in hub.state.tracklets.values() if t.tracklet_id == 10 * number + person]
    assert identity is not None
    return identity


@pytest.mark.parametrize(("before", "after"), [(MODEL, OTHER), (OTHER, MODEL)])
@pytest.mark.parametrize("mapped", [False, True])
def test_who_was_seen_before_the_switch_is_found_after_it(
    tmp_path: Path, hub: Hub, before: ModelId, after: ModelId, mapped: bool
) -> None:
    sender = Sender()
    first = [see(hub, sender, person, at_s=10.0 * person, model_id=before, number=person) for person in (1, 2, 3)]
    assert len(set(first)) == 3
    with SiteReader(tmp_path) as reader:
        assert hub.take_twins([twins_of_all(reader, model_id=after, mapped=mapped)]) == 3
    again = [
        see(hub, sender, person, at_s=100.0 + 10 * person, model_id=after, number=person + 3) for person in (1, 2, 3)
    ]
    assert again == first
    assert see(hub, sender, 4, at_s=200, model_id=after, number=9) not in first


def test_without_twins_nobody_is_found_across_models(hub: Hub) -> None:
    sender = Sender()
    one = see(hub, sender, 1, at_s=10, model_id=MODEL, number=1)
    assert see(hub, sender, 1, at_s=20, model_id=OTHER, number=2) != one


def test_two_who_were_begun_in_two_models_become_one_when_the_twin_comes(tmp_path: Path, hub: Hub) -> None:
    sender = Sender()
    one = see(hub, sender, 1, at_s=10, model_id=MODEL, number=1)
    other = see(hub, sender, 1, at_s=20, model_id=OTHER, number=2)
    assert one != other
    with SiteReader(tmp_path) as reader:
        hub.take_twins([twins_of_all(reader)])
    see(hub, sender, 5, at_s=25, model_id=OTHER, number=3)  # something happens, and the young are asked about
    assert live(hub.state)[1] == live(hub.state)[2] == one


def test_the_gallery_does_not_double_once_the_new_tracklets_have_twins(tmp_path: Path, hub: Hub) -> None:
    sender = Sender()
    for number in range(1, 5):
        one = see(hub, sender, 1, at_s=10.0 * number, model_id=MODEL, number=number)
    with SiteReader(tmp_path) as reader:
        hub.take_twins([twins_of_all(reader)])
    standing = lambda model: [t.number for t in hub.state.prototypes(IdentityId(one), model)]  # noqa: E731
    assert standing(MODEL) == standing(OTHER) == [2, 3, 4]
    for number in range(5, 9):
        see(hub, sender, 1, at_s=10.0 * number, model_id=OTHER, number=number)
    assert standing(MODEL) == [2, 3, 4]
    assert standing(OTHER) == [2, 3, 4, 6, 7, 8]
    with SiteReader(tmp_path) as reader:
        hub.take_twins([twins_of_all(reader, model_id=MODEL)])
    assert standing(MODEL) == standing(OTHER) == [6, 7, 8]


def test_a_twin_that_was_mapped_displaces_nobody_and_gives_way_to_one_of_pictures(tmp_path: Path, hub: Hub) -> None:
    sender = Sender()
    see(hub, sender, 1, at_s=10, model_id=MODEL, number=1)
    tracklet = hub.state.tracklets[TrackletNumber(1)]
    mapped, real = twins([(tracklet, 1)], mapped=True, noise=0.4), twins([(tracklet, 1)])
    assert [hub.take_twins([one]) for one in (mapped, mapped, real, real, mapped)] == [1, 0, 1, 0, 0]
    with SiteReader(tmp_path) as reader:
        (twin,) = reader.twins_of(TrackletNumber(1))
    assert (twin.model_id, twin.mapped, twin.embedding.tobytes()) == (OTHER, False, real.embeddings[0].tobytes())


def test_what_is_of_no_use_is_left_out(hub: Hub) -> None:
    sender = Sender()
    see(hub, sender, 1, at_s=10, model_id=MODEL, number=1)
    hub.ingest(sender.send(seen(2, tracklet=22, begin_s=10, end_s=12)), now_ns=at(12))
    closed, still_open = (hub.state.tracklets[TrackletNumber(n)] for n in (1, 2))
    nobody = replace(closed, number=TrackletNumber(99))
    changed = replace(closed, revision=7)
    for useless in (still_open, nobody, changed):
        assert hub.take_twins([twins([(useless, 1)])]) == 0
    assert hub.take_twins([twins([(closed, 1)], model_id=MODEL)]) == 0
    assert hub.take_twins([]) == 0
    assert hub.take_twins([twins([(closed, 1)])]) == 1


def test_twins_of_another_dimension_are_refused_and_change_nothing(hub: Hub) -> None:
    see(hub, Sender(), 1, at_s=10, model_id=MODEL, number=1)
    before = fingerprint(hub.state)
    made = twins([(hub.state.tracklets[TrackletNumber(1)], 1)])
    wrong = replace(made, model_id=MODEL)
    with pytest.raises(DataError, match=r"have 48 numbers, the model makes 32"):
        hub.take_twins([made, wrong])
    assert fingerprint(hub.state) == before


def test_a_tracklet_that_goes_on_loses_its_twins(tmp_path: Path, hub: Hub) -> None:
    sender = Sender()
    hub.ingest(sender.send(seen(1, tracklet=11)), now_ns=at(2))
    hub.tick(at(40))  # silent for so long: it is closed
    hub.take_twins([twins([(hub.state.tracklets[TrackletNumber(1)], 1)])])
    with SiteReader(tmp_path) as reader:
        assert len(reader.twins_of(TrackletNumber(1))) == 1
        hub.ingest(sender.send(seen(1, tracklet=11, revision=2, end_s=41)), now_ns=at(41))
        assert reader.twins_of(TrackletNumber(1)) == []
    assert hub.state.prototypes(IdentityId(1), OTHER) == []


def test_who_is_erased_is_in_no_space(tmp_path: Path, hub: Hub) -> None:
    sender = Sender()
    one = see(hub, sender, 1, at_s=10, model_id=MODEL, number=1)
    see(hub, sender, 2, at_s=20, model_id=MODEL, number=2)
    with SiteReader(tmp_path) as reader:
        made = twins_of_all(reader)
    hub.take_twins([made])
    Operator(tmp_path).ask(hub, Erase(identity=IdentityId(one)), now_ns=at(30))
    gone = made.embeddings[list(made.numbers).index(1)].tobytes()
    assert not any(gone in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    space = hub.state.spaces[OTHER]
    assert len(space) == 1
    assert space.twin(TrackletNumber(1)) is None
    assert space.statistics is not None
    assert [report.people for report in space.statistics.report()] == [1]
    assert hub.take_twins([made]) == 0
    with SiteReader(tmp_path) as reader:
        assert [twin.tracklet for twin in reader.twins_among([TrackletNumber(1), TrackletNumber(2)])] == [2]


def test_twins_of_who_was_out_of_mind_come_back_with_them(tmp_path: Path, hub: Hub) -> None:
    sender = Sender()
    for number in range(1, 7):
        one = see(hub, sender, 1, at_s=10.0 * number, model_id=MODEL, number=number)
    other = see(hub, sender, 2, at_s=70, model_id=MODEL, number=7)
    with SiteReader(tmp_path) as reader:
        hub.take_twins([twins_of_all(reader)])
    see(hub, sender, 3, at_s=1500, model_id=MODEL, number=8)
    assert 1 not in hub.state.tracklets
    operator = Operator(tmp_path)
    merged = operator.ask(hub, Merge(survivor=IdentityId(other), absorbed=IdentityId(one)), now_ns=at(1501))
    before = fingerprint(hub.state)
    hub.close()
    with Hub.open(tmp_path, association=SETTINGS, associator=PlainAssociator()) as again:
        assert fingerprint(again.state) == before
        operator.ask(again, Undo(event=merged.first_event or EventId(0)), now_ns=at(1502))
        assert [t.number for t in again.state.prototypes(IdentityId(one), OTHER)] == [4, 5, 6]


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("seen"),
            st.integers(0, 3),
            st.sampled_from(["hall", "lobby"]),
            st.sampled_from([0.5, 3.0, 50.0, 700.0]),
        ),
        st.tuples(st.just("twins"), st.sampled_from([MODEL, OTHER]), st.booleans(), st.booleans()),
        st.tuples(st.just("restart"), st.none(), st.none(), st.none()),
        st.tuples(st.just("erase"), st.integers(0, 5), st.none(), st.none()),
        st.tuples(st.just("merge"), st.integers(0, 5), st.integers(0, 5), st.none()),
    ),
    max_size=14,
)


def play(data: Path, steps: list[Any], *, restarts: bool) -> Any:
    """The fingerprint after some history in two models."""
    sender, operator = Sender(), Operator(data)
    hub = Hub.open(data, association=AssociationSettings(forget_after_s=900), associator=PlainAssociator())
    now_s = 10.0
    try:
        for number, step in enumerate(steps, 1):
            match step:
                case ("seen", person, camera, pause_s):
                    now_s += pause_s
                    model = (MODEL, OTHER)[(number // 4) % 2]
                    raw = look(person, noise=0.6, seed=number, dimension=DIMENSIONS[model])
                    final = number % 3 > 0
                    update = seen(
                        person,
                        camera,
                        tracklet=10 * (number if final else len(camera)) + person,
                        revision=number,
                        begin_s=now_s - 1,
                        end_s=now_s,
                        final=final,
                        embedding=raw,
                        model_id=model,
                    )
                    hub.ingest(sender.send(update), now_ns=at(now_s))
                case ("twins", model, mapped, half):
                    with SiteReader(data) as reader:
                        missing = reader.without_twin(model, most=2 if half else 1000)
                    made = twins([(t, t.tracklet_id % 10) for t in missing], model_id=model, mapped=mapped)
                    assert hub.take_twins([made]) == len(missing)
                    assert hub.take_twins([made]) == 0
                case ("restart", *_):
                    if restarts:
                        before = fingerprint(hub.state)
                        hub.close()
                        hub = Hub.open(
                            data, association=AssociationSettings(forget_after_s=900), associator=PlainAssociator()
                        )
                        assert fingerprint(hub.state) == before
                case (kind, first, second, _):
                    people = sorted(hub.state.identities)
                    if people:
                        one, other = people[first % len(people)], people[(second or 0) % len(people)]
                        act = Erase(identity=one) if kind == "erase" else Merge(survivor=one, absorbed=other)
                        try:
                            operator.ask(hub, act, now_ns=at(now_s))
                        except DataError:
                            assert one == other
        return fingerprint(hub.state)
    finally:
        hub.close()


ERASED_BEFORE_TWINS = [
    ("seen", 0, "hall", 0.5),
    ("erase", 0, None, None),
    ("seen", 1, "hall", 0.5),
    ("erase", 0, None, None),
    ("twins", OTHER, True, False),
    ("twins", MODEL, False, False),
    ("restart", None, None, None),
]
"""A space in which nobody is left is still the space of its model."""


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
@example(steps=ERASED_BEFORE_TWINS)
def test_restarts_make_no_difference_whatever_has_happened_in_two_spaces(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        straight = play(Path(folder) / "a", steps, restarts=False)
        assert play(Path(folder) / "b", steps, restarts=True) == straight


@settings(max_examples=15, deadline=None)
@given(
    people=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["hall", "lobby"]), st.booleans()), max_size=12),
    seed=st.integers(0, 99),
)
def test_in_the_shadow_nothing_depends_on_twins(people: list[tuple[int, str, bool]], seed: int) -> None:
    """Whatever the other model says: here it takes everybody for whomever it likes."""
    chance = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        logs = []
        for name in ("with", "without"):
            data, sender = Path(folder) / name, Sender()
            with Hub.open(data, association=SETTINGS, associator=PlainAssociator()) as hub:
                see(hub, sender, 9, at_s=5, model_id=MODEL, number=50)
                Operator(data).ask(hub, Stage(model=OTHER, stage="shadow"), now_ns=at(6), request_id="stage")
                events = []
                for number, (person, camera, final) in enumerate(people, 1):
                    raw = look(person, noise=1.0, seed=number)
                    update = seen(
                        person,
                        camera,
                        tracklet=number * 10,
                        begin_s=7.0 * number,
                        end_s=7.0 * number + 2,
                        final=final,
                        embedding=raw,
                    )
                    events += hub.ingest(sender.send(update), now_ns=at(7.0 * number + 2)).events
                    if name == "with":
                        with SiteReader(data) as reader:
                            missing = reader.without_twin(OTHER, most=1000)
                        hub.take_twins([twins([(t, int(chance.integers(2))) for t in missing])])
                logs.append((events, fingerprint(hub.state)))
        for _, one in logs:
            one["spaces"].pop(OTHER, None)
            one["knowledge"].pop(f"calibration {OTHER}", None)
        assert logs[0] == logs[1]


def test_a_rehearsal_takes_twins_as_a_hub_with_a_database_does(tmp_path: Path, hub: Hub) -> None:
    rehearsal = Rehearsal(association=SETTINGS, associator=PlainAssociator())
    for one in (hub, rehearsal.hub):
        sender = Sender()
        for number in range(1, 6):
            see(one, sender, number % 2, at_s=10.0 * number, model_id=MODEL, number=number)
        tracklets = sorted(one.state.tracklets.values(), key=lambda t: t.number)
        one.take_twins([twins([(t, t.tracklet_id % 10) for t in tracklets])])
        see(one, sender, 1, at_s=100, model_id=OTHER, number=6)
    assert fingerprint(rehearsal.state) == fingerprint(hub.state)
    with SiteReader(tmp_path) as reader:
        assert list(rehearsal.events) == list(reader.all_events())
        assert [one.kind for one in rehearsal.events][-1] is EventKind.LINKED
