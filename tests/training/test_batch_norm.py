"""Batch norm per camera: each by its own statistics, few pictures drawn to the site, an ordinary network within."""

import copy

import numpy as np
import pytest

from passerby.errors import DataError

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from torch import Tensor, nn  # noqa: E402 torch is optional

from training.backbones import Backbone  # noqa: E402
from training.batch_norm import CameraNetwork  # noqa: E402

torch.set_num_threads(1)


class Tiny(Backbone):
    """Two convolutions, each with a batch norm, and a third behind the pooling."""

    feature_dimension = 6

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6))
        self.last = nn.BatchNorm1d(6)

    def forward(self, pictures: Tensor) -> Tensor:
        found: Tensor = self.last(self.second(self.first(pictures)).mean(dim=(2, 3)))
        return found


def pictures(count: int, *, seed: int = 0, lift: float = 0.0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(lift, 1, (count, 3, 8, 6)).astype(np.float32))


def test_in_training_each_camera_is_normalized_by_its_own_batch() -> None:
    plain = Tiny().train()
    network = CameraNetwork(copy.deepcopy(plain), cameras=2).train()
    own, other = pictures(5, lift=3.0), pictures(4, seed=1)
    mixed = torch.cat([own[:2], other, own[2:]])
    found = network(mixed, np.array([1, 1, 0, 0, 0, 0, 1, 1, 1]))
    torch.testing.assert_close(torch.cat([found[:2], found[6:]]), plain(own))
    torch.testing.assert_close(found[2:6], plain(other))


def test_gradients_are_those_of_ordinary_batch_norms_on_each_camera() -> None:
    plain = Tiny().train()
    network = CameraNetwork(copy.deepcopy(plain), cameras=2).train()
    first, second = pictures(5, lift=3.0), pictures(4, seed=1)
    network(torch.cat([first, second]), np.array([0] * 5 + [1] * 4)).square().sum().backward()
    (plain(first).square().sum() + plain(second).square().sum()).backward()
    for ours, theirs in zip(network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5)


def test_counted_statistics_of_one_batch_are_those_that_training_used() -> None:
    network = CameraNetwork(Tiny(), cameras=2)
    own, other = pictures(32, lift=2.0), pictures(24, seed=1)
    with network.counting(strength=0.0):
        in_training = network(own, np.zeros(32, np.int64))
        network(other, np.ones(24, np.int64))
    network.eval()
    with torch.no_grad():
        torch.testing.assert_close(network(own, np.zeros(32, np.int64)), in_training, rtol=1e-4, atol=1e-4)


def test_counting_in_parts_joins_means_and_variances() -> None:
    network = CameraNetwork(Tiny(), cameras=1)
    norm = network.norms()[0]
    maps = network.network.first[0](pictures(30))
    with network.counting(strength=0.0):
        for part in (pictures(30)[:7], pictures(30)[7:20], pictures(30)[20:]):
            network(part, np.zeros(len(part), np.int64))
    torch.testing.assert_close(norm.means[0], maps.mean(dim=(0, 2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm.variances[0], maps.var(dim=(0, 2, 3), correction=0), rtol=1e-4, atol=1e-5)


def test_a_camera_of_few_pictures_is_drawn_to_the_site_and_one_of_none_is_the_site() -> None:
    network = CameraNetwork(Tiny(), cameras=3)
    with network.counting(strength=16.0):
        network(pictures(200), np.zeros(200, np.int64))
        network(pictures(4, lift=5.0), np.ones(4, np.int64))
    norm = network.norms()[0]
    site, many, few, none = norm.means[-1], norm.means[0], norm.means[1], norm.means[2]
    torch.testing.assert_close(none, site)
    assert float((many - site).abs().max()) < float((few - site).abs().max())
    maps = network.network.first[0](pictures(4, lift=5.0)).detach()
    assert float((few - site).abs().max()) < 0.3 * float((maps.mean(dim=(0, 2, 3)) - site).abs().max())
    assert bool((norm.variances > 0).all())


def test_with_one_row_it_is_an_ordinary_batch_norm() -> None:
    plain = Tiny().train()
    network = CameraNetwork(copy.deepcopy(plain), cameras=1).train()
    batch = pictures(9)
    torch.testing.assert_close(network(batch, np.array([0, 1, 2] * 3)), plain(batch))


def test_the_site_is_an_ordinary_network() -> None:
    network = CameraNetwork(Tiny(), cameras=2)
    with network.counting(strength=4.0):
        network(pictures(40), np.arange(40) % 2)
    network.eval()
    plain = Tiny()
    plain.load_state_dict(network.site_state())
    plain.eval()
    with torch.no_grad():
        site = np.full(5, 2, np.int64)
        torch.testing.assert_close(plain(pictures(5)), network(pictures(5), site))


def test_one_picture_of_a_camera_in_a_batch_uses_what_is_known_of_it() -> None:
    network = CameraNetwork(Tiny(), cameras=2).train()
    found = network(pictures(3), np.array([0, 0, 1]))
    assert bool(torch.isfinite(found).all())


def test_pictures_without_cameras_are_refused() -> None:
    with pytest.raises(DataError, match="3 pictures and 2 cameras"):
        CameraNetwork(Tiny(), cameras=2)(pictures(3), np.array([0, 1]))
