"""Who a tracklet most probably is: posteriors that add up, boundaries that hold, exclusions that are never broken."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.association import Boundaries, CalibratedAssociator, LinkProblem, MergeProblem, Outcome, Thresholds
from tests.hub.association.reference_assigning import posterior, right

NAN = float("nan")
UNUSED = Thresholds(link=0.6, candidate=0.5, keep=0.5)
MANY = 10**9
"""Tracklets of identities that are people for sure."""


def problem(
    log_odds: Sequence[Sequence[float]],
    *,
    current: Sequence[int] | None = None,
    excluded: Sequence[tuple[int, int]] = (),
    conflict: Sequence[tuple[int, int]] = (),
    same: Mapping[tuple[int, int], float] | None = None,
    one: Mapping[tuple[int, int], float] | None = None,
    settled: Sequence[int] = (),
    sizes: Sequence[int] | None = None,
    boundaries: Boundaries | None = None,
) -> LinkProblem:
    odds = np.array(log_odds, float).reshape(len(log_odds), len(log_odds[0]) if log_odds else 0)
    n, m = odds.shape
    never, apart = np.zeros((n, m), bool), np.zeros((n, n), bool)
    for row, column in excluded:
        never[row, column] = True
    for a, b in conflict:
        apart[a, b] = apart[b, a] = True
    return LinkProblem(
        current=np.full(n, -1, np.int64) if current is None else np.array(current, np.int64),
        similarity=np.full((n, m), 0.5),
        excluded=never,
        mutual_similarity=np.eye(n),
        conflict=apart,
        log_odds=odds,
        sizes=np.full((n, m), MANY) if sizes is None else np.tile(np.array(sizes, np.int64), (n, 1)),
        same=symmetric(np.zeros((n, n)), same),
        one=symmetric(np.eye(m), one),
        settled=np.isin(np.arange(n), settled),
        thresholds=UNUSED,
        boundaries=boundaries or Boundaries(),
    )


def symmetric(matrix: NDArray[np.float64], values: Mapping[tuple[int, int], float] | None) -> NDArray[np.float64]:
    for (a, b), value in (values or {}).items():
        matrix[a, b] = matrix[b, a] = value
    return matrix


def identities(given_problem: LinkProblem) -> list[int]:
    return [answer.identity for answer in CalibratedAssociator().link(given_problem)]


def test_no_tracklets_no_decisions() -> None:
    assert CalibratedAssociator().link(problem([])) == []


def test_without_identities_everybody_is_a_stranger_and_begins_alone() -> None:
    answers = CalibratedAssociator().link(problem([[], []]))
    assert [(one.outcome, one.nearest, one.stranger) for one in answers] == [(Outcome.NEW, -1, 1.0)] * 2
    assert len({one.group for one in answers}) == 2


@settings(max_examples=100, deadline=None)
@given(odds=st.lists(st.floats(-30, 30), min_size=1, max_size=6))
def test_all_identities_and_the_stranger_together_are_certain(odds: list[float]) -> None:
    answer = CalibratedAssociator().link(problem([odds]))[0]
    expected = posterior(odds)
    assert sum(expected) == pytest.approx(1.0)
    assert answer.best == pytest.approx(max(expected[:-1]))
    assert answer.stranger == pytest.approx(expected[-1])
    assert answer.probability == pytest.approx(expected[answer.nearest])


@settings(max_examples=50, deadline=None)
@given(odds=st.lists(st.floats(0, 10), min_size=1, max_size=5), alike=st.integers(1, 5))
def test_the_more_it_could_be_the_less_sure_each_of_them_is(odds: list[float], alike: int) -> None:
    alone = CalibratedAssociator().link(problem([odds]))[0].best
    among = CalibratedAssociator().link(problem([odds + [max(odds)] * alike]))[0].best
    assert alone is not None
    assert among is not None
    assert among < alone


@pytest.mark.parametrize(
    ("probability", "outcome"),
    [(0.91, Outcome.LINKED), (0.89, Outcome.CANDIDATE), (0.31, Outcome.CANDIDATE), (0.29, Outcome.NEW)],
)
def test_three_outcomes_by_probability(probability: float, outcome: Outcome) -> None:
    assert CalibratedAssociator().link(problem([[logit(probability)]]))[0].outcome is outcome


def test_two_equally_probable_are_for_a_person_to_say_however_good_both_are() -> None:
    assert CalibratedAssociator().link(problem([[20.0, 20.0]]))[0].outcome is Outcome.CANDIDATE


def test_a_link_is_kept_far_below_the_boundary_but_not_below_its_own() -> None:
    assert identities(problem([[logit(0.21)]], current=[0])) == [0]
    assert identities(problem([[logit(0.19)]], current=[0])) == [-1]


def test_who_is_all_there_is_of_an_identity_stays_and_keeps_out_who_was_seen_beside_them() -> None:
    # They look alike, and the second is compared with the first alone, who is that identity.
    assert identities(problem([[NAN], [6.0]], current=[0, -1], conflict=[(0, 1)])) == [0, -1]


def test_who_is_all_there_is_of_an_identity_may_still_turn_out_to_be_another() -> None:
    assert identities(problem([[NAN, 6.0]], current=[0])) == [1]


def test_of_two_who_exclude_each_other_the_better_claim_comes_first() -> None:
    # The first could be either, the second the first one alone.
    assert identities(problem([[6.0, 5.5], [7.0, -9.0]], conflict=[(0, 1)])) == [1, 0]


def test_who_is_left_without_the_better_claim_takes_it_from_nobody() -> None:
    answers = CalibratedAssociator().link(problem([[5.0, -9.0], [10.0, 6.0]], conflict=[(0, 1)]))
    assert answers[0].outcome is Outcome.NEW
    assert answers[1].identity == 0


def test_two_that_had_one_identity_and_are_now_seen_together_do_not_both_keep_it() -> None:
    found = identities(problem([[0.0], [-0.5]], current=[0, 0], conflict=[(0, 1)]))
    assert found.count(0) == 1


def test_what_is_not_known_is_not_possible() -> None:
    answer = CalibratedAssociator().link(problem([[NAN, NAN]]))[0]
    assert (answer.outcome, answer.nearest, answer.best) == (Outcome.NEW, -1, 0.0)


def test_huge_odds_are_certain_and_nothing_overflows() -> None:
    answers = CalibratedAssociator().link(problem([[1e6, -1e6], [-1e6, -1e6]]))
    assert (answers[0].identity, answers[0].probability) == (0, 1.0)
    assert (answers[1].outcome, answers[1].stranger) == (Outcome.NEW, 1.0)


def logit(probability: float) -> float:
    return float(np.log(probability / (1.0 - probability)))


@pytest.mark.parametrize("one", [0.0, 0.4, 0.8, 0.9, 1.0])
def test_fragments_of_one_person_are_no_rivals(one: float) -> None:
    answer = CalibratedAssociator().link(problem([[6.0, 6.0]], one={(0, 1): one}))[0]
    assert answer.outcome is (Outcome.LINKED if one > 0.8 else Outcome.CANDIDATE)
    assert answer.best == pytest.approx((1.0 - posterior([6.0, 6.0])[-1]) * (1.0 + one) / 2.0)


def test_a_third_that_is_no_fragment_stays_a_rival() -> None:
    assert identities(problem([[6.0, 6.0, 6.0]], one={(0, 1): 1.0})) == [-1]


def test_two_fragments_of_one_person_do_not_make_a_stranger_known() -> None:
    answer = CalibratedAssociator().link(problem([[-3.0, -3.0]], one={(0, 1): 1.0}))[0]
    assert answer.outcome is Outcome.NEW
    assert answer.best == pytest.approx(1.0 - posterior([-3.0, -3.0])[-1])


def test_a_fragment_that_is_not_possible_is_not_taken_for_what_the_other_is() -> None:
    assert identities(problem([[9.0, 0.0]], one={(0, 1): 1.0}, excluded=[(0, 0)])) == [-1]
    assert identities(problem([[9.0, NAN]], one={(0, 1): 1.0})) == [0]


@settings(max_examples=100, deadline=None)
@given(
    odds=st.lists(st.one_of(st.just(NAN), st.floats(-30, 30)), min_size=1, max_size=5),
    seed=st.integers(0, 2**32 - 1),
)
def test_how_probable_each_is_is_what_its_naive_twin_says(odds: list[float], seed: int) -> None:
    among = np.random.default_rng(seed).random((5, 5))
    one = {(i, j): float(among[i, j]) for i in range(len(odds)) for j in range(i)}
    answer = CalibratedAssociator().link(problem([odds], one=one))[0]
    expected = right(odds, one)
    assert answer.best == pytest.approx(max(expected))
    assert answer.stranger == pytest.approx(posterior([value for value in odds if not np.isnan(value)])[-1])
    if answer.nearest != -1:
        assert answer.probability == pytest.approx(expected[answer.nearest])


def test_who_is_not_known_is_with_whom_it_stands_on_one_spot() -> None:
    assert identities(problem([[NAN], [NAN]], current=[0, -1], same={(0, 1): 0.95})) == [0, 0]
    answer = CalibratedAssociator().link(problem([[NAN], [1.0]], current=[0, -1], same={(0, 1): 0.95}))[1]
    assert (answer.outcome, answer.identity, answer.nearest, answer.probability) == (Outcome.LINKED, 0, 0, 0.95)


def test_those_on_one_spot_may_come_in_any_order() -> None:
    assert identities(problem([[NAN], [NAN]], current=[-1, 0], same={(0, 1): 0.95})) == [0, 0]


def test_of_several_on_the_spot_the_surest_counts() -> None:
    same = {(0, 2): 0.92, (1, 2): 0.97}
    assert identities(problem([[NAN] * 2] * 3, current=[0, 1, -1], same=same)) == [0, 1, 1]


def test_whoever_is_hardly_on_the_spot_begins_alone() -> None:
    assert identities(problem([[NAN], [NAN]], current=[0, -1], same={(0, 1): 0.89})) == [0, -1]
    answers = CalibratedAssociator().link(problem([[], []], same={(0, 1): 0.89}))
    assert answers[0].group != answers[1].group


def test_strangers_on_one_spot_begin_one_identity_together() -> None:
    answers = CalibratedAssociator().link(problem([[], [], []], same={(0, 2): 0.95}))
    assert [(one.outcome, one.identity) for one in answers] == [(Outcome.NEW, -1)] * 3
    assert answers[0].group == answers[2].group != answers[1].group


def test_who_is_known_is_not_drawn_to_whoever_stands_on_the_spot() -> None:
    assert identities(problem([[NAN, NAN], [NAN, 6.0]], current=[0, -1], same={(0, 1): 0.99})) == [0, 1]


def test_an_identity_that_others_know_too_is_not_joined_for_the_spot_alone() -> None:
    # The first has a link that was made by what is known: who it is was weighed for the second as well.
    assert identities(problem([[6.0], [-6.0]], current=[0, -1], same={(0, 1): 0.99})) == [0, -1]


def test_who_leaves_for_another_does_not_leave_its_identity_to_the_other_on_the_spot() -> None:
    assert identities(problem([[NAN, 6.0], [NAN, NAN]], current=[0, -1], same={(0, 1): 0.99})) == [1, -1]


def test_the_spot_does_not_bring_together_who_was_seen_together() -> None:
    assert identities(problem([[NAN], [NAN]], current=[0, -1], same={(0, 1): 0.99}, conflict=[(0, 1)])) == [0, -1]
    answers = CalibratedAssociator().link(problem([[], []], same={(0, 1): 0.99}, conflict=[(0, 1)]))
    assert answers[0].group != answers[1].group


def test_two_that_were_seen_together_are_not_both_with_a_third() -> None:
    same = {(0, 1): 0.95, (0, 2): 0.95}
    answers = CalibratedAssociator().link(problem([[], [], []], same=same, conflict=[(1, 2)]))
    assert answers[0].group == answers[1].group != answers[2].group
    founded = problem([[NAN]] * 3, current=[0, -1, -1], same=same, conflict=[(1, 2)])
    assert identities(founded) == [0, 0, -1]


def test_the_spot_does_not_lead_to_an_identity_that_is_excluded() -> None:
    assert identities(problem([[NAN], [NAN]], current=[0, -1], same={(0, 1): 0.99}, excluded=[(1, 0)])) == [0, -1]


def test_who_is_settled_stays_far_below_the_boundaries_of_others() -> None:
    for odds in (logit(0.95), logit(0.5), logit(0.05), -40.0):
        assert identities(problem([[odds]], current=[0], settled=[0])) == [0]


def test_who_is_settled_leaves_only_where_it_is_surely_another() -> None:
    assert identities(problem([[1.0, 9.0]], current=[0], settled=[0])) == [1]
    assert identities(problem([[1.0, 2.0]], current=[0], settled=[0])) == [0], "not sure enough of the other"
    assert identities(problem([[6.5, 9.0]], current=[0], settled=[0])) == [0], "its own is still possible"
    assert identities(problem([[6.5, 9.0]], current=[0])) == [1], "or it would have gone"


def test_who_is_settled_keeps_out_who_was_seen_beside_them() -> None:
    both = problem([[2.0], [9.0]], current=[0, -1], settled=[0], conflict=[(0, 1)])
    assert identities(both) == [0, -1]


def test_who_is_settled_and_all_there_is_of_an_identity_stays_and_may_go() -> None:
    assert identities(problem([[NAN, 1.0]], current=[0], settled=[0])) == [0]
    assert identities(problem([[NAN, 9.0]], current=[0], settled=[0])) == [1]


def test_who_is_settled_and_cannot_leave_has_not_lost_its_identity_meanwhile() -> None:
    # The second is surely the third's identity, which the third keeps; the first would take what the second leaves.
    odds = [[9.0, NAN], [-9.0, 9.0], [NAN, 1.0]]
    blocked = problem(odds, current=[-1, 0, 1], settled=[1, 2], conflict=[(0, 1), (1, 2)])
    assert identities(blocked) == [-1, 0, 1]


def test_two_of_one_identity_that_are_now_seen_together_are_not_both_all_there_is_of_it() -> None:
    # Each is compared with all but the other, and there is nobody else.
    assert identities(problem([[NAN], [NAN]], current=[0, 0], conflict=[(0, 1)])).count(0) == 1


@st.composite
def problems(draw: st.DrawFn) -> LinkProblem:
    n, m = draw(st.integers(0, 6)), draw(st.integers(0, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    conflict = np.triu(rng.random((n, n)) < draw(st.sampled_from([0.2, 0.5, 1.0])), 1)
    conflict |= conflict.T
    current = rng.integers(-1, m, n) if m else np.full(n, -1)
    excluded = rng.random((n, m)) < 0.2
    # What has been decided before has broken nothing.
    settled = (current >= 0) & (rng.random(n) < draw(st.sampled_from([0.0, 0.5])))
    for row in np.flatnonzero(settled).tolist():
        excluded[row, current[row]] = False
        settled[row] = not (settled & conflict[row] & (current == current[row])).any()
    same, one = np.triu(rng.random((n, n)) ** 0.3, 1), np.triu(rng.random((m, m)), 1)
    same[rng.random((n, n)) < 0.5] = 0.0
    return LinkProblem(
        current=current,
        similarity=rng.random((n, m)),
        excluded=excluded,
        mutual_similarity=np.eye(n),
        conflict=conflict,
        log_odds=np.where(rng.random((n, m)) < 0.2, np.nan, rng.normal(2, 4, (n, m))),
        sizes=rng.integers(0, 9, (n, m)),
        same=same + same.T,
        one=one + one.T + np.eye(m),
        settled=settled,
        thresholds=UNUSED,
        boundaries=Boundaries(link=draw(st.sampled_from([0.6, 0.9, 0.995]))),
    )


@settings(max_examples=600, deadline=None)
@given(given_problem=problems())
def test_no_exclusion_is_ever_broken(given_problem: LinkProblem) -> None:
    answers = CalibratedAssociator().link(given_problem)
    current = given_problem.current
    founders = [c >= 0 and np.isnan(given_problem.log_odds[row, c]) for row, c in enumerate(current.tolist())]
    begun = {int(current[row]) for row, founder in enumerate(founders) if founder}
    for row, answer in enumerate(answers):
        if answer.identity == -1:
            assert answer.outcome in (Outcome.NEW, Outcome.CANDIDATE)
            assert not given_problem.settled[row]
        else:
            assert answer.outcome is Outcome.LINKED
            # Who is all there is of an identity has it whatever is said; nobody else gets what is excluded, and what is
            # not known only who stands on the spot of one who begins it.
            if not (founders[row] and answer.identity == current[row]):
                assert not given_problem.excluded[row, answer.identity]
                known = not np.isnan(given_problem.log_odds[row, answer.identity])
                assert known or answer.identity in begun
        for other in np.flatnonzero(given_problem.conflict[row]).tolist():
            assert (answers[other].identity, answers[other].group) != (answer.identity, answer.group)


@settings(max_examples=200, deadline=None)
@given(given_problem=problems())
def test_who_is_settled_moves_only_to_a_sure_other(given_problem: LinkProblem) -> None:
    answers = CalibratedAssociator().link(given_problem)
    for row in np.flatnonzero(given_problem.settled).tolist():
        answer, column = answers[row], int(given_problem.current[row])
        assert answer.outcome is Outcome.LINKED
        if answer.identity != column:
            assert answer.probability is not None
            assert answer.probability >= given_problem.boundaries.link


def merging(
    log_odds: Sequence[Sequence[float]],
    *,
    excluded: Sequence[tuple[int, int]] = (),
    sizes: Sequence[int] | None = None,
    link: float = 0.9,
) -> list[int]:
    odds = np.array(log_odds, float).reshape(len(log_odds), len(log_odds))
    never = np.zeros(odds.shape, bool)
    for a, b in excluded:
        never[a, b] = never[b, a] = True
    asked = MergeProblem(
        similarity=np.full(odds.shape, 0.5),
        log_odds=odds,
        excluded=never,
        sizes=np.full(len(odds), MANY) if sizes is None else np.array(sizes, np.int64),
        young=np.ones(len(odds), bool),
        thresholds=UNUSED,
        boundaries=Boundaries(link=link, merge=link),
    )
    return [int(group) for group in CalibratedAssociator().merge(asked)]


def test_two_that_are_surely_one_are_merged() -> None:
    assert merging([]) == []
    assert merging([[NAN]]) == [0]
    assert merging([[NAN, 5.0], [5.0, NAN]]) == [0, 0]
    assert merging([[NAN, 1.0], [1.0, NAN]]) == [0, 1]
    assert merging([[NAN, NAN], [NAN, NAN]]) == [0, 1]


def test_a_merge_knows_among_how_many_it_chooses() -> None:
    # Either of the first two could be the third: that is not for the hub to decide.
    assert merging([[NAN, NAN, 5.0], [NAN, NAN, 5.0], [5.0, 5.0, NAN]]) == [0, 1, 2]


def test_many_fragments_do_not_outweigh_the_person_whom_a_tracklet_is_like() -> None:
    # Nobody of forty who were seen once is like it, and it could yet be any of them.
    odds = [[4.0, *[0.0] * 40]]
    (answer,) = CalibratedAssociator().link(problem(odds))
    assert answer.outcome is not Outcome.LINKED
    (answer,) = CalibratedAssociator().link(problem(odds, sizes=[50, *[1] * 40], boundaries=Boundaries(link=0.75)))
    assert answer.identity == 0
    # What is seen of somebody outweighs how often they were seen.
    (answer,) = CalibratedAssociator().link(problem([[0.0, 6.0]], sizes=[50, 1]))
    assert answer.identity == 1


def test_many_fragments_do_not_keep_two_that_are_one_apart() -> None:
    n = 42
    odds = np.full((n, n), -6.0)
    odds[0, 1] = odds[1, 0] = 5.0
    odds[1, 2:] = odds[2:, 1] = -0.5
    assert merging(odds.tolist())[1] == 1
    assert merging(odds.tolist(), sizes=[50, 50, *[1] * 40], link=0.8)[:2] == [0, 0]


def test_of_three_two_are_merged_at_a_time() -> None:
    assert merging([[NAN, NAN, 9.0], [NAN, NAN, 5.0], [9.0, 5.0, NAN]]) == [0, 1, 0]


def test_two_that_were_seen_together_are_never_merged() -> None:
    assert merging([[NAN, 50.0], [50.0, NAN]], excluded=[(0, 1)]) == [0, 1]


@settings(max_examples=100, deadline=None)
@given(n=st.integers(0, 6), seed=st.integers(0, 2**32 - 1))
def test_merged_are_pairs_that_are_possible_and_probable(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    odds = np.triu(rng.normal(2, 5, (n, n)), 1)
    odds += odds.T
    excluded = [(i, j) for i in range(n) for j in range(i) if rng.random() < 0.3]
    groups = merging(odds.tolist(), excluded=excluded)
    assert list(dict.fromkeys(groups)) == list(range(len(set(groups)))), "numbered in the order of first use"
    for group in set(groups):
        members = [i for i, one in enumerate(groups) if one == group]
        assert len(members) <= 2
        if len(members) == 2:
            assert (members[1], members[0]) not in excluded
            assert posterior([odds[members[0], members[1]]])[0] >= 0.9
