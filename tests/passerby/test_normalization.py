"""Camera normalization: the batch z-score, and the running normalizer's mechanics."""

import numpy as np
import pytest

from passerby.arrays import l2_normalize
from passerby.errors import DataError
from passerby.features.normalization import CameraNormalizer, zscore_by_camera
from passerby.features.normalizer_parts import NormalizerParts, restored
from passerby.features.people import MAX_PEOPLE
from passerby.models import ReferenceStatistics
from tests.passerby.reference_shrinkage import zscore

_D = 24


def _site(random, *, people=30, camera_shift=0.6):
    """Two cameras that see the same people through different shifts."""
    who = random.normal(size=(people, _D))
    shifts = {"a": camera_shift * random.normal(size=_D), "b": camera_shift * random.normal(size=_D)}
    return who, shifts


def _stored(normalizer):
    return restored(NormalizerParts(normalizer).everything(), dimension=_D)


def _fed(*, people=30, seed=0):
    random = np.random.default_rng(seed)
    who, shifts = _site(random, people=people)
    normalizer = CameraNormalizer(_D)
    for number, person in enumerate(who):
        for camera_id, shift in shifts.items():
            normalizer.observe(camera_id, person + shift, at_ns=number)
    return normalizer, who, shifts


# --- the batch z-score


@pytest.mark.parametrize("images", [0, 1, 2, 40])
def test_the_batch_z_score_is_that_of_its_naive_twin(images):
    random = np.random.default_rng(images)
    features = random.normal(2.0, 3.0, (images, 5)).astype(np.float32)
    cameras = random.integers(0, 3, images).tolist()
    np.testing.assert_allclose(zscore_by_camera(features, cameras), zscore(features, cameras), atol=1e-4)


def test_axes_that_never_move_and_duplicates_give_zero():
    features = np.full((6, 3), 0.1, np.float32)
    np.testing.assert_array_equal(zscore_by_camera(features, ["a"] * 6), np.zeros((6, 3)))


def test_huge_features_stay_finite():
    features = np.array([[3e38, -3e38], [-3e38, 3e38]], np.float32)
    np.testing.assert_allclose(zscore_by_camera(features, ["a", "a"]), [[1, -1], [-1, 1]])


def test_the_statistics_can_be_those_of_some_images_only():
    features = np.array([[1.0], [3.0], [7.0]], np.float32)
    among = np.array([True, True, False])
    np.testing.assert_allclose(zscore_by_camera(features, ["a"] * 3, among=among), [[-1], [1], [5]], atol=1e-5)
    with pytest.raises(DataError, match="camera b has no image among those that the statistics are of"):
        zscore_by_camera(features, ["a", "a", "b"], among=among)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_batch_z_score_refuses_what_is_no_number(bad):
    with pytest.raises(DataError, match="NaN or infinity"):
        zscore_by_camera(np.array([[bad, 1.0]], np.float32), ["a"])


def test_the_batch_z_score_needs_a_camera_for_each_image():
    with pytest.raises(DataError, match=r"features has shape \(3, 2\), expected \(2, any\)"):
        zscore_by_camera(np.zeros((3, 2), np.float32), ["a", "b"])


# --- the running normalizer


def test_without_people_it_is_plain_cosine():
    embeddings = np.random.default_rng(0).normal(size=(7, _D)).astype(np.float32)
    normalizer = CameraNormalizer(_D)
    np.testing.assert_allclose(
        normalizer.normalize("never seen", embeddings, at_ns=200), l2_normalize(embeddings), atol=1e-7
    )
    assert normalizer.version == 0


def test_one_person_cannot_be_told_from_the_camera_and_changes_nothing():
    embeddings = np.random.default_rng(0).normal(size=(7, _D)).astype(np.float32)
    normalizer = CameraNormalizer(_D)
    for key in range(20):
        normalizer.observe("a", embeddings[0] * (1 + key / 100), at_ns=key)
    np.testing.assert_allclose(normalizer.normalize("a", embeddings, at_ns=200), l2_normalize(embeddings), atol=1e-7)


