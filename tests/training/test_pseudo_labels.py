"""Which pseudo-labels are believed: centres, reliability, shares that grow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.adapting.centres import centres_of, k_means, similarities_to

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.adapting.objectives.reliable import nearest  # noqa: E402 torch is optional
from training.adapting.pseudo_labels import guess  # noqa: E402
from training.adapting.recipe import Grouping  # noqa: E402
from training.adapting.reliability import believed, independence_of, least_independence, overlap  # noqa: E402
from training.unlabelled import UnlabelledCrops  # noqa: E402

Labels = NDArray[np.int64]
LABELS = st.lists(st.integers(-1, 4), min_size=1, max_size=12).map(lambda values: np.array(values, np.int64))


def naive_overlap(people: Labels, others: Labels) -> list[float]:
    def group(labels: Labels, crop: int) -> set[int]:
        return {each for each in range(len(labels)) if labels[each] == labels[crop]} if labels[crop] >= 0 else {crop}

    found = []
    for crop in range(len(people)):
        some, other = group(people, crop), group(others, crop)
        found.append(len(some & other) / len(some | other))
    return found


@given(LABELS, st.randoms(use_true_random=False))
def test_overlap_is_that_of_the_naive_twin(people: Labels, random: "np.random.Generator") -> None:
    others = np.array([random.randint(-1, 3) for _ in people], np.int64)  # type: ignore[attr-defined]
    np.testing.assert_allclose(overlap(people, others), naive_overlap(people, others), rtol=1e-6)
    np.testing.assert_allclose(overlap(people, people), 1.0)


def test_a_cluster_that_a_looser_cut_joins_with_others_is_not_independent() -> None:
    people = np.array([0, 0, 1, 1, 2, 2, -1])
    looser = np.array([0, 0, 0, 0, 1, 1, 1])
    np.testing.assert_allclose(independence_of(people, looser), [0.5, 0.5, 2 / 3])
    assert least_independence(people, looser, share=0.7) == pytest.approx(2 / 3)
    kept = believed(people, tighter=people, looser=looser, least=0.6)
    assert kept.tolist() == [-1, -1, -1, -1, 0, 0, -1]


def test_crops_that_a_tighter_cut_parts_from_the_core_are_let_go() -> None:
    people = np.zeros(5, np.int64)
    kept = believed(people, tighter=np.array([0, 0, 0, 1, 1]), looser=people, least=0.5)
    assert kept.tolist() == [0, 0, 0, -1, -1]


def test_a_cluster_without_a_core_stays_and_nobody_at_all_is_no_cluster() -> None:
    people = np.array([0, 0, 1, 1])
    assert believed(people, tighter=np.array([0, 0, -1, -1]), looser=people, least=0.5).tolist() == [0, 0, 1, 1]
    nobody = np.array([-1, -1])
    assert believed(nobody, tighter=nobody, looser=np.array([0, 0]), least=0.0).tolist() == [-1, -1]
    assert least_independence(nobody, np.array([0, 0]), share=0.1) == 0.0


@given(LABELS, st.floats(0.05, 1.0))
def test_of_each_cluster_so_many_crops_are_kept_and_none_is_lost(people: Labels, share: float) -> None:
    people = np.unique(people, return_inverse=True)[1] - (1 if people.min() < 0 else 0)
    features = np.random.default_rng(0).normal(size=(len(people), 3)).astype(np.float32)
    kept = nearest(features, people, share=share)
    similarities = similarities_to(features, people, centres_of(features, people))
    for person in range(int(people.max()) + 1):
        own = people == person
        inside, outside = own & (kept == person), own & (kept < 0)
        assert inside.sum() == np.ceil(share * own.sum())
        assert not outside.any() or similarities[outside].max() <= similarities[inside].min()
    assert (kept[people < 0] == -1).all()


def test_k_means_finds_the_clusters_that_it_was_begun_beside() -> None:
    random = np.random.default_rng(0)
    truth = np.repeat(np.arange(3), 20)
    features = (np.eye(3)[truth] + random.normal(0, 0.05, (60, 3))).astype(np.float32)
    begun = np.where(random.random(60) < 0.3, -1, truth)
    begun[:3] = [1, 1, 2]
    assert k_means(features, begun, iterations=5).tolist() == truth.tolist()
    assert k_means(features, np.full(60, -1), iterations=5).tolist() == [-1] * 60
    assert k_means(features, begun, iterations=0).tolist() == begun.tolist()


def test_a_camera_with_a_single_crop_or_a_frozen_one_is_no_trouble() -> None:
    draw = np.random.default_rng(4)
    people = np.repeat(np.arange(8), 6)
    embeddings = (draw.normal(size=(8, 16))[people] + 0.1 * draw.normal(size=(48, 16))).astype(np.float32)
    cameras = np.tile(np.array([0, 1]), 24)
    cameras[5], cameras[40:44] = 2, 3
    embeddings[40:44] = embeddings[40]
    crops = UnlabelledCrops(
        np.zeros((48, 8, 4, 3), np.uint8), cameras, np.arange(48), tuple(f"camera {row}" for row in range(4))
    )
    labels = guess(embeddings, crops, Grouping())
    assert labels.people.shape == (48,)
    assert labels.clusters >= 2
