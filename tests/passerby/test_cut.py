"""The cut is where the grouping is likeliest, and that is where people are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster import hierarchy

from passerby.errors import DataError
from passerby.features.clustering.cut import agreement, alone, choose_cut
from passerby.features.clustering.likelihood import cells, log_likelihood
from tests import reference_linkage as reference


@settings(deadline=None)
@given(
    count=st.integers(1, 14),
    axes=st.integers(1, 3),
    people=st.integers(1, 5),
    cameras=st.integers(1, 3),
    seed=st.integers(0, 999),
)
def test_the_likelihood_is_that_of_the_gaussian_written_out(count, axes, people, cameras, seed):
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, people, count)
    rows = (draw.normal(size=(people, axes))[labels] + 0.5 * draw.normal(size=(count, axes))).astype(np.float32)
    seen_by = draw.integers(0, cameras, count)
    levels = [cells(cells(labels, seen_by), draw.integers(0, 2, count)), cells(labels, seen_by), labels]

    found = log_likelihood(rows, levels)

    expected = reference.nested_likelihood(rows.astype(np.float64), levels)
    if np.isfinite(expected):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-4)
    else:
        assert found == expected


def _seen(*, people, cameras, tracklets, draw, within=0.35, by_camera=0.35, axes=24):
    """Rows of tracklets: person + what the camera makes of them + noise."""
    labels = np.repeat(np.arange(people), cameras * tracklets)
    seen_by = np.tile(np.repeat(np.arange(cameras), tracklets), people)
    there = by_camera * draw.normal(size=(people * cameras, axes))
    noise = within * draw.normal(size=(len(labels), axes))
    rows = draw.normal(size=(people, axes))[labels] + there[labels * cameras + seen_by] + noise
    return rows.astype(np.float32), labels, seen_by


def _tree(rows):
    tree = hierarchy.linkage(rows.astype(np.float64), "average")
    heights = np.linspace(0.0, tree[:, 2].max() * 1.01, 60)
    return heights, lambda height: hierarchy.fcluster(tree, height, "distance") - 1


@pytest.mark.parametrize("people", [5, 20, 60])
@pytest.mark.parametrize("cameras", [1, 2, 6])
def test_people_are_found(people, cameras):
    rows, labels, seen_by = _seen(people=people, cameras=cameras, tracklets=3, draw=np.random.default_rng(people))
    heights, grouped_at = _tree(rows)

    cut = choose_cut(heights, grouped_at, rows=rows, cameras=seen_by, tracklets=True)

    assert agreement(grouped_at(cut.value), labels) > 0.95
    assert cut.agreement > 0.9


def test_looking_alike_within_a_camera_is_not_being_somebody():
    draw = np.random.default_rng(3)
    rows, labels, seen_by = _seen(people=20, cameras=4, tracklets=4, draw=draw, within=0.1, by_camera=0.5)
    heights, grouped_at = _tree(rows)

    cut = choose_cut(heights, grouped_at, rows=rows, cameras=seen_by, tracklets=True)

    assert agreement(grouped_at(cut.value), labels) > 0.95
    assert agreement(grouped_at(cut.value), cells(labels, seen_by)) < 0.5


def test_pictures_taken_one_after_the_other_are_not_people():
    draw = np.random.default_rng(4)
    rows, labels, seen_by = _seen(people=20, cameras=3, tracklets=2, draw=draw, within=0.5, by_camera=0.2)
    shots = np.repeat(np.arange(len(rows)), 4)
    pictures = (rows[shots] + 0.05 * draw.normal(size=(len(shots), rows.shape[1]))).astype(np.float32)
    heights, grouped_at = _tree(pictures)

    cut = choose_cut(heights, grouped_at, rows=pictures, cameras=seen_by[shots], tracklets=False)

    assert agreement(grouped_at(cut.value), labels[shots]) > 0.95


def test_a_common_offset_of_all_rows_does_not_matter():
    rows, _, seen_by = _seen(people=10, cameras=2, tracklets=3, draw=np.random.default_rng(5))
    heights, grouped_at = _tree(rows)
    here = choose_cut(heights, grouped_at, rows=rows, cameras=seen_by, tracklets=True)
    there = choose_cut(heights, grouped_at, rows=rows + 8.0, cameras=seen_by, tracklets=True)
    assert there.value == here.value


@pytest.mark.parametrize("tracklets", [True, False])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_equal_rows_and_nobody_grouped_give_some_value(count, tracklets):
    equal = np.ones((count, 4), np.float32)
    cameras = np.zeros(count, np.int64)
    for grouped_at in (lambda _: np.full(count, -1), lambda _: np.arange(count), lambda _: np.zeros(count, np.int64)):
        cut = choose_cut((0.1, 0.2, 0.3), grouped_at, rows=equal, cameras=cameras, tracklets=tracklets)
        assert cut.value == 0.2
        assert not np.isnan(cut.likelihood)


def test_two_values_are_too_few():
    with pytest.raises(DataError, match="2 values are given to choose a cut from, expected at least 3"):
        choose_cut(
            (0.1, 0.2), np.arange, rows=np.ones((2, 2), np.float32), cameras=np.zeros(2, np.int64), tracklets=True
        )


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=20))
def test_agreement_is_the_one_of_counting_pairs(rows):
    some, others = np.array(rows, np.int64).reshape(-1, 2).T
    assert agreement(some, others) == pytest.approx(reference.adjusted_rand_index(some, others))


def test_who_is_nobodys_is_a_group_of_one():
    assert alone(np.array([-1, 2, -1, 2])).tolist() == [3, 2, 4, 2]
    assert alone(np.zeros(0, np.int64)).tolist() == []
