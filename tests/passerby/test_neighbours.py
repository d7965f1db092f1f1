"""Neighbours: as the dense twins find them, ties by index, and nearly so where rows are quantized."""

import numpy as np
import pytest

from passerby.arrays import Float32Array, l2_normalize
from passerby.errors import DataError
from passerby.features.camera_neighbours import camera_neighbours
from passerby.features.candidates import recall_of
from passerby.features.neighbours import nearest_neighbours
from tests.passerby.crowds import cameras_of, crowd, with_duplicates
from tests.reference import dense_neighbours

SITES = {
    "one row": crowd(1),
    "two rows": crowd(2),
    "fewer than k": crowd(9),
    "a crowd": crowd(300),
    "alike": np.tile(crowd(1), (40, 1)),
    "duplicates": with_duplicates(crowd(200)),
    "many axes": crowd(150, axes=300),
    "one axis": np.ones((12, 1), np.float32),
}


@pytest.mark.parametrize("features", SITES.values(), ids=SITES)
def test_exact_neighbours_are_the_dense_ones(features: Float32Array) -> None:
    found = nearest_neighbours(features, 20, search="exact")
    assert found.recall == 1.0
    assert found.indices.dtype == np.int32
    np.testing.assert_array_equal(found.indices, dense_neighbours(features, 20))


def test_rows_that_are_equally_similar_come_by_index() -> None:
    orthogonal = np.eye(40, dtype=np.float32)
    found = nearest_neighbours(orthogonal, 5).indices
    assert found[30].tolist() == [30, 0, 1, 2, 3]
    assert found[1].tolist() == [1, 0, 2, 3, 4]


@pytest.mark.parametrize("features", SITES.values(), ids=SITES)
def test_neighbours_by_camera_are_the_dense_ones(features: Float32Array) -> None:
    cameras = cameras_of(len(features))
    found = camera_neighbours(features, cameras, own=6, other=21)
    same = cameras[:, None] == cameras
    for row, twin in enumerate(dense_neighbours(features, 6, among=same)):
        assert found.own[row].tolist() == [*twin, *[-1] * (6 - len(twin))]
    for row, twin in enumerate(dense_neighbours(features, 21, among=~same)):
        assert found.other[row].tolist() == [*twin, *[-1] * (21 - len(twin))]


def test_cameras_of_any_size_are_searched_together() -> None:
    features = crowd(2500)
    cameras = np.concatenate([np.arange(700), np.repeat([-5, 10**12], 900)])
    found = camera_neighbours(features, cameras, own=3, other=4)
    similarities = features.astype(np.float64) @ features.T.astype(np.float64)
    same = cameras[:, None] == cameras
    np.fill_diagonal(similarities, 2.0)
    expected = np.argsort(np.where(same, -similarities, 9), axis=1, kind="stable")[:, :3]
    there = np.take_along_axis(same, expected, axis=1)
    np.testing.assert_array_equal(found.own, np.where(there, expected, -1))
    expected = np.argsort(np.where(same, 9, -similarities), axis=1, kind="stable")[:, :4]
    np.testing.assert_array_equal(found.other, expected)


@pytest.mark.parametrize("axes", [16, 130, 301])
def test_an_approximate_search_finds_nearly_all_and_says_how_many(axes: int) -> None:
    features = crowd(12_000, axes=axes)
    exact = nearest_neighbours(features, 30, search="exact").indices
    found = nearest_neighbours(features, 30, search="approximate")
    assert recall_of(exact, found.indices) >= 0.99
    assert found.recall == pytest.approx(recall_of(exact, found.indices), abs=0.01)
    np.testing.assert_array_equal(found.indices[:, 0], np.arange(len(features)))
    np.testing.assert_array_equal(nearest_neighbours(features, 30, search="approximate").indices, found.indices)


@pytest.mark.parametrize("colour", [0.0, 0.7, 3.0])
def test_an_approximate_search_by_camera_finds_nearly_all_whatever_colours_cameras_give(colour: float) -> None:
    cameras = cameras_of(11_000, cameras=12)
    colours = np.random.default_rng(1).standard_normal((12, 32)).astype(np.float32)
    features = l2_normalize(crowd(11_000, axes=32) + colour * colours[cameras])
    exact = camera_neighbours(features, cameras, own=6, other=21, search="exact")
    found = camera_neighbours(features, cameras, own=6, other=21, search="approximate")
    assert (found.other >= 0).all()
    assert found.recall >= 0.98
    assert recall_of(exact.own, found.own) >= 0.98
    assert recall_of(exact.other, found.other) >= 0.98


def test_no_rows_have_no_neighbours() -> None:
    nothing = np.zeros((0, 8), np.float32)
    assert nearest_neighbours(nothing, 5).indices.shape == (0, 0)
    assert camera_neighbours(nothing, np.zeros(0, np.int64), own=2, other=3).other.shape == (0, 3)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 0.0, 1e30])
def test_rows_without_a_direction_are_refused(wrong: float) -> None:
    features = crowd(10)
    features[7] = wrong
    with pytest.raises(DataError, match=r"^row 7 of features has length .*, expected 1: scale rows with l2_normalize"):
        nearest_neighbours(features, 3)


def test_wrong_shapes_and_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="k is 0, expected at least 1"):
        nearest_neighbours(crowd(5), 0)
    with pytest.raises(DataError, match=r"features has shape \(16,\)"):
        nearest_neighbours(crowd(5)[0], 3)
    with pytest.raises(DataError, match=r"cameras has shape \(4,\), expected \(5,\)"):
        camera_neighbours(crowd(5), np.zeros(4, np.int64), own=1, other=1)
    with pytest.raises(DataError, match="0 neighbours of the own and 3 of other cameras"):
        camera_neighbours(crowd(5), np.zeros(5, np.int64), own=0, other=3)
