"""What is known before clustering: who is one person, and who are two."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.errors import DataError
from passerby.features.clustering.constraints import nodes_of, seen_at_once
from tests import reference_linkage as reference


def _pairs(*pairs):
    return np.array(pairs, np.int64).reshape(-1, 2)


def test_a_tracklet_is_one_node_with_the_mean_of_its_crops():
    features = np.array([[3.0, 0.0], [0.0, 2.0], [0.0, 5.0], [0.0, -1.0]], np.float32)

    nodes = nodes_of(np.array([8, 8, 8, 2]))

    assert nodes.node_of.tolist() == [0, 0, 0, 1]
    assert nodes.weights.tolist() == [3, 1]
    expected = np.array([1.0, 2.0]) / np.sqrt(5.0)
    np.testing.assert_allclose(nodes.features(features), [expected, [0.0, -1.0]], atol=1e-7)
    assert nodes.of_nodes(np.array([4, 4, 4, 6])).tolist() == [4, 6]
    assert nodes.to_crops(np.array([5, -1])).tolist() == [5, 5, 5, -1]


def test_an_operator_joins_tracklets_of_a_chain():
    nodes = nodes_of(np.array([1, 2, 3, 4]), must_link=_pairs((1, 4), (4, 2)))
    assert nodes.node_of.tolist() == [0, 0, 1, 0]


def test_pairs_that_are_two_people_are_of_nodes_and_named_once():
    nodes = nodes_of(
        np.array([1, 2, 3, 3]), must_link=_pairs((1, 2)), cannot_link=_pairs((3, 1), (2, 3), (1, 3), (3, 1))
    )
    assert nodes.cannot_link.tolist() == [[0, 1]]


def test_a_contradiction_names_the_two():
    with pytest.raises(DataError, match="tracklets 1 and 3 must be one person and must not be"):
        nodes_of(np.array([1, 2, 3]), must_link=_pairs((1, 2), (2, 3)), cannot_link=_pairs((1, 3)))
    with pytest.raises(DataError, match="tracklet 2 must not be linked with itself"):
        nodes_of(np.array([1, 2, 3]), cannot_link=_pairs((2, 2)))


@pytest.mark.parametrize("name", ["must_link", "cannot_link"])
def test_a_tracklet_without_crops_is_named(name):
    with pytest.raises(DataError, match=rf"{name} has the pair \(2, 5\), of whose tracklet 5 there is no crop"):
        nodes_of(np.array([1, 2, 9]), **{name: _pairs((1, 2), (2, 5))})


def test_nobody_is_no_node():
    nodes = nodes_of(np.zeros(0, np.int64))
    assert len(nodes) == 0
    assert nodes.features(np.zeros((0, 4), np.float32)).shape == (0, 4)
    assert nodes.cannot_link.shape == (0, 2)


@given(st.data())
def test_nodes_are_those_of_the_naive_twin(data):
    count = data.draw(st.integers(1, 12))
    tracklets = np.array(data.draw(st.lists(st.integers(0, 5), min_size=count, max_size=count)), np.int64)
    known = st.sampled_from(sorted(set(tracklets.tolist())))
    must = data.draw(st.lists(st.tuples(known, known), max_size=3))

    nodes = nodes_of(tracklets, must_link=_pairs(*must))

    groups = reference.groups(tracklets.tolist(), must)
    assert nodes.node_of.tolist() == groups
    assert nodes.weights.tolist() == [groups.count(group) for group in range(max(groups) + 1)]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12), st.integers(0, 6)), max_size=15).map(
        lambda rows: np.array(rows, np.int64).reshape(-1, 3)
    )
)
def test_who_is_seen_at_once_is_found_as_by_comparing_all(rows):
    cameras, begins, ends = rows[:, 0], rows[:, 1], rows[:, 1] + rows[:, 2]
    expected = [
        [one, other]
        for one in range(len(rows))
        for other in range(one + 1, len(rows))
        if cameras[one] == cameras[other] and max(begins[one], begins[other]) < min(ends[one], ends[other])
    ]
    assert seen_at_once(cameras, begins=begins, ends=ends).tolist() == expected


def test_a_tracklet_that_ends_before_it_begins_is_named():
    with pytest.raises(DataError, match="tracklet 1 ends at 3, before it begins at 4"):
        seen_at_once(np.array([0, 0]), begins=np.array([0, 4]), ends=np.array([2, 3]))