def test_people_seen_by_two_cameras_come_together():
    normalizer, who, shifts = _fed()
    plain = [l2_normalize(who + shift) for shift in shifts.values()]
    ours = [normalizer.normalize(camera_id, who + shift, at_ns=200) for camera_id, shift in shifts.items()]
    assert (plain[0] * plain[1]).sum(axis=1).mean() < 0.75
    assert (ours[0] * ours[1]).sum(axis=1).mean() > 0.9


def test_rows_have_unit_length_and_no_rows_give_none():
    normalizer, who, _ = _fed()
    rows = normalizer.normalize("a", who, at_ns=200)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    assert normalizer.normalize("a", np.zeros((0, _D), np.float32), at_ns=200).shape == (0, _D)


def test_the_reference_is_where_a_camera_starts():
    mean = np.arange(_D, dtype=float)
    reference = ReferenceStatistics(mean=mean.tolist(), std=[1.0] * _D, measured_on="a test")
    normalizer = CameraNormalizer(_D, reference=reference)
    embeddings = np.random.default_rng(0).normal(size=(3, _D))
    np.testing.assert_allclose(
        normalizer.normalize("new", embeddings, at_ns=200), l2_normalize(embeddings - mean), atol=1e-6
    )


def test_a_burst_of_one_person_in_fragments_moves_nothing():
    """500 tracklets of a loiterer beside five others count as one person: the shift stays that of six people."""
    random = np.random.default_rng(2)
    people = random.normal(size=(6, _D))
    with_loiterer, without = CameraNormalizer(_D), CameraNormalizer(_D)
    for number, person in enumerate(people):
        for normalizer in (with_loiterer, without):
            normalizer.observe("a", person, at_ns=number)
    for key in range(500):
        with_loiterer.observe("a", people[0] + 0.2 * random.normal(size=_D), at_ns=10 + key)
    assert with_loiterer.people_seen("a") == without.people_seen("a") == 6
    rows = random.normal(size=(50, _D))
    agreement = (with_loiterer.normalize("a", rows, at_ns=200) * without.normalize("a", rows, at_ns=200)).sum(axis=1)
    assert agreement.min() > 0.99


def test_statistics_move_in_steps_and_the_version_says_when():
    random = np.random.default_rng(4)
    normalizer, probe = CameraNormalizer(_D), random.normal(size=(5, _D))
    rows, steps = normalizer.normalize("a", probe, at_ns=200), []
    for number, person in enumerate(random.normal(size=(100, _D)) + 0.5):
        version = normalizer.version
        normalizer.observe("a", person, at_ns=number)
        now = normalizer.normalize("a", probe, at_ns=200)
        assert np.array_equal(now, rows) == (normalizer.version == version)
        steps += [number] * (normalizer.version - version)
        rows = now
    assert 3 < len(steps) < 60
    assert sum(number < 20 for number in steps) > sum(number >= 80 for number in steps)


def test_what_is_taken_away_is_told_as_a_share_of_the_embeddings_energy():
    assert CameraNormalizer(_D).published.common_share == 0.0
    normalizer, who, shifts = _fed()
    energy = np.mean([((who + shift) ** 2).sum(axis=1).mean() for shift in shifts.values()])
    shift_energy = np.mean([(shift**2).sum() for shift in shifts.values()])
    assert normalizer.published.common_share == pytest.approx(shift_energy / energy, rel=0.25)
    assert _stored(normalizer).published.common_share == normalizer.published.common_share


def test_the_same_calls_give_the_same_bytes():
    first, second = (NormalizerParts(_fed()[0]).everything() for _ in range(2))
    assert first == second


def test_it_goes_on_after_a_restart_as_if_there_had_been_none_to_the_last_bit():
    running, who, shifts = _fed(people=12)
    restarted = _stored(running)
    assert restarted.version == running.version
    newcomers = np.random.default_rng(9).normal(size=(20, _D))
    for number, person in enumerate(newcomers):
        for normalizer in (running, restarted):
            normalizer.observe("b", person + shifts["b"], at_ns=100 + number)
        restarted = _stored(restarted)
    assert NormalizerParts(restarted).everything() == NormalizerParts(running).everything()
    for camera_id in ("a", "b", "never seen"):
        np.testing.assert_array_equal(
            restarted.normalize(camera_id, who, at_ns=200), running.normalize(camera_id, who, at_ns=200)
        )


