"""ROC of pooled pairs against its naive twin, and curves done by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerby.arrays import l2_normalize
from passerby.errors import DataError
from tests.training import reference_verification as naive
from training.evaluate import RankedImages
from training.evaluate.verification import evaluate_verification


def _images(features, people, cameras):
    return RankedImages(np.asarray(features, np.float32), np.asarray(people, np.int64), np.asarray(cameras, np.int64))


def _at(degrees):
    radians = np.radians(np.asarray(degrees, np.float64))
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def _random(random, n, *, levels=None):
    """With `levels`, features along so many axes: all distances are 0 or 1, exactly."""
    features = (
        l2_normalize(random.normal(size=(n, 6))) if levels is None else np.eye(levels)[random.integers(0, levels, n)]
    )
    return _images(features, random.integers(0, 5, n), random.integers(1, 4, n))


def _same(found, query, gallery):
    distances = 1 - query.features @ gallery.features.T
    matching, others = naive.pooled_pairs((query.people, query.cameras), (gallery.people, gallery.cameras), distances)
    assert (found.matching_pairs, found.other_pairs) == (len(matching), len(others))
    assert found.area_under_curve == pytest.approx(naive.area_under_curve(matching, others), abs=1e-12)
    for rate in (0.0, 1e-3, 1e-2, 0.1, 0.5, 1.0):
        point = found.at(rate)
        assert point.true_positive_rate == pytest.approx(naive.best_true_positive_rate(matching, others, rate))
        assert point.false_positive_rate <= rate
        if point.distance is not None:
            assert np.mean(matching <= point.distance) == pytest.approx(point.true_positive_rate)
            assert np.mean(others <= point.distance) == pytest.approx(point.false_positive_rate)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([None, 2, 4]))
def test_every_number_is_that_of_the_naive_twin_also_among_ties(seed, levels):
    random = np.random.default_rng(seed)
    query, gallery = _random(random, 20, levels=levels), _random(random, 60, levels=levels)
    _same(evaluate_verification(query, gallery), query, gallery)


def test_blocks_change_nothing():
    images = _random(np.random.default_rng(1), 50, levels=3)
    whole, parts = evaluate_verification(images, images), evaluate_verification(images, images, pairs_at_once=70)
    assert whole.area_under_curve == parts.area_under_curve
    np.testing.assert_array_equal(whole.other_within, parts.other_within)


def test_distances_of_ones_own_are_taken():
    query, gallery = _images(_at([0]), [7], [1]), _images(_at([5, 10]), [7, 8], [2, 2])
    reversed_distances = np.array([[0.9, 0.1]], np.float32)
    assert evaluate_verification(query, gallery).area_under_curve == 1
    turned = evaluate_verification(query, gallery, distances=lambda rows: reversed_distances[rows])
    assert turned.area_under_curve == 0


def test_a_curve_done_by_hand():
    """Matches at 10 and 30 degrees, others at 20 and 40: half the matches before the first error."""
    query = _images(_at([0]), [7], [1])
    gallery = _images(_at([10, 20, 30, 40, 1]), [7, 8, 7, 9, 7], [2, 2, 3, 2, 1])
    found = evaluate_verification(query, gallery)
    assert (found.matching_pairs, found.other_pairs) == (2, 2)
    assert found.area_under_curve == 0.75
    assert found.at(0.01).true_positive_rate == 0.5
    assert found.at(0.01).distance == pytest.approx(1 - np.cos(np.radians(10)), abs=1e-6)
    assert (found.at(0.5).true_positive_rate, found.at(0.5).false_positive_rate) == (1.0, 0.5)
    np.testing.assert_array_equal(found.true_positive_rates, [0.5, 1.0])
    np.testing.assert_array_equal(found.false_positive_rates, [0.0, 0.5])


def test_where_even_the_nearest_match_is_too_far_nothing_is_accepted():
    query, gallery = _images(_at([0]), [7], [1]), _images(_at([5, 10]), [8, 7], [2, 2])
    point = evaluate_verification(query, gallery).at(1e-4)
    assert (point.true_positive_rate, point.false_positive_rate, point.distance) == (0, 0, None)


def test_a_rate_that_is_met_exactly_is_kept_to():
    """One false pair of 10,000 is a rate of 1e-4, and not above it."""
    query = _images(_at([0]), [7], [1])
    gallery = _images(_at([5, 10, *np.linspace(20, 90, 9999)]), [8, 7, *([8] * 9999)], [2] * 10_001)
    assert evaluate_verification(query, gallery).at(1e-4).true_positive_rate == 1


def test_distractors_and_queries_without_a_match_give_pairs_of_two_people():
    query = _images(_at([0, 50]), [7, 9], [1, 1])
    gallery = _images(_at([5, 60]), [7, 0], [2, 2])
    found = evaluate_verification(query, gallery)
    assert (found.matching_pairs, found.other_pairs) == (1, 3)


def test_one_kind_of_pairs_alone_has_no_curve():
    one, same = _images(_at([0]), [7], [1]), _images(_at([1]), [7], [2])
    empty = _images(np.zeros((0, 2)), [], [])
    for query, gallery in ((one, same), (one, one), (one, empty), (empty, one)):
        with pytest.raises(DataError, match="ROC needs both"):
            evaluate_verification(query, gallery)
