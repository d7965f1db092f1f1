"""Pre-training without labels: the loss, the queue, and a network that tells strangers apart better than before."""

import copy
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from passerby.arrays import Int64Array, l2_normalize
from passerby.errors import DataError
from passerby.models import Preprocessing
from simulation.samples import person_crops, sampled_frames
from tests.simulation.small_sites import small_site
from tests.training import reference_losses
from training.datasets.crops import CropArchive
from training.evaluate import RankedImages, evaluate_retrieval

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.augmentation import NO_CHANGES, CropChanges, training_input  # noqa: E402 torch is optional
from training.backbones import Backbone  # noqa: E402
from training.losses import info_nce  # noqa: E402
from training.moco import MocoRecipe, TrackletCrops, pretrain  # noqa: E402

torch.set_num_threads(1)  # the networks are small, and the machine is shared with the other tests
SMALL = Preprocessing(
    height=64, width=32, colour="RGB", scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
)
QUICK = MocoRecipe(
    steps=250, batch=32, queue=192, momentum=0.99, changes=CropChanges(padding=3, erase=0.0, channel_gain=0.15)
)


class Pictures:
    """Crops in memory: `pictures` (n, 64, 32, 3) of `people` before `cameras`; a tracklet is one before one camera."""

    def __init__(self, pictures: NDArray[np.uint8], people: Int64Array, cameras: Int64Array) -> None:
        self.pictures, self.people, self.cameras = pictures, people, cameras
        self.tracklets: Int64Array = people * 10 + cameras

    def resized(self, indices: object, *, height: int, width: int) -> NDArray[np.uint8]:
        assert (height, width) == (64, 32)
        return self.pictures[np.asarray(indices)]


class Tiny(Backbone):
    """Three convolutions, and what they see in four heights of the picture."""

    feature_dimension = 128

    def __init__(self) -> None:
        super().__init__()
        layers: list[torch.nn.Module] = []
        for inside, out in ((3, 32), (32, 64), (64, 128)):
            convolution = torch.nn.Conv2d(inside, out, 3, stride=2, padding=1, bias=False)
            layers += [convolution, torch.nn.BatchNorm2d(out), torch.nn.ReLU()]
        self.layers = torch.nn.Sequential(*layers)
        self.fc = torch.nn.Linear(4 * 128, self.feature_dimension)

    def forward(self, pictures: "torch.Tensor") -> "torch.Tensor":
        maps = torch.nn.functional.adaptive_avg_pool2d(self.layers(pictures), (4, 1))
        embeddings: torch.Tensor = self.fc(maps.flatten(1))
        return embeddings


def untrained() -> Tiny:
    torch.manual_seed(0)
    return Tiny()


def rendered(seeds: tuple[int, ...]) -> Pictures:
    pictures, people, cameras = [], [], []
    for seed in seeds:
        draw = np.random.default_rng(seed)
        site = small_site(seed=seed, cameras=3, people=16)
        for camera, frame in sampled_frames(site, frames_per_camera=20, seconds=120, seed=seed):
            for crop in person_crops(frame, draw=draw, min_height_px=24.0):
                pictures.append(cv2.resize(crop.image, (32, 64)))
                people.append(seed * 1000 + crop.person_id)
                cameras.append(camera)
    return Pictures(np.stack(pictures).astype(np.uint8), np.array(people, np.int64), np.array(cameras, np.int64))


def noise(tracklets: int, *, crops: int = 2) -> Pictures:
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (tracklets * crops, 64, 32, 3), np.uint8)
    return Pictures(pictures, np.repeat(np.arange(tracklets), crops), np.zeros(tracklets * crops, np.int64))


def mean_average_precision(network: Backbone, crops: Pictures) -> float:
    fed = training_input(crops.pictures, how=SMALL, changes=NO_CHANGES, draw=np.random.default_rng(0))
    with torch.no_grad():
        features = l2_normalize(network.eval()(fed).numpy())
    images = RankedImages(features, crops.people, crops.cameras)
    return evaluate_retrieval(images, images).mean_average_precision


