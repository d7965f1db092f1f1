"""Sparse re-ranking against its dense twin, and what re-ranking must not depend on."""

from dataclasses import replace

import numpy as np
import pytest

from passerby.arrays import l2_normalize
from tests.training.reference_reranking import rerank
from training.evaluate.reranking import RERANKINGS, RerankedDistances

NAMES = ("zhong", "layumi", "faiss")


def _people(seed, *, people=12, images=9, noise=0.6, dimension=16):
    """Unit vectors around as many centres: (people * images, dimension)."""
    random = np.random.default_rng(seed)
    centres = np.repeat(random.normal(size=(people, dimension)), images, axis=0)
    return l2_normalize(random.permutation(centres + noise * random.normal(size=centres.shape)))


def _split(features, queries, how, **settings):
    rows = np.arange(len(features))
    return RerankedDistances(features, how, query=rows[:queries], gallery=rows[queries:], **settings)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("seed", "noise"), [(0, 0.3), (1, 0.6), (2, 3.0)])
def test_distances_are_those_of_the_dense_twin(name, seed, noise):
    features = _people(seed, noise=noise)
    found = _split(features, 30, RERANKINGS[name])(slice(0, 30))
    np.testing.assert_allclose(found, rerank(features[:30], features[30:], name=name), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (5, 1), (7, 3), (300, 300)])
def test_other_neighbourhoods_also_larger_than_all_there_is(name, k1, k2):
    features = _people(3, people=8, images=5)
    found = _split(features, 10, replace(RERANKINGS[name], k1=k1, k2=k2, original_share=0.1))(slice(0, 10))
    expected = rerank(features[:10], features[10:], name=name, k1=k1, k2=k2, share=0.1)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_ties_and_duplicates_are_taken_in_order(name):
    """Vectors along the axes, whose products are exact; of some there are more than neighbours."""
    random = np.random.default_rng(4)
    features = np.eye(5, dtype=np.float32)[random.choice(5, 60, p=[0.6, 0.2, 0.1, 0.05, 0.05])]
    found = _split(features, 20, RERANKINGS[name])(slice(0, 20))
    np.testing.assert_allclose(found, rerank(features[:20], features[20:], name=name), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_blocks_change_nothing(name):
    features = _people(5)
    whole = _split(features, 30, RERANKINGS[name])(slice(0, 30))
    by_row = _split(features, 30, RERANKINGS[name], pairs_at_once=1)
    np.testing.assert_allclose(np.concatenate([by_row(slice(i, i + 1)) for i in range(30)]), whole, atol=1e-6)


def test_images_that_are_query_and_gallery_at_once_are_encoded_once():
    features = _people(6)
    rows = np.arange(len(features))
    everybody = RerankedDistances(features, RERANKINGS["zhong"], query=rows, gallery=rows)(slice(0, 108))
    apart = _split(features, 30, RERANKINGS["zhong"])(slice(0, 30))
    np.testing.assert_allclose(everybody[:30, 30:], apart, atol=1e-6)
    np.testing.assert_allclose(np.diagonal(everybody), 0, atol=1e-6)


def test_people_are_told_apart_better():
    """The point of it: by cosine some neighbours of the same person are further than strangers."""
    random = np.random.default_rng(7)
    people = np.repeat(np.arange(20), 12)
    features = l2_normalize(random.normal(size=(20, 24))[people] + 1.1 * random.normal(size=(240, 24)))
    rows = np.arange(240)
    same = people[:, np.newaxis] == people
    plain = 1 - features @ features.T
    found = RerankedDistances(features, RERANKINGS["zhong"], query=rows, gallery=rows)(slice(0, 240))

    def wrong(distances):
        return np.mean([np.mean(row[hit][:, np.newaxis] > row[~hit]) for row, hit in zip(distances, same, strict=True)])

    assert wrong(found) < 0.8 * wrong(plain)


def test_nobody_to_find_is_an_empty_answer():
    features = _people(8, people=3, images=3)
    none = np.zeros(0, np.int64)
    rows = np.arange(9)
    assert RerankedDistances(features, RERANKINGS["faiss"], query=rows, gallery=none)(slice(0, 4)).shape == (4, 0)
    assert RerankedDistances(features, RERANKINGS["faiss"], query=none, gallery=rows)(slice(0, 4)).shape == (0, 9)
    empty = np.zeros((0, 4), np.float32)
    assert RerankedDistances(empty, RERANKINGS["faiss"], query=none, gallery=none)(slice(0, 4)).shape == (0, 0)
