"""The source recipe: crops changed at random, the schedule, and a network that learns to tell people apart."""

import numpy as np
import pytest

from passerby.errors import DataError
from passerby.inference.preprocessing import prepare
from passerby.models import Preprocessing

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.augmentation import NO_CHANGES, CropChanges, training_input  # noqa: E402 torch is optional
from training.backbones.osnet import OSNet  # noqa: E402
from training.schedule import warm_up_and_cosine, warm_up_and_steps  # noqa: E402
from training.source import LabelledCrops, SourceLoss, SourceRecipe, train_source  # noqa: E402

torch.set_num_threads(1)  # the networks are small, and the machine is shared with the other tests
SMALL = Preprocessing(
    height=64, width=32, colour="RGB", scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
)


def coloured_people(people: int, images: int, *, seed: int = 0) -> LabelledCrops:
    """Everybody wears two colours of their own; the two cameras differ in brightness."""
    random = np.random.default_rng(seed)
    clothes = np.random.default_rng(99).integers(0, 256, (people, 2, 3))
    pictures, names, cameras = [], [], []
    for person in range(people):
        for image in range(images):
            crop = np.repeat(clothes[person], 32, axis=0)[:, None].repeat(32, axis=1).astype(np.float32)
            crop = crop * (0.8 if image % 2 else 1.0) + random.normal(0, 12, crop.shape)
            pictures.append(np.clip(crop, 0, 255).astype(np.uint8))
            names.append(100 + person)
            cameras.append(image % 2)
    return LabelledCrops(np.stack(pictures), np.array(names), np.array(cameras))


def test_without_changes_crops_become_what_the_engines_feed() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, 64, 32, 3), np.uint8)
    for colour in ("RGB", "BGR"):
        how = Preprocessing(height=64, width=32, colour=colour, scale=1 / 255, mean=SMALL.mean, std=SMALL.std)
        fed = training_input(crops, how=how, changes=NO_CHANGES, draw=np.random.default_rng(0)).numpy()
        np.testing.assert_allclose(fed, prepare(list(crops), how)[0], atol=1e-5)


def test_a_mirrored_crop_is_the_crop_from_right_to_left() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (1, 64, 32, 3), np.uint8)
    changes = CropChanges(mirror=1, padding=0, erase=0, brightness=0, contrast=0, channel_gain=0)
    mirrored = training_input(crops, how=SMALL, changes=changes, draw=np.random.default_rng(0)).numpy()
    np.testing.assert_allclose(mirrored[..., ::-1], prepare(list(crops), SMALL)[0], atol=1e-5)


def test_erasing_wipes_to_the_mean_and_leaves_the_rest() -> None:
    crops = np.full((40, 64, 32, 3), 255, np.uint8)
    changes = CropChanges(mirror=0, padding=0, erase=1, brightness=0, contrast=0, channel_gain=0)
    fed = training_input(crops, how=SMALL, changes=changes, draw=np.random.default_rng(0))
    wiped = (fed.abs().amax(dim=1) < 1e-4).float().mean(dim=(1, 2))
    assert wiped.min() > 0.01
    assert wiped.max() <= 0.45
    assert 0.1 < wiped.mean() < 0.3


def test_no_crops_are_an_empty_batch() -> None:
    crops = np.zeros((0, 64, 32, 3), np.uint8)
    assert training_input(crops, how=SMALL, changes=CropChanges(), draw=np.random.default_rng(0)).shape == (
        0,
        3,
        64,
        32,
    )


def test_the_schedules_begin_low_and_end_low() -> None:
    for schedule in (warm_up_and_steps, warm_up_and_cosine):
        rates = [schedule(step / 200) for step in range(201)]
        assert max(rates) == pytest.approx(1.0, abs=0.01)
        assert rates[0] == pytest.approx(0.1)
        assert rates[-1] == pytest.approx(0.01)
        assert min(rates) > 0


def test_training_brings_the_images_of_a_person_together() -> None:
    crops = coloured_people(8, 8)
    losses: list[SourceLoss] = []
    recipe = SourceRecipe(steps=30, people_per_batch=4, images_per_person=4, learning_rate=2e-3, changes=NO_CHANGES)
    torch.manual_seed(0)
    network = train_source(OSNet(16), crops, recipe, how=SMALL, seed=0, progress=lambda _, loss: losses.append(loss))
    assert not network.training
    assert np.mean([loss.total for loss in losses[-5:]]) < 0.7 * losses[0].total
    unseen = coloured_people(8, 4, seed=5)
    with torch.no_grad():
        features = network(
            training_input(unseen.pictures, how=SMALL, changes=NO_CHANGES, draw=np.random.default_rng(0))
        )
    distances = torch.cdist(features, features).fill_diagonal_(torch.inf)
    nearest = distances.argmin(dim=1).numpy()
    assert (unseen.people[nearest] == unseen.people).mean() > 0.9


def test_the_seed_decides_the_weights() -> None:
    crops = coloured_people(4, 4)
    recipe = SourceRecipe(steps=2, people_per_batch=2, images_per_person=2)

    def first(seed: int) -> "torch.Tensor":
        torch.manual_seed(0)
        return train_source(OSNet(16), crops, recipe, how=SMALL, seed=seed).fc[0].weight.detach()

    torch.testing.assert_close(first(1), first(1), rtol=0, atol=0)
    assert not torch.equal(first(1), first(2))


def test_crops_of_another_size_are_refused() -> None:
    how = Preprocessing(height=32, width=32, colour="RGB")
    with pytest.raises(DataError, match=r"pictures has shape \(16, 64, 32, 3\), expected \(any, 32, 32, 3\)"):
        train_source(OSNet(16), coloured_people(4, 4), SourceRecipe(steps=1), how=how, seed=0)


def test_fewer_people_than_a_batch_are_refused() -> None:
    with pytest.raises(DataError, match="1 people in 4 images, a batch needs 16"):
        train_source(OSNet(16), coloured_people(1, 4), SourceRecipe(steps=1), how=SMALL, seed=0)
