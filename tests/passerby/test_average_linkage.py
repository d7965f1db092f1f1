"""Average linkage on a sparse graph is that of the full matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster import hierarchy
from scipy.sparse import csr_array

from passerby.errors import DataError
from passerby.features.clustering.average import drop_small, linkage
from tests import reference_linkage as reference


def _distances(nodes, *, share, seed, levels=None):
    """A dense symmetric matrix, of whose pairs so many are below 1; few `levels` make ties."""
    draw = np.random.default_rng(seed)
    drawn = draw.random((nodes, nodes)) if levels is None else draw.integers(0, levels, (nodes, nodes)) / levels
    dense = np.where(draw.random((nodes, nodes)) < share, drawn, 1.0).astype(np.float32)
    dense = np.triu(dense, 1)
    return dense + dense.T


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("nodes", [2, 3, 17, 120])
def test_it_is_scipys_on_the_full_matrix(nodes, share):
    dense = _distances(nodes, share=share, seed=nodes)

    found = linkage(reference.sparse_distances(dense))

    tree = hierarchy.linkage(dense[np.triu_indices(nodes, 1)].astype(np.float64), "average")
    below = tree[tree[:, 2] < 1.0 - 1e-9]
    np.testing.assert_allclose(found.heights[: len(below)], below[:, 2], atol=1e-7)
    np.testing.assert_array_equal(found.sizes[: len(below)], below[:, 3])
    assert (found.heights[len(below) :] > 1.0 - 1e-9).all()
    for height in (0.2, 0.5, 0.7, 0.9, 0.99):
        theirs = hierarchy.fcluster(tree, height, "distance")
        together = len(set(zip(found.cut(height).tolist(), theirs.tolist(), strict=True)))
        assert together == len(set(theirs)) == found.cut(height).max() + 1


@pytest.mark.parametrize("seed", range(12))
def test_weights_and_pairs_that_must_not_meet_are_those_of_the_greedy_twin(seed):
    draw = np.random.default_rng(seed)
    nodes = int(draw.integers(2, 30))
    dense = _distances(nodes, share=0.6, seed=seed)
    weights = draw.integers(1, 9, nodes)
    pairs = draw.integers(0, nodes, (nodes, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]

    found = linkage(reference.sparse_distances(dense), weights=weights, cannot_link=pairs)

    merges = reference.average_linkage(dense, weights=weights, cannot_link=pairs)
    assert found.pairs.tolist() == [[first, second] for first, second, _, _ in merges]
    np.testing.assert_allclose(found.heights, [height for _, _, height, _ in merges], atol=1e-7)
    assert found.sizes.tolist() == [size for _, _, _, size in merges]
    for height in (0.3, 0.6, 0.9, 1.0):
        assert found.cut(height).tolist() == reference.cut(nodes, merges, height)


@settings(deadline=None, max_examples=60)
@given(nodes=st.integers(1, 25), levels=st.integers(1, 4), seed=st.integers(0, 10_000))
def test_ties_keep_every_promise(nodes, levels, seed):
    dense = _distances(nodes, share=0.7, seed=seed, levels=levels)
    draw = np.random.default_rng(seed)
    pairs = draw.integers(0, nodes, (4, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    graph = reference.sparse_distances(dense)

    found = linkage(graph, cannot_link=pairs)

    assert (np.diff(found.heights) >= 0.0).all()
    labels = found.cut(1.0)
    assert all(labels[first] != labels[second] for first, second in pairs)
    again = linkage(graph, cannot_link=pairs[::-1])
    assert again.pairs.tolist() == found.pairs.tolist()
    # Each merge stands at the mean distance of its two clusters.
    members = {node: [node] for node in range(nodes)}
    for (first, second), height in zip(found.pairs.tolist(), found.heights, strict=True):
        assert height == pytest.approx(dense[np.ix_(members[first], members[second])].mean(), abs=1e-6)
        members[first] += members.pop(second)


def test_a_chain_in_which_all_are_tied_ends():
    nodes = 500
    rows = np.arange(nodes - 1)
    graph = csr_array(
        (np.full(2 * (nodes - 1), 0.5, np.float32), (np.r_[rows, rows + 1], np.r_[rows + 1, rows])),
        shape=(nodes, nodes),
    )

    found = linkage(graph)

    assert len(found.pairs) == nodes - 1
    assert found.cut(1.0).max() == 0


def test_a_hub_that_swallows_one_after_the_other_is_merged_in_order():
    nodes = 400
    leaves = np.arange(1, nodes)
    near = (0.1 + 0.0001 * leaves).astype(np.float32)
    graph = csr_array((np.r_[near, near], (np.r_[leaves, 0 * leaves], np.r_[0 * leaves, leaves])), shape=(nodes, nodes))

    found = linkage(graph)

    assert found.pairs.tolist() == [[0, leaf] for leaf in leaves]
    assert found.heights[1] == pytest.approx(1.0 - (1.0 - near[1]) / 2.0)


def test_nodes_alone_stay_alone_and_nobody_is_no_cluster():
    alone = linkage(csr_array((3, 3), dtype=np.float32))
    assert alone.cut(1.0).tolist() == [0, 1, 2]
    nobody = linkage(csr_array((0, 0), dtype=np.float32))
    assert nobody.cut(0.5).shape == (0,)


def test_equal_nodes_merge_at_height_zero():
    found = linkage(reference.sparse_distances(np.zeros((3, 3), np.float32)))
    assert found.heights.tolist() == [0.0, 0.0]
    assert found.cut(0.0).tolist() == [0, 0, 0]


def test_huge_weights_are_added_up_without_overflow():
    dense = _distances(6, share=1.0, seed=1)
    heavy = linkage(reference.sparse_distances(dense), weights=np.full(6, 10**7))
    light = linkage(reference.sparse_distances(dense))
    assert heavy.pairs.tolist() == light.pairs.tolist()
    np.testing.assert_allclose(heavy.heights, light.heights, atol=1e-7)


def test_small_clusters_are_dropped_by_their_images():
    labels = np.array([0, 1, 0, 2, 3])
    assert drop_small(labels, min_images=2).tolist() == [0, -1, 0, -1, -1]
    assert drop_small(labels, min_images=4, weights=np.array([1, 4, 1, 3, 9])).tolist() == [-1, 0, -1, -1, 1]
    assert drop_small(labels, min_images=0).tolist() == labels.tolist()
    assert drop_small(np.zeros(0, np.int64), min_images=2).tolist() == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"graph": csr_array((2, 3), dtype=np.float32)},
            r"the graph has shape \(2, 3\), expected as many rows as columns",
        ),
        ({"graph": csr_array(np.array([[0.0, 1.5], [1.5, 0.0]], np.float32))}, "the graph has the distance 1.5"),
        ({"graph": csr_array(np.array([[0.0, np.nan], [np.nan, 0.0]], np.float32))}, "the graph has the distance nan"),
        ({"graph": csr_array(np.array([[0.0, 0.5], [0.0, 0.0]], np.float32))}, "expected a symmetric graph"),
        ({"weights": np.array([1, 0])}, "a node has the weight 0, expected the number of its images"),
        ({"weights": np.array([1])}, r"weights has shape \(1,\), expected \(2,\)"),
        ({"cannot_link": np.array([[0, 2]])}, r"cannot_link has the pair \(0, 2\), expected two different numbers"),
        ({"cannot_link": np.array([[1, 1]])}, r"cannot_link has the pair \(1, 1\)"),
    ],
)
def test_bad_input_is_one_clear_line(change, line):
    given_graph = reference.sparse_distances(np.array([[0.0, 0.5], [0.5, 0.0]]))
    with pytest.raises(DataError, match=line):
        linkage(**{"graph": given_graph, **change})
