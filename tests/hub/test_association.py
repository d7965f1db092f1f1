"""Who is who, from similarities and exclusions alone."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.association import Boundaries, LinkProblem, MergeProblem, Outcome, PlainAssociator, Thresholds, thresholds_for
from hub.association.grouping import constrained_groups
from passerby.errors import DataError
from passerby.ids import ModelId

NAN = float("nan")
LIMITS = Thresholds(link=0.6, candidate=0.5, keep=0.5)


class Unused(TypedDict):
    sizes: NDArray[np.int64]
    """What an association by similarities does not look at."""

    log_odds: NDArray[np.float64]
    same: NDArray[np.float64]
    one: NDArray[np.float64]
    settled: NDArray[np.bool_]
    boundaries: Boundaries


def unused(n: int, m: int) -> Unused:
    rng = np.random.default_rng((n, m))
    return Unused(
        log_odds=rng.normal(0, 3, (n, m)),
        sizes=rng.integers(0, 9, (n, m)),
        same=rng.random((n, n)),
        one=rng.random((m, m)),
        settled=rng.random(n) < 0.5,
        boundaries=Boundaries(),
    )


def problem(
    similarity: list[list[float]],
    *,
    current: list[int] | None = None,
    excluded: Sequence[tuple[int, int]] = (),
    conflict: Sequence[tuple[int, int]] = (),
    mutual: list[list[float]] | None = None,
) -> LinkProblem:
    array = np.array(similarity, float).reshape(len(similarity), len(similarity[0]) if similarity else 0)
    n, m = array.shape
    never, apart = np.zeros((n, m), bool), np.zeros((n, n), bool)
    for row, column in excluded:
        never[row, column] = True
    for a, b in conflict:
        apart[a, b] = apart[b, a] = True
    return LinkProblem(
        current=np.array(current or [-1] * n, np.int64),
        similarity=array,
        excluded=never,
        mutual_similarity=np.eye(n) if mutual is None else np.array(mutual, float),
        conflict=apart,
        thresholds=LIMITS,
        **unused(n, m),
    )


def merging(similarity: NDArray[np.float64], excluded: NDArray[np.bool_]) -> MergeProblem:
    return MergeProblem(
        similarity=similarity,
        log_odds=np.full(similarity.shape, np.nan),
        excluded=excluded,
        sizes=np.ones(len(similarity), np.int64),
        young=np.ones(len(similarity), bool),
        thresholds=LIMITS,
        boundaries=Boundaries(),
    )


def identities(given: LinkProblem) -> list[int]:
    return [answer.identity for answer in PlainAssociator().link(given)]


def test_no_tracklets_no_decisions() -> None:
    assert PlainAssociator().link(problem([])) == []


def test_without_identities_everybody_is_new() -> None:
    answers = PlainAssociator().link(problem([[], []]))
    assert [answer.outcome for answer in answers] == [Outcome.NEW, Outcome.NEW]
    assert [answer.group for answer in answers] == [0, 1]


def test_a_tracklet_goes_to_the_nearest_identity() -> None:
    answer = PlainAssociator().link(problem([[0.7, 0.9]]))[0]
    assert (answer.outcome, answer.identity) == (Outcome.LINKED, 1)
    assert (answer.likeness.similarity, answer.likeness.runner_up) == (0.9, 0.7)


@pytest.mark.parametrize(
    ("similarity", "outcome"),
    [(0.6, Outcome.LINKED), (0.59, Outcome.CANDIDATE), (0.5, Outcome.CANDIDATE), (0.49, Outcome.NEW)],
)
def test_three_outcomes_by_similarity(similarity: float, outcome: Outcome) -> None:
    assert PlainAssociator().link(problem([[similarity]]))[0].outcome is outcome


def test_an_excluded_identity_is_never_taken() -> None:
    assert identities(problem([[0.99, 0.7]], excluded=[(0, 0)])) == [1]
    answer = PlainAssociator().link(problem([[0.99]], excluded=[(0, 0)]))[0]
    assert (answer.outcome, answer.nearest) == (Outcome.NEW, -1)


def test_two_people_in_one_picture_do_not_share_an_identity() -> None:
    assert identities(problem([[0.9], [0.8]], conflict=[(0, 1)])) == [0, -1]


def test_the_joint_assignment_is_better_than_the_greedy_one() -> None:
    # Greedy: row 0 takes column 0, row 1 is left with 0.0. Together: 0.85 + 0.8.
    assert identities(problem([[0.9, 0.85], [0.8, 0.0]], conflict=[(0, 1)])) == [1, 0]


def test_two_that_only_a_third_connects_may_share_an_identity() -> None:
    # 0 and 2 came one after the other while 1 was there all the time.
    assert identities(problem([[0.9, 0.0], [0.0, 0.9], [0.8, 0.0]], conflict=[(0, 1), (1, 2)])) == [0, 1, 0]


def test_tracklets_without_a_conflict_share_an_identity() -> None:
    assert identities(problem([[0.9, 0.7], [0.8, 0.7]])) == [0, 0]


def test_a_link_is_kept_a_little_below_the_threshold_and_left_far_below() -> None:
    assert identities(problem([[0.55]], current=[0])) == [0]
    assert identities(problem([[0.45]], current=[0])) == [-1]


def test_who_is_all_there_is_of_an_identity_keeps_it_and_keeps_others_out() -> None:
    assert identities(problem([[NAN, 0.9], [0.9, 0.65]], current=[0, -1], conflict=[(0, 1)])) == [0, 1]


def test_the_new_that_are_alike_begin_one_identity_together() -> None:
    alike = [[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]]
    answers = PlainAssociator().link(problem([[], [], []], mutual=alike))
    assert [answer.group for answer in answers] == [0, 0, 1]


def test_the_new_that_were_seen_together_do_not() -> None:
    alike = [[1, 0.9], [0.9, 1]]
    answers = PlainAssociator().link(problem([[], []], mutual=alike, conflict=[(0, 1)]))
    assert [answer.group for answer in answers] == [0, 1]


def test_merging_respects_exclusions_through_a_third() -> None:
    similarity = np.array([[1, 0.9, NAN], [0.9, 1, 0.8], [NAN, 0.8, 1]])
    excluded = np.zeros((3, 3), bool)
    excluded[0, 2] = excluded[2, 0] = True
    assert PlainAssociator().merge(merging(similarity, excluded)).tolist() == [0, 0, 1]


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(DataError, match="excluded"):
        merging(np.eye(2), np.zeros((3, 3), bool))


def test_an_unknown_model_gets_cautious_thresholds() -> None:
    known = thresholds_for(ModelId("person-reidentification-retail-0277@abc"))
    assert thresholds_for(ModelId("who@1")).link > known.link > known.candidate


@st.composite
def problems(draw: st.DrawFn) -> LinkProblem:
    n, m = draw(st.integers(0, 6)), draw(st.integers(0, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    similarity = np.where(rng.random((n, m)) < 0.2, np.nan, rng.random((n, m)))
    conflict = np.triu(rng.random((n, n)) < 0.4, 1)
    mutual = np.triu(rng.random((n, n)), 1)
    return LinkProblem(
        current=rng.integers(-1, m, n) if m else np.full(n, -1),
        similarity=similarity,
        excluded=rng.random((n, m)) < 0.2,
        mutual_similarity=mutual + mutual.T + np.eye(n),
        conflict=conflict | conflict.T,
        thresholds=LIMITS,
        **unused(n, m),
    )


@settings(max_examples=200, deadline=None)
@given(given_problem=problems())
def test_no_assignment_ever_breaks_an_exclusion(given_problem: LinkProblem) -> None:
    answers = PlainAssociator().link(given_problem)
    founders = [
        c >= 0 and np.isnan(given_problem.similarity[row, c]) for row, c in enumerate(given_problem.current.tolist())
    ]
    for row, answer in enumerate(answers):
        if answer.outcome is Outcome.LINKED and not founders[row]:
            assert not given_problem.excluded[row, answer.identity]
            assert given_problem.similarity[row, answer.identity] >= LIMITS.keep
        for other in range(row):
            together = (answer.identity, answer.group) == (answers[other].identity, answers[other].group)
            if given_problem.conflict[row, other] and together:
                assert founders[row]
                assert founders[other]


def naive_groups(
    similarity: NDArray[np.float64], cannot: NDArray[np.bool_], *, threshold: float
) -> list[frozenset[int]]:
    groups = [frozenset([item]) for item in range(len(similarity))]
    while True:
        pairs = []
        for a in groups:
            for b in groups:
                if min(a) < min(b) and not any(cannot[i, j] for i in a for j in b):
                    mean = np.mean([similarity[i, j] for i in a for j in b])
                    if mean >= threshold:
                        pairs.append((-mean, min(a), min(b), a, b))
        if not pairs:
            return sorted(groups, key=min)
        _, _, _, a, b = min(pairs, key=lambda pair: pair[:3])
        groups = [group for group in groups if group not in (a, b)] + [a | b]


@settings(max_examples=100, deadline=None)
@given(n=st.integers(0, 7), seed=st.integers(0, 2**32 - 1))
def test_grouping_agrees_with_its_naive_twin(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((n, n)), 1)
    cannot = np.triu(rng.random((n, n)) < 0.2, 1)
    labels = constrained_groups(upper + upper.T, cannot | cannot.T, threshold=0.5)
    found = [frozenset(np.flatnonzero(labels == label).tolist()) for label in range(labels.max(initial=-1) + 1)]
    assert found == naive_groups(upper + upper.T, cannot | cannot.T, threshold=0.5)
