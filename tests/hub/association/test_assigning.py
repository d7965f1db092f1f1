"""Joint assignment: nobody in two places, and the total about the greatest that there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.association.assigning import NOBODY, assign_jointly
from tests.hub.association.reference_assigning import best_total


def total(gain: NDArray[np.float64], chosen: NDArray[np.int64]) -> float:
    rows = np.flatnonzero(chosen != NOBODY)
    return float(gain[rows, chosen[rows]].sum())


def drawn(seed: int, *, n: int, m: int, conflicts: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    gain = np.where(rng.random((n, m)) < 0.2, -np.inf, rng.normal(1.0, 2.0, (n, m)))
    upper = np.triu(rng.random((n, n)) < conflicts, 1)
    return gain, upper | upper.T


SIZES = {"n": st.integers(0, 5), "m": st.integers(0, 4), "seed": st.integers(0, 2**32 - 1)}


@settings(max_examples=150, deadline=None)
@given(**SIZES)
def test_among_people_who_all_exclude_each_other_no_assignment_is_better(n: int, m: int, seed: int) -> None:
    gain, conflict = drawn(seed, n=n, m=m, conflicts=1.0)
    assert total(gain, assign_jointly(gain, conflict)) == pytest.approx(best_total(gain, conflict))


@settings(max_examples=150, deadline=None)
@given(**SIZES)
def test_where_nobody_excludes_anybody_each_takes_the_best(n: int, m: int, seed: int) -> None:
    gain, conflict = drawn(seed, n=n, m=m, conflicts=0.0)
    assert total(gain, assign_jointly(gain, conflict)) == pytest.approx(best_total(gain, conflict))


@settings(max_examples=200, deadline=None)
@given(**SIZES, conflicts=st.sampled_from([0.2, 0.5, 0.8]))
def test_no_two_in_conflict_share_and_nothing_impossible_is_taken(n: int, m: int, seed: int, conflicts: float) -> None:
    gain, conflict = drawn(seed, n=n, m=m, conflicts=conflicts)
    chosen = assign_jointly(gain, conflict)
    for i, j in zip(*np.nonzero(conflict), strict=True):
        assert chosen[i] == NOBODY or chosen[i] != chosen[j]
    taken = np.flatnonzero(chosen != NOBODY)
    assert (gain[taken, chosen[taken]] >= 0).all()
    best = best_total(gain, conflict)
    # One to one is exact, and moving on from there only adds: half of the best is far below what it ever gave.
    assert best / 2 <= total(gain, chosen) <= best + 1e-9


def test_those_who_do_not_wait_get_nothing_and_take_nothing_away() -> None:
    gain, conflict = np.array([[5.0], [4.0]]), ~np.eye(2, dtype=bool)
    assert assign_jointly(gain, conflict, waiting=np.array([False, True])).tolist() == [NOBODY, 0]


def test_equal_gains_are_shared_out_the_same_way_every_time() -> None:
    gain, conflict = np.ones((3, 2)), ~np.eye(3, dtype=bool)
    first = assign_jointly(gain, conflict)
    assert sorted(first.tolist()) == [NOBODY, 0, 1]
    assert all(assign_jointly(gain, conflict).tolist() == first.tolist() for _ in range(5))


def test_huge_gains_take_nothing_impossible() -> None:
    gain = np.array([[1e12, -np.inf], [1e12, -np.inf]])
    assert sorted(assign_jointly(gain, ~np.eye(2, dtype=bool)).tolist()) == [NOBODY, 0]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nobody_or_nothing_to_choose(shape: tuple[int, int]) -> None:
    chosen = assign_jointly(np.zeros(shape), np.zeros((shape[0], shape[0]), bool))
    assert chosen.tolist() == [NOBODY] * shape[0]