def test_it_finds_people_of_a_site_never_seen_better_than_the_untrained_network() -> None:
    seen, unseen, losses = rendered((1, 2)), rendered((9,)), list[float]()
    network = untrained()
    before = mean_average_precision(network, unseen)
    pretrain(network, seen, QUICK, how=SMALL, seed=0, progress=lambda _, loss: losses.append(loss))
    assert len(losses) == QUICK.steps
    assert np.mean(losses[-20:]) < 0.75 * np.mean(losses[:20])
    assert mean_average_precision(network, unseen) > 1.2 * before


@pytest.mark.parametrize("positives", ["views", "tracklet"])
def test_the_same_seed_gives_the_same_network_and_another_seed_another(positives: str) -> None:
    recipe = msgspec.structs.replace(QUICK, steps=3, batch=4, queue=10, positives=positives)
    weights = []
    for seed in (1, 1, 2):
        network = pretrain(untrained(), noise(6), recipe, how=SMALL, seed=seed)
        assert not network.training
        weights.append(network.fc.weight.detach())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_fewer_tracklets_than_a_batch_and_single_crops_are_enough() -> None:
    network = untrained()
    before = copy.deepcopy(network.fc.weight)
    recipe = msgspec.structs.replace(QUICK, steps=2, batch=32, queue=32)
    pretrain(network, noise(4, crops=1), recipe, how=SMALL, seed=0)
    assert not torch.equal(network.fc.weight, before)


@pytest.mark.parametrize("tracklets", [0, 1, 3])
def test_too_few_tracklets_are_refused(tracklets: int) -> None:
    with pytest.raises(DataError, match=f"there are {tracklets} tracklets to learn from, expected at least 4"):
        pretrain(untrained(), noise(tracklets), QUICK, how=SMALL, seed=0)


def test_a_loss_that_is_no_number_ends_it() -> None:
    network = untrained()
    with torch.no_grad():
        network.fc.bias.fill_(float("nan"))
    with pytest.raises(DataError, match="the loss of step 1 is nan"):
        pretrain(network, noise(5), msgspec.structs.replace(QUICK, queue=32), how=SMALL, seed=0)


def test_a_queue_shorter_than_a_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="`queue` is 8, expected at least `batch`, 16"):
        MocoRecipe(queue=8, batch=16)
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"stepz": 1}, MocoRecipe)


def test_an_archive_is_what_it_trains_on(tmp_path: Path) -> None:
    def accepts(crops: TrackletCrops) -> Int64Array:
        return crops.tracklets

    with pytest.raises(DataError, match="no archive of crops"):
        accepts(CropArchive(tmp_path))


def unit(rows: int, *, seed: int) -> "torch.Tensor":
    vectors = torch.randn(rows, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.nn.functional.normalize(vectors)


@pytest.mark.parametrize("count", [0, 1, 5])
@pytest.mark.parametrize("others", [0, 1, 9])
def test_the_loss_is_that_of_the_naive_twin(count: int, others: int) -> None:
    queries, keys, strange = unit(count, seed=1), unit(count, seed=2), unit(others, seed=3)
    same = torch.rand(count, others, generator=torch.Generator().manual_seed(4)) < 0.3
    expected = reference_losses.info_nce(
        queries.numpy(), keys.numpy(), strange.numpy(), known_same=same.numpy(), temperature=0.1
    )
    assert float(info_nce(queries, keys, strange, known_same=same, temperature=0.1)) == pytest.approx(expected)


def test_the_loss_refuses_what_does_not_fit() -> None:
    pair, none = unit(2, seed=1), torch.zeros(2, 3, dtype=torch.bool)
    with pytest.raises(DataError, match=r"queries \(2, 6\), keys \(1, 6\)"):
        info_nce(pair, pair[:1], unit(3, seed=2), known_same=none, temperature=0.1)
    with pytest.raises(DataError, match=r"known_same has shape \(2, 3\), expected \(2, 4\)"):
        info_nce(pair, pair, unit(4, seed=2), known_same=none, temperature=0.1)
    with pytest.raises(DataError, match="temperature is 0, expected above 0"):
        info_nce(pair, pair, unit(3, seed=2), known_same=none, temperature=0)
