"""A model is tried, used and withdrawn: each step in one transaction, on record, and with a way back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.corrections.acts import Act, Outcome, Rollback, Stage
from hub.corrections.desk import request_correction
from hub.reader import SiteReader
from hub.records import ActId
from hub.rollout import Rollout, RolloutStep
from hub.site_hub import Hub
from passerby.errors import DataError
from passerby.ids import CameraId, ModelId
from tests.hub.corrections.operators import Operator
from tests.hub.people import MODEL, Sender, at, seen
from tests.hub.twins.made_up import OTHER, twins_of_all

HALL = CameraId("hall")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub.open(tmp_path) as hub:
        updates = [seen(n, "hall", tracklet=n, begin_s=5.0 * n, end_s=5.0 * n + 2, final=True) for n in (1, 2, 3)]
        hub.ingest(Sender().send(*updates), now_ns=at(20))
        yield hub


def ask(data: Path, hub: Hub, act: Act, *, request_id: str = "") -> Outcome:
    return Operator(data).ask(hub, act, now_ns=at(30), request_id=request_id)


def rollout(data: Path) -> Rollout:
    with SiteReader(data) as reader:
        return reader.rollout()


def take_all(data: Path, hub: Hub) -> None:
    with SiteReader(data) as reader:
        hub.take_twins([twins_of_all(reader)])


def test_a_model_goes_through_its_stages_and_back(tmp_path: Path, hub: Hub) -> None:
    assert rollout(tmp_path) == Rollout()
    ask(tmp_path, hub, Stage(model=OTHER, stage="shadow", reason="first try"))
    now = rollout(tmp_path)
    assert (now.deployed, now.candidate, now.stage, now.model_for(HALL)) == (MODEL, OTHER, "shadow", MODEL)
    ask(tmp_path, hub, Stage(model=OTHER, stage="canary", cameras=(HALL,)))
    now = rollout(tmp_path)
    assert (now.stage, now.model_for(HALL), now.model_for(CameraId("lobby"))) == ("canary", OTHER, MODEL)
    take_all(tmp_path, hub)
    outcome = ask(tmp_path, hub, Stage(model=OTHER, stage="promoted"), request_id="once")
    now = rollout(tmp_path)
    assert (now.deployed, now.former, now.candidate, now.stage) == (OTHER, MODEL, None, "promoted")
    assert ask(tmp_path, hub, Stage(model=OTHER, stage="promoted"), request_id="once") == outcome
    ask(tmp_path, hub, Rollback(reason="worse"))
    now = rollout(tmp_path)
    assert (now.deployed, now.former, now.candidate, now.withdrawn) == (MODEL, None, None, {OTHER})
    assert hub.state.rollout == now
    with SiteReader(tmp_path) as reader:
        assert [(one.stage, one.model_id, one.reason) for one in reader.rollout_history()] == [
            ("promoted", MODEL, "in use before"),
            ("shadow", OTHER, "first try"),
            ("canary", OTHER, ""),
            ("promoted", OTHER, ""),
            ("withdrawn", OTHER, "worse"),
        ]
        assert [type(done.act).__name__ for done in reader.acts()] == ["Stage", "Stage", "Stage", "Rollback"]
        assert reader.last_event_id() == 3  # nothing that could be undone by its event
    hub.close()
    with Hub.open(tmp_path) as again:
        assert again.state.rollout == now


def test_the_end_of_a_trial_leaves_what_is_in_use(tmp_path: Path, hub: Hub) -> None:
    ask(tmp_path, hub, Stage(model=OTHER, stage="canary", cameras=(HALL,)))
    ask(tmp_path, hub, Rollback())
    now = rollout(tmp_path)
    assert (now.deployed, now.candidate, now.cameras) == (MODEL, None, ())


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (Rollback(), "no model to go back to: no model was ever staged"),
        (Stage(model=MODEL, stage="shadow"), "made-up@1 is the model in use"),
        (Stage(model=ModelId("nothing"), stage="shadow"), "no model id, expected NAME@VERSION"),
        (Stage(model=OTHER, stage="canary"), "name at least one"),
        (Stage(model=OTHER, stage="canary", cameras=(CameraId("hal"),)), "never heard of camera 'hal'; it knows: hall"),
        (Stage(model=OTHER, stage="shadow", cameras=(HALL,)), "`shadow` is for all cameras"),
        (Stage(model=OTHER, stage="promoted"), "can compare 0 of the 3 tracklets that stand for people"),
        (Stage(model=OTHER, stage="shadow", reason="x" * 501), "no reason: at most 500"),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(tmp_path: Path, hub: Hub, act: Act, said: str) -> None:
    with pytest.raises(DataError, match=said):
        ask(tmp_path, hub, act)
    with SiteReader(tmp_path) as reader:
        assert (reader.rollout_history(), reader.acts()) == ([], [])


def test_force_promotes_whoever_is_lost(tmp_path: Path, hub: Hub) -> None:
    ask(tmp_path, hub, Stage(model=OTHER, stage="promoted", force=True))
    assert rollout(tmp_path).deployed == OTHER
    ask(tmp_path, hub, Rollback())
    with pytest.raises(DataError, match=r"made-up@1 is the only one"):
        ask(tmp_path, hub, Rollback())


def test_without_a_hub_it_is_done_all_the_same(tmp_path: Path, hub: Hub) -> None:
    hub.close()
    request_correction(tmp_path, Stage(model=OTHER, stage="shadow"))
    assert rollout(tmp_path).candidate == OTHER


def test_coverage_counts_who_can_be_compared(tmp_path: Path, hub: Hub) -> None:
    with SiteReader(tmp_path) as reader:
        before = reader.coverage(OTHER)
        assert (before.prototypes, before.native, before.from_crops, before.mapped, before.share) == (3, 0, 0, 0, 0.0)
        assert reader.coverage(MODEL).share == 1.0
        take_all(tmp_path, hub)
        after = reader.coverage(OTHER)
        assert (after.prototypes, after.from_crops, after.share) == (3, 3, 1.0)


STEPS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["shadow", "canary", "promoted", "withdrawn"])), max_size=12
)


@given(steps=STEPS, cut=st.integers(0, 12))
def test_the_state_is_a_function_of_the_log_however_it_is_cut(steps: list[tuple[str, str]], cut: int) -> None:
    log = [
        RolloutStep(
            number=n,
            at_ns=n,
            model_id=ModelId(f"{name}@1"),
            stage=stage,  # type: ignore[arg-type]
            cameras=(HALL,) if stage == "canary" else (),
            act_id=ActId(n),
        )
        for n, (name, stage) in enumerate(steps, 1)
    ]
    rollout = Rollout().after(log)
    assert Rollout().after(log[:cut]).after(log[cut:]) == rollout
    assert len(set(rollout.promoted)) == len(rollout.promoted)
    assert (rollout.candidate is None) == (rollout.trial is None)
    assert not rollout.withdrawn.intersection((*rollout.promoted, rollout.candidate))
    assert rollout.model_for(HALL) == (rollout.candidate if rollout.trial == "canary" else rollout.deployed)
    if log:
        last = log[-1]
        known = {"shadow": rollout.candidate, "canary": rollout.candidate, "promoted": rollout.deployed}
        assert last.stage == "withdrawn" or known[last.stage] == last.model_id
