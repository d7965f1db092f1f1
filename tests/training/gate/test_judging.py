"""Which candidates the gate lets through, and what must not change its mind."""

import dataclasses

import numpy as np
import pytest

from passerby.adaptation.verdict import Figure, Verdict
from passerby.arrays import Float32Array, Int64Array
from passerby.errors import DataError
from tests.training.gate.made_sites import made_embeddings, made_site
from training.gate.guarding import GuardSet
from training.gate.holding_out import hold_out
from training.gate.judging import judge

SNAPSHOT, WHO = made_site()
_, HELD_OUT = hold_out(SNAPSHOT, 0.3, seed=1)
PARENT = made_embeddings(SNAPSHOT, WHO, noise=1.6)
BETTER = made_embeddings(SNAPSHOT, WHO, noise=1.1)
RANDOM = np.random.default_rng(1).normal(size=PARENT.shape).astype(np.float32)


def verdict_of(candidate: Float32Array, *, held_out: Int64Array = HELD_OUT, parent: Float32Array = PARENT) -> Verdict:
    return judge(SNAPSHOT, held_out, parent=parent, candidate=candidate, guard=None, seed=1)


def figure(verdict: Verdict, name: str) -> Figure:
    return next(each for each in verdict.figures if each.name == name)


def test_a_truly_better_model_passes_and_says_why() -> None:
    verdict = verdict_of(BETTER)
    assert verdict.passed
    assert verdict.headline == "Promote"
    assert verdict.reasons[0].startswith("Better: hub's links, spreads apart from ")
    assert not any(each.regressed for each in verdict.figures)
    assert verdict.cameras == ["cam-0", "cam-1", "cam-2"]
    assert verdict.tracklets == len(HELD_OUT)


def test_the_same_model_is_no_better() -> None:
    verdict = verdict_of(PARENT)
    assert not verdict.passed
    assert len(verdict.reasons) == 1
    assert verdict.reasons[0].startswith("No better: ")
    measured = [each for each in verdict.figures if each.enough]
    assert [each.change for each in measured] == [0.0] * len(measured)
    assert not any(each.improved or each.regressed for each in verdict.figures)


@pytest.mark.parametrize("seed", range(5))
def test_a_worse_model_is_refused(seed: int) -> None:
    snapshot, who = made_site(seed=seed)
    _, held_out = hold_out(snapshot, 0.3, seed=seed)
    parent, worse = (made_embeddings(snapshot, who, noise=noise, seed=seed) for noise in (1.2, 1.6))
    verdict = judge(snapshot, held_out, parent=parent, candidate=worse, guard=None, seed=seed)
    assert not verdict.passed
    assert verdict.reasons[0].startswith("Worse: ")


COLLAPSED = (np.ones_like(PARENT) + 1e-4 * PARENT[:, :1]).astype(np.float32)
SHUFFLED = BETTER[np.random.default_rng(2).permutation(len(BETTER))]


@pytest.mark.parametrize("candidate", [COLLAPSED, RANDOM, SHUFFLED], ids=["collapsed", "random", "shuffled"])
def test_a_broken_model_is_refused(candidate: Float32Array) -> None:
    verdict = verdict_of(candidate)
    assert not verdict.passed
    assert verdict.reasons[0].startswith("Worse: ")


def test_a_collapsed_model_uses_no_directions() -> None:
    assert figure(verdict_of(COLLAPSED), "directions used").regressed


@pytest.mark.parametrize(("value", "said"), [(np.nan, "no numbers"), (np.inf, "no numbers"), (0.0, "but zeros")])
def test_embeddings_that_cannot_be_compared_are_a_refusal(value: float, said: str) -> None:
    broken = BETTER.copy()
    broken[5:8] = value
    verdict = verdict_of(broken)
    assert not verdict.passed
    assert verdict.figures == []
    assert said in verdict.reasons[0]
    assert "3 of" in verdict.reasons[0]


def test_axes_of_the_raw_space_may_change_places_and_signs() -> None:
    """The hub's scale is by axis: axes may change places and signs."""
    draw = np.random.default_rng(3)
    turned = (BETTER[:, draw.permutation(BETTER.shape[1])] * draw.choice([-1, 1], BETTER.shape[1])).astype(np.float32)
    for one, other in zip(verdict_of(BETTER).figures, verdict_of(turned).figures, strict=True):
        assert one.after == pytest.approx(other.after, abs=1e-5)


def test_neither_the_order_of_the_held_out_nor_the_number_of_dimensions_matters() -> None:
    draw = np.random.default_rng(3)
    wider = np.concatenate([BETTER, np.zeros_like(BETTER)], axis=1)
    expected = verdict_of(BETTER)
    assert verdict_of(BETTER, held_out=draw.permutation(HELD_OUT)) == expected
    for one, other in zip(expected.figures, verdict_of(wider).figures, strict=True):
        assert (one.regressed, one.improved) == (other.regressed, other.improved)


