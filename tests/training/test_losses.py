"""Losses of re-ID training against naive ones, and on the inputs that break them."""

import numpy as np
import pytest

from passerby.errors import DataError
from tests.training import reference_losses

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.losses import (  # noqa: E402 torch is optional
    Centers,
    HybridMemory,
    batch_contrast,
    batch_hard_triplet_loss,
    center_loss,
    moved_centers,
    relation_loss,
    smoothed_cross_entropy,
    soft_cross_entropy,
    soft_triplet_loss,
    softmax_triplet_loss,
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


@pytest.mark.parametrize("seed", range(4))
def test_contrast_within_a_batch_is_that_of_the_naive_twin(seed: int) -> None:
    random = np.random.default_rng(seed)
    features, people, asked = random.normal(size=(12, 5)), random.integers(0, 6, 12), random.random(12) < 0.6
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    x, y, a = torch.from_numpy(features).requires_grad_(), torch.from_numpy(people), torch.from_numpy(asked)
    loss = batch_contrast(x, y, asked=a, temperature=0.2)
    loss.backward()
    twin = reference_losses.batch_contrast(features, people, asked, temperature=0.2)
    assert float(loss.detach()) == pytest.approx(twin)
    assert torch.isfinite(x.grad).all()


def test_contrast_within_a_batch_of_nobody_twice_is_zero() -> None:
    features = torch.eye(3).requires_grad_()
    for people, asked in (([0, 1, 2], [True] * 3), ([0, 0, 1], [False] * 3), ([0, 0, 1], [False, False, True])):
        loss = batch_contrast(features, torch.tensor(people), asked=torch.tensor(asked), temperature=0.1)
        loss.backward()
        assert float(loss.detach()) == 0.0
    one = batch_contrast(features[:2], torch.tensor([0, 0]), asked=torch.tensor([True, True]), temperature=0.1)
    one.backward()
    assert float(one.detach()) == 0.0
    assert torch.isfinite(features.grad).all()
    with pytest.raises(DataError, match=r"asked \(2,\), expected"):
        batch_contrast(features, torch.tensor([0, 0, 1]), asked=torch.tensor([True, True]), temperature=0.1)


@pytest.mark.parametrize("count", [3, 4, 9])
def test_relations_are_those_of_the_naive_twin(count: int) -> None:
    random = np.random.default_rng(count)
    features, reference = random.normal(size=(count, 5)), random.normal(size=(count, 7))
    loss = relation_loss(torch.from_numpy(features), torch.from_numpy(reference), temperature=0.3)
    assert float(loss) == pytest.approx(reference_losses.relations(features, reference, temperature=0.3))
    assert float(loss) > 0.0


def test_equal_relations_cost_nothing_wherever_pictures_lie() -> None:
    reference = torch.randn(8, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)).Q
    features = (3.0 * reference @ turn).requires_grad_()
    loss = relation_loss(features, reference)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.0, abs=1e-12)
    torch.testing.assert_close(features.grad, torch.zeros_like(features), atol=1e-10, rtol=0.0)


def test_the_gradient_of_relations_is_that_of_finite_differences() -> None:
    made = torch.Generator().manual_seed(3)
    features = torch.randn(5, 4, generator=made, dtype=torch.float64, requires_grad=True)
    reference = torch.randn(5, 6, generator=made, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: relation_loss(x, reference, temperature=0.5), (features,))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_two_pictures_have_no_relations_to_keep(count: int) -> None:
    features = torch.ones(count, 4, requires_grad=True)
    relation_loss(features, torch.ones(count, 3)).backward()
    assert features.grad is not None
    assert not features.grad.any()
    with pytest.raises(DataError, match=r"expected \(n, d\) and \(n, e\)"):
        relation_loss(features, torch.ones(count + 1, 3))


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


@pytest.mark.parametrize("seed", range(4))
def test_the_losses_against_another_network_are_those_of_the_naive_twins(seed: int) -> None:
    random = np.random.default_rng(seed)
    features, told = random.normal(size=(12, 5)), random.normal(size=(12, 5))
    logits, answers = random.normal(size=(12, 4)) * 3, random.normal(size=(12, 4)) * 3
    people = random.integers(0, 4, 12)
    x, t, y = torch.from_numpy(features), torch.from_numpy(told), torch.from_numpy(people)
    assert float(soft_cross_entropy(torch.from_numpy(logits), torch.from_numpy(answers))) == pytest.approx(
        reference_losses.soft_cross_entropy(logits, answers)
    )
    assert float(soft_triplet_loss(x, t, y)) == pytest.approx(reference_losses.soft_triplet(features, told, people))
    assert float(softmax_triplet_loss(x, y)) == pytest.approx(reference_losses.soft_triplet(features, None, people))


