"""Retrieval metrics against their naive twins, and against rankings done by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerby.arrays import l2_normalize
from passerby.errors import DataError
from tests.training.reference_retrieval import evaluate
from training.evaluate import RankedImages, evaluate_retrieval


def _images(features, people, cameras):
    return RankedImages(np.asarray(features, np.float32), np.asarray(people, np.int64), np.asarray(cameras, np.int64))


def _at(degrees):
    """Unit vectors in a plane: the nearer the angle, the nearer the image."""
    radians = np.radians(np.asarray(degrees, np.float64))
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def _random(random, n):
    return _images(l2_normalize(random.normal(size=(n, 8))), random.integers(0, 6, n), random.integers(1, 4, n))


@pytest.mark.parametrize("ap", ["torchreid", "sklearn", "layumi"])
@pytest.mark.parametrize("seed", range(3))
def test_every_number_is_that_of_the_naive_twin(ap, seed):
    random = np.random.default_rng(seed)
    query, gallery = _random(random, 25), _random(random, 80)
    found = evaluate_retrieval(query, gallery, ap=ap)
    mean_ap, inp, cmc, counted = evaluate(
        (query.features, query.people, query.cameras), (gallery.features, gallery.people, gallery.cameras), ap=ap
    )
    assert found.mean_average_precision == pytest.approx(mean_ap, abs=1e-9)
    assert found.mean_inverse_negative_penalty == pytest.approx(inp, abs=1e-9)
    np.testing.assert_allclose(found.cmc, cmc)
    assert (found.queries, found.queries + found.skipped_queries, found.gallery) == (counted, 25, 80)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["torchreid", "sklearn", "layumi"]))
def test_tied_and_duplicate_images_are_ranked_as_by_the_twin(seed, ap):
    """Features of few distinct values, along the axes, whose products are exact: many exact ties."""
    random = np.random.default_rng(seed)
    axes = np.eye(3, dtype=np.float32)[random.integers(0, 3, 30)]
    images = _images(axes, random.integers(0, 4, 30), random.integers(1, 3, 30))
    sides = (images.features, images.people, images.cameras)
    found = evaluate_retrieval(images, images, ap=ap)
    assert found.mean_average_precision == pytest.approx(evaluate(sides, sides, ap=ap)[0], abs=1e-9)


def test_a_ranking_done_by_hand():
    """Hits at ranks 1 and 3 of three: precision 1 and 2/3."""
    query = _images(_at([0]), [7], [1])
    gallery = _images(_at([5, 10, 20]), [7, 8, 7], [2, 2, 2])
    found = {ap: evaluate_retrieval(query, gallery, ap=ap) for ap in ("torchreid", "sklearn", "layumi")}
    assert found["torchreid"].mean_average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert found["sklearn"].mean_average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert found["layumi"].mean_average_precision == pytest.approx((1 + (1 / 2 + 2 / 3) / 2) / 2)
    assert found["torchreid"].mean_inverse_negative_penalty == pytest.approx(2 / 3)
    assert found["torchreid"].rank(1) == 1.0


def test_pictures_of_the_same_person_and_camera_are_neither_right_nor_wrong():
    query = _images(_at([0]), [7], [1])
    gallery = _images(_at([1, 2, 30]), [7, 7, 7], [1, 1, 2])
    assert evaluate_retrieval(query, gallery).mean_average_precision == 1.0


def test_distractors_stay_in_the_gallery():
    query = _images(_at([0]), [7], [1])
    gallery = _images(_at([1, 2]), [0, 7], [2, 2])
    assert evaluate_retrieval(query, gallery).mean_average_precision == pytest.approx(0.5)


def test_queries_without_a_match_are_skipped_and_counted():
    query = _images(_at([0, 0]), [7, 9], [1, 1])
    gallery = _images(_at([1]), [7], [2])
    found = evaluate_retrieval(query, gallery)
    assert (found.queries, found.skipped_queries, found.mean_average_precision) == (1, 1, 1.0)


def test_ties_stay_in_the_order_of_the_gallery():
    query = _images(_at([0]), [7], [1])
    right_first = _images(_at([5, 5]), [7, 8], [2, 2])
    wrong_first = _images(_at([5, 5]), [8, 7], [2, 2])
    assert evaluate_retrieval(query, right_first).rank(1) == 1.0
    assert evaluate_retrieval(query, wrong_first).rank(1) == 0.0


def test_a_first_match_beyond_rank_50_is_in_no_rank():
    query = _images(_at([0]), [7], [1])
    gallery = _images(_at(np.arange(1, 61)), [8] * 59 + [7], [2] * 60)
    found = evaluate_retrieval(query, gallery)
    assert found.rank(50) == 0.0
    assert found.mean_average_precision == pytest.approx(1 / 60)


def test_chunks_of_queries_change_nothing():
    random = np.random.default_rng(5)
    images = _random(random, 60)
    whole = evaluate_retrieval(images, images)
    parts = evaluate_retrieval(images, images, pairs_at_once=150)
    assert parts.mean_average_precision == pytest.approx(whole.mean_average_precision, abs=1e-9)
    np.testing.assert_allclose(parts.cmc, whole.cmc)


def test_nothing_to_find_is_an_error_and_not_a_zero():
    empty = _images(np.zeros((0, 2)), [], [])
    one = _images(_at([0]), [7], [1])
    for query, gallery in ((empty, one), (one, empty), (one, one)):
        with pytest.raises(DataError, match="nothing can be measured"):
            evaluate_retrieval(query, gallery)


def test_wrong_features_are_refused():
    with pytest.raises(DataError, match="NaN or infinity"):
        _images([[np.nan, 0.0]], [1], [1])
    with pytest.raises(DataError, match=r"people has shape \(1,\), expected \(2,\)"):
        _images(_at([0, 1]), [1], [1, 1])
    with pytest.raises(DataError, match="gallery features has shape"):
        evaluate_retrieval(_images(_at([0]), [1], [1]), _images(np.zeros((1, 3)), [1], [1]))
    with pytest.raises(DataError, match="rank is 51, expected 1 to 50"):
        evaluate_retrieval(_images(_at([0]), [1], [1]), _images(_at([0]), [1], [2])).rank(51)