def test_too_few_tracklets_cannot_tell() -> None:
    verdict = verdict_of(BETTER, held_out=HELD_OUT[:30])
    assert not verdict.passed
    assert verdict.reasons == ["Cannot tell: 30 tracklets were held out, 40 are needed."]
    assert not verdict_of(BETTER, held_out=np.zeros(0, np.int64)).passed


def test_one_camera_cannot_tell() -> None:
    snapshot, who = made_site(cameras=1)
    parent, better = (made_embeddings(snapshot, who, noise=noise) for noise in (1.6, 0.8))
    rows = np.arange(60)
    verdict = judge(snapshot, rows, parent=parent, candidate=better, guard=None, seed=1)
    assert not verdict.passed
    assert verdict.reasons == [
        "Cannot tell: 10 held-out tracklets are needed in each of two cameras, and 1 of 1 has them."
    ]


def test_few_people_cannot_tell() -> None:
    snapshot, who = made_site(people=6, visits=20, taken_for_one=1.0)
    parent, better = (made_embeddings(snapshot, who, noise=noise) for noise in (1.6, 0.8))
    verdict = judge(snapshot, np.arange(snapshot.tracklets), parent=parent, candidate=better, guard=None, seed=1)
    assert verdict.reasons == ["Cannot tell: the 120 held-out tracklets are of 6 people, 8 are needed."]


def test_without_links_corrections_or_views_apart_little_can_be_told() -> None:
    snapshot = dataclasses.replace(SNAPSHOT, identities=np.full(SNAPSHOT.tracklets, -1))
    verdict = judge(snapshot, HELD_OUT, parent=PARENT, candidate=BETTER, guard=None, seed=1)
    assert not figure(verdict, "hub's links, spreads apart").enough
    assert not verdict.passed


def test_operators_corrections_are_agreed_with() -> None:
    rows = HELD_OUT
    same = WHO[rows][:, None] == WHO[rows]
    elsewhere = SNAPSHOT.camera_rows[rows][:, None] != SNAPSHOT.camera_rows[rows]
    together = rows[np.argwhere(np.triu(same & elsewhere, 1))[:20]]
    apart = rows[np.argwhere(np.triu(~same & elsewhere, 1))[::40][:20]]
    snapshot = dataclasses.replace(SNAPSHOT, together=together, apart=apart)
    verdict = judge(snapshot, rows, parent=PARENT, candidate=BETTER, guard=None, seed=1)
    found = figure(verdict, "operators' corrections")
    assert found.enough
    assert found.before is not None
    assert found.after is not None
    assert found.after > found.before > 0.5


def guard_of(*, worse: bool) -> tuple[GuardSet, Float32Array, Float32Array]:
    snapshot, who = made_site(people=25, visits=6, crops=2, seed=9)
    guard = GuardSet("made-up people", who[snapshot.crop_tracklets], snapshot.crop_cameras)
    before = made_embeddings(snapshot, who, noise=1.2, seed=9)
    return guard, before, made_embeddings(snapshot, who, noise=2.5 if worse else 1.2, seed=9)


def test_what_is_forgotten_elsewhere_refuses() -> None:
    kept, lost = (
        judge(SNAPSHOT, HELD_OUT, parent=PARENT, candidate=BETTER, guard=guard_of(worse=worse), seed=1)
        for worse in (False, True)
    )
    assert kept.passed
    assert figure(kept, "guard mAP").change == 0.0
    assert not lost.passed
    assert any(reason.startswith("Worse: guard mAP from ") for reason in lost.reasons)
    assert [picture.name for picture in lost.pictures][-1] == "CMC, made-up people"


def test_a_guard_set_of_one_camera_guards_nothing() -> None:
    guard, before, after = guard_of(worse=False)
    alone = GuardSet(guard.name, guard.people, np.zeros_like(guard.cameras))
    with pytest.raises(DataError, match=r"none of 300 crops has a match in another camera"):
        judge(SNAPSHOT, HELD_OUT, parent=PARENT, candidate=BETTER, guard=(alone, before, after), seed=1)


def test_input_of_another_shape_is_said() -> None:
    with pytest.raises(DataError, match="candidate has shape"):
        verdict_of(BETTER[:-1])
    with pytest.raises(DataError, match="held_out has rows 0 to 400, the snapshot has 400"):
        verdict_of(BETTER, held_out=np.array([0, 400]))
    with pytest.raises(DataError, match="parent holds NaN"):
        verdict_of(BETTER, parent=np.full_like(PARENT, np.nan))
