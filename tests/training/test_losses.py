"""Losses of re-ID training against naive ones, and on the inputs that break them."""

import numpy as np
import pytest

from passerby.errors import DataError
from tests.training import reference_losses

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.losses import (  # noqa: E402 torch is optional
    Centers,
    batch_hard_triplet_loss,
    center_loss,
    moved_centers,
    smoothed_cross_entropy,
)


@pytest.mark.parametrize("seed", range(4))
def test_the_losses_are_those_of_the_naive_twins(seed: int) -> None:
    random = np.random.default_rng(seed)
    features, people = random.normal(size=(12, 5)), random.integers(0, 4, 12)
    logits, centers = random.normal(size=(12, 4)) * 3, random.normal(size=(4, 5))
    x, y, c = torch.from_numpy(features), torch.from_numpy(people), torch.from_numpy(centers)
    assert float(batch_hard_triplet_loss(x, y, margin=0.3)) == pytest.approx(
        reference_losses.batch_hard_triplet(features, people, margin=0.3)
    )
    assert float(smoothed_cross_entropy(torch.from_numpy(logits), y, smoothing=0.1)) == pytest.approx(
        reference_losses.smoothed_cross_entropy(logits, people, smoothing=0.1)
    )
    assert float(center_loss(x, y, c)) == pytest.approx(reference_losses.center(features, people, centers))
    np.testing.assert_allclose(
        moved_centers(x, y, c, rate=0.5).numpy(),
        reference_losses.moved_centers(features, people, centers, rate=0.5),
    )


def test_smoothing_is_torch_s_own() -> None:
    logits, people = torch.randn(6, 9, generator=torch.Generator().manual_seed(1)), torch.arange(6)
    expected = torch.nn.functional.cross_entropy(logits, people, label_smoothing=0.1)
    torch.testing.assert_close(smoothed_cross_entropy(logits, people, smoothing=0.1), expected)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_batch_without_another_person_has_no_triplet_and_a_gradient_of_zeros(count: int) -> None:
    features = torch.ones(count, 4, requires_grad=True)
    batch_hard_triplet_loss(features, torch.zeros(count, dtype=torch.int64)).backward()
    assert features.grad is not None
    assert not features.grad.any()


def test_duplicates_have_a_finite_gradient() -> None:
    features = torch.ones(4, 3, requires_grad=True)
    batch_hard_triplet_loss(features, torch.tensor([0, 0, 1, 1])).backward()
    assert features.grad is not None
    assert torch.isfinite(features.grad).all()


def test_huge_logits_do_not_overflow() -> None:
    logits = torch.tensor([[1e30, -1e30], [0.0, 1e4]])
    assert torch.isfinite(smoothed_cross_entropy(logits, torch.tensor([0, 1])))


def test_not_a_number_stays_visible() -> None:
    features = torch.tensor([[float("nan")], [1.0]])
    assert torch.isnan(batch_hard_triplet_loss(features, torch.tensor([0, 1])))
    assert torch.isnan(center_loss(features, torch.tensor([0, 1]), torch.zeros(2, 1)))


def test_empty_batches_cost_nothing() -> None:
    nobody = torch.zeros(0, dtype=torch.int64)
    assert float(smoothed_cross_entropy(torch.zeros(0, 5), nobody)) == 0
    assert float(center_loss(torch.zeros(0, 5), nobody, torch.zeros(3, 5))) == 0
    torch.testing.assert_close(moved_centers(torch.zeros(0, 5), nobody, torch.ones(3, 5)), torch.ones(3, 5))


def test_centers_follow_their_people_and_no_gradient_moves_them() -> None:
    centers = Centers(3, 2)
    features, people = torch.full((4, 2), 8.0, requires_grad=True), torch.tensor([1, 1, 1, 1])
    before = float(centers(features, people).detach())
    for _ in range(20):
        centers.follow(features, people)
    assert float(centers(features, people).detach()) < 0.01 * before
    assert not centers.centers[0].any()
    assert not centers.centers.requires_grad


@pytest.mark.parametrize(
    ("features", "people"), [(torch.zeros(3), torch.zeros(3)), (torch.zeros(3, 2), torch.zeros(2, dtype=torch.int64))]
)
def test_shapes_that_do_not_fit_are_refused(features: "torch.Tensor", people: "torch.Tensor") -> None:
    for loss in (batch_hard_triplet_loss, smoothed_cross_entropy):
        with pytest.raises(DataError, match="expected"):
            loss(features, people)
    with pytest.raises(DataError, match="expected"):
        center_loss(features, people, torch.zeros(4, 2))


def test_smoothing_everything_away_is_refused() -> None:
    with pytest.raises(DataError, match=r"smoothing is 1\.0"):
        smoothed_cross_entropy(torch.zeros(1, 2), torch.tensor([0]), smoothing=1.0)