def test_the_parts_that_change_are_all_that_needs_to_be_stored_again():
    normalizer, random, stored = CameraNormalizer(_D), np.random.default_rng(3), {}
    parts = NormalizerParts(normalizer)
    sizes = []
    for number in range(300):
        camera_id = "ab"[number % 2]
        normalizer.observe(camera_id, random.normal(size=_D) + number % 2, at_ns=number)
        changed = parts.changed()
        sizes.append(len(changed))
        stored.update(changed)
        stored = {name: data for name, data in stored.items() if data is not None}
    assert stored == parts.everything()
    assert np.median(sizes) <= 3
    assert parts.changed() == {}


def test_months_of_people_take_bounded_memory():
    normalizer, random = CameraNormalizer(_D), np.random.default_rng(0)
    for key in range(1000):
        normalizer.observe("a", random.normal(size=_D), at_ns=key)
    assert 0.9 * MAX_PEOPLE < normalizer.people_seen("a") <= MAX_PEOPLE
    stored = NormalizerParts(normalizer).everything()
    assert sum(map(len, stored.values())) < MAX_PEOPLE * (_D * 4 + 150) + 4 * _D * 8 + 500


def test_a_badly_seen_person_counts_for_less():
    embeddings = np.random.default_rng(1).normal(size=(2, _D))
    whole, hardly = CameraNormalizer(_D), CameraNormalizer(_D)
    for key, embedding in enumerate(embeddings):
        whole.observe("a", embedding, at_ns=key)
        hardly.observe("a", embedding, at_ns=key, quality=0.2)
    assert whole.version > 0
    assert hardly.version == 0


@pytest.mark.parametrize(
    ("embedding", "problem"),
    [
        (np.zeros(_D), "zero vector"),
        (np.full(_D, np.nan), "NaN or infinity"),
        (np.full(_D, np.inf), "NaN or infinity"),
        (np.ones(_D + 1), rf"embedding has shape \({_D + 1},\), expected \({_D},\)"),
        (np.ones((1, _D)), "embedding has shape"),
    ],
)
def test_what_no_network_gives_is_refused_and_leaves_no_trace(embedding, problem):
    normalizer = CameraNormalizer(_D)
    with pytest.raises(DataError, match=problem):
        normalizer.observe("a", embedding, at_ns=1)
    assert normalizer.people_seen("a") == 0
    if embedding.ndim == 1:
        with pytest.raises(DataError):
            normalizer.normalize("a", embedding[np.newaxis], at_ns=200)


@pytest.mark.parametrize("quality", [0.0, -1.0, 1.1, np.nan])
def test_a_quality_out_of_range_is_refused(quality):
    with pytest.raises(DataError, match="quality of a tracklet"):
        CameraNormalizer(_D).observe("a", np.ones(_D), at_ns=1, quality=quality)


def test_huge_embeddings_are_normalized_like_small_ones():
    normalizer = CameraNormalizer(2)
    for key, embedding in enumerate(([1e30, 0.0], [0.0, 1e30], [-1e30, 1e30])):
        normalizer.observe("a", np.array(embedding, np.float32), at_ns=key)
    rows = normalizer.normalize("a", np.array([[3e38, 1e38]], np.float32), at_ns=200)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)


def test_a_stored_state_of_another_size_is_refused():
    with pytest.raises(DataError, match="stored"):
        restored(NormalizerParts(_fed()[0]).everything(), dimension=_D + 1)


@pytest.mark.parametrize("name", ["normalizer", "published", "camera/a"])
def test_a_stored_state_with_a_hole_is_refused(name):
    parts = NormalizerParts(_fed()[0]).everything()
    with pytest.raises(DataError, match="damaged"):
        restored({**parts, name: b"?"}, dimension=_D)
    del parts[name]
    with pytest.raises(DataError, match="damaged"):
        restored(parts, dimension=_D)


def test_a_reference_of_another_size_is_refused():
    with pytest.raises(DataError, match="reference mean has shape"):
        CameraNormalizer(_D, reference=ReferenceStatistics(mean=[0.0], std=[1.0], measured_on="a test"))
