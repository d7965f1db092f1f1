"""Multi-queries against a naive mean, and how the protocol uses them."""

from pathlib import Path

import numpy as np
import pytest

from passerby.arrays import l2_normalize
from passerby.errors import DataError
from tests.training.reference_reranking import rerank
from training.evaluate import LabelledImages, RankedImages, RetrievalSplit, search
from training.evaluate.multi_query import pool_queries


def _images(features, people, cameras):
    return RankedImages(np.asarray(features, np.float32), np.asarray(people, np.int64), np.asarray(cameras, np.int64))


def test_a_query_is_the_mean_of_all_images_of_its_person_in_its_camera():
    random = np.random.default_rng(0)
    pool = _images(l2_normalize(random.normal(size=(60, 5))), random.integers(0, 4, 60), random.integers(0, 3, 60))
    query = _images(pool.features[:20], pool.people[:20], pool.cameras[:20])
    found = pool_queries(query, pool)
    expected = list(dict.fromkeys(zip(query.people.tolist(), query.cameras.tolist(), strict=True)))
    assert list(zip(found.people.tolist(), found.cameras.tolist(), strict=True)) == expected
    for feature, person, camera in zip(found.features, found.people, found.cameras, strict=True):
        members = [
            one
            for one, who, where in zip(pool.features, pool.people, pool.cameras, strict=True)
            if (who, where) == (person, camera)
        ]
        mean = np.mean(members, axis=0)
        np.testing.assert_allclose(feature, mean / np.linalg.norm(mean), atol=1e-6)


def test_a_query_of_which_there_is_no_picture_to_average_is_named():
    query = _images(np.eye(2), [7, 8], [1, 2])
    with pytest.raises(DataError, match="person 8 in camera 2 is a query, but there is no picture"):
        pool_queries(query, _images(np.eye(2), [7, 8], [1, 1]))


def test_nobody_asks():
    empty = _images(np.zeros((0, 3)), [], [])
    assert pool_queries(empty, empty).features.shape == (0, 3)


def _split(people, cameras, *, queries, pool=0):
    n = len(people)
    files = tuple(Path(f"{index}.png") for index in range(n))
    images = LabelledImages(files, np.asarray(people, np.int64), np.asarray(cameras, np.int64))
    rows = np.arange(n)
    pooled = rows >= n - pool if pool else None
    return RetrievalSplit(images, rows < queries, (rows >= queries) & (rows < n - pool), "made", pooled)


def test_what_is_only_pooled_is_in_neither_gallery_nor_statistics():
    random = np.random.default_rng(1)
    embeddings = random.normal(size=(30, 6)).astype(np.float32)
    people, cameras = [1, 2, *random.integers(1, 3, 24), 1, 1, 2, 2], [1, 1, *random.integers(1, 3, 24), 1, 1, 1, 1]
    multi = search(_split(people, cameras, queries=2, pool=4), embeddings, normalize="camera", multi_query=True)
    single = search(_split(people[:26], cameras[:26], queries=2), embeddings[:26], normalize="camera")
    np.testing.assert_array_equal(multi.gallery.features, single.gallery.features)
    assert multi.query.people.tolist() == [1, 2]
    assert not np.allclose(multi.query.features, single.query.features)


def test_reranking_of_multi_queries_has_them_in_place_of_their_images():
    random = np.random.default_rng(2)
    embeddings = random.normal(size=(80, 6)).astype(np.float32)
    split = _split(random.integers(1, 6, 80), random.integers(1, 3, 80), queries=25)
    found = search(split, embeddings, normalize="none", rerank="zhong", multi_query=True)
    expected = rerank(found.query.features, found.gallery.features, name="zhong")
    np.testing.assert_allclose(found.distances(slice(0, len(found.query))), expected, atol=1e-6)
    assert len(found.query) <= 10


@pytest.mark.parametrize("name", ["zhong", "layumi", "faiss"])
def test_reranking_of_queries_apart_from_their_gallery(name):
    random = np.random.default_rng(3)
    embeddings = random.normal(size=(70, 6)).astype(np.float32)
    split = _split(random.integers(1, 6, 70), random.integers(1, 3, 70), queries=25)
    found = search(split, embeddings, normalize="camera", rerank=name)
    expected = rerank(found.query.features, found.gallery.features, name=name)
    np.testing.assert_allclose(found.distances(slice(0, 25)), expected, atol=1e-6)