def test_another_network_that_is_sure_is_as_good_as_a_label() -> None:
    logits, people = torch.randn(6, 9, generator=torch.Generator().manual_seed(1)), torch.arange(6)
    sure = torch.nn.functional.one_hot(people, 9) * 1e4
    expected = torch.nn.functional.cross_entropy(logits, people)
    torch.testing.assert_close(soft_cross_entropy(logits, sure), expected)


def test_no_gradient_goes_into_what_the_other_network_said() -> None:
    features, told = (torch.randn(6, 3, requires_grad=True) for _ in range(2))
    people = torch.tensor([0, 0, 1, 1, 2, 2])
    (soft_triplet_loss(features, told, people) + soft_cross_entropy(features, told)).backward()
    assert features.grad is not None
    assert features.grad.any()
    assert told.grad is None


@pytest.mark.parametrize("count", [0, 1, 3])
def test_soft_losses_of_nobody_and_of_one_person_are_zero_or_finite(count: int) -> None:
    features, people = torch.ones(count, 4, requires_grad=True), torch.zeros(count, dtype=torch.int64)
    loss = soft_triplet_loss(features, features, people) + softmax_triplet_loss(features, people)
    loss.backward()
    assert float(loss.detach()) == 0
    assert float(soft_cross_entropy(torch.zeros(0, 5), torch.zeros(0, 5))) == 0


def test_soft_losses_of_duplicates_have_a_finite_gradient() -> None:
    features = torch.ones(4, 3, requires_grad=True)
    softmax_triplet_loss(features, torch.tensor([0, 0, 1, 1])).backward()
    assert features.grad is not None
    assert torch.isfinite(features.grad).all()


def test_soft_losses_refuse_shapes_that_do_not_fit() -> None:
    with pytest.raises(DataError, match="expected"):
        soft_cross_entropy(torch.zeros(3, 2), torch.zeros(3, 4))
    with pytest.raises(DataError, match="expected"):
        soft_triplet_loss(torch.zeros(3, 2), torch.zeros(2, 2), torch.zeros(3))
    with pytest.raises(DataError, match="expected"):
        HybridMemory(torch.zeros(3, 2), torch.zeros(2, dtype=torch.int64), temperature=0.1, momentum=0.2)


@pytest.mark.parametrize("seed", range(4))
def test_the_hybrid_memory_is_that_of_the_naive_twin_before_and_after_it_followed(seed: int) -> None:
    random = np.random.default_rng(seed)
    memory = random.normal(size=(10, 6))
    memory /= np.linalg.norm(memory, axis=1, keepdims=True)
    classes = np.array([0, 0, 0, 1, 1, 2, 3, 4, 4, 4])  # 2 and 3 are crops without a cluster
    rows = random.permutation(10)[:5]
    features = random.normal(size=(5, 6))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    hybrid = HybridMemory(torch.from_numpy(memory), torch.from_numpy(classes), temperature=0.05, momentum=0.2)
    for _ in range(2):
        assert float(hybrid(torch.from_numpy(features), torch.from_numpy(rows))) == pytest.approx(
            reference_losses.hybrid(features, memory, classes, rows, temperature=0.05)
        )
        hybrid.follow(torch.from_numpy(features), torch.from_numpy(rows))
        for feature, row in zip(features, rows, strict=True):
            moved = 0.2 * memory[row] + 0.8 * feature
            memory[row] = moved / np.linalg.norm(moved)


def test_a_picture_that_comes_twice_is_remembered_as_its_mean() -> None:
    hybrid = HybridMemory(torch.eye(3), torch.arange(3), temperature=0.1, momentum=0.0)
    hybrid.follow(torch.eye(3)[1:], torch.tensor([0, 0]))
    torch.testing.assert_close(hybrid.pictures[0], torch.tensor([0.0, 0.5**0.5, 0.5**0.5]))
    torch.testing.assert_close(hybrid.pictures[1:], torch.eye(3)[1:])
