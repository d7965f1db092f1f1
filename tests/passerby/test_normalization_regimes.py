"""A camera that goes over to infrared light and back, with real embeddings (PKU-Reid, three networks).

The second camera's people are seen by day; then all of them move by one shift and come closer to each other, as under
light of one colour; then it is day again. The first camera stays as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from passerby.features.normalization import CameraNormalizer
from passerby.ids import CameraId
from tests.pku_reid import NETWORKS, PkuReid, pku_reid
from training.evaluate import RankedImages, evaluate_retrieval

SEEDS = range(3)
CONTRACTION = 0.9
STEADY, CHANGING = CameraId("steady"), CameraId("changing")


@dataclass
class Site:
    """Both cameras; `at_ns` goes up by one with each tracklet. `shift` (d,) is what infrared light does."""

    data: PkuReid
    normalizer: CameraNormalizer
    shift: np.ndarray
    at_ns: int = 0

    @classmethod
    def opened(cls, data: PkuReid, *, seed: int) -> "Site":
        """By day, its energy is 1.2 times the variance between people, on axes on which pictures differ."""
        own = data.embeddings[data.split.images.cameras == 2].astype(np.float64)
        random = np.random.default_rng(1000 + seed)
        direction = random.normal(size=len(own)) @ (own - own.mean(axis=0))
        people = np.stack(
            [own[data.split.images.people[data.split.images.cameras == 2] == p].mean(axis=0) for p in _people(data)]
        )
        energy = 1.2 * people.var(axis=0, ddof=1).sum()
        shift = direction * np.sqrt(energy / (direction**2).sum())
        return cls(data, CameraNormalizer(own.shape[1]), shift)

    def light(self, embeddings: np.ndarray, *, infrared: bool) -> np.ndarray:
        """What the second camera makes of its embeddings (n, d)."""
        if not infrared:
            return embeddings
        middle = self.data.embeddings[self.data.split.images.cameras == 2].mean(axis=0)
        return (middle + self.shift + CONTRACTION * (embeddings - middle)).astype(np.float32)

    def see(self, people: np.ndarray, camera: int, *, infrared: bool = False) -> None:
        """Let these people pass, one after the other."""
        images = self.data.split.images
        for person in people:
            rows = (images.people == person) & (images.cameras == camera)
            for tracklet in np.unique(self.data.tracklets[rows]):
                self.at_ns += 1
                mean = self.data.embeddings[self.data.tracklets == tracklet].mean(axis=0)[None]
                seen = self.light(mean, infrared=infrared and camera == 2)
                name = STEADY if camera == 1 else CHANGING
                self.normalizer.observe(name, seen[0], at_ns=self.at_ns)

    def mean_ap(self, *, infrared: bool, at_ns: int, normalizer: CameraNormalizer | None = None) -> float:
        """mAP of everybody in both cameras, those of the second by this light."""
        images, features = self.data.split.images, np.empty_like(self.data.embeddings)
        normalizer = normalizer or self.normalizer
        first, second = images.cameras == 1, images.cameras == 2
        features[first] = normalizer.normalize(STEADY, self.data.embeddings[first], at_ns=at_ns)
        lit = self.light(self.data.embeddings[second], infrared=infrared)
        features[second] = normalizer.normalize(CHANGING, lit, at_ns=at_ns)
        ranked = RankedImages(features, images.people, images.cameras)
        return evaluate_retrieval(ranked, ranked).mean_average_precision

    def plain(self, *, infrared: bool) -> float:
        """The same without normalization."""
        nothing = CameraNormalizer(self.data.embeddings.shape[1])
        return self.mean_ap(infrared=infrared, at_ns=0, normalizer=nothing)


def _people(data: PkuReid) -> np.ndarray:
    return np.unique(data.split.images.people)


@pytest.fixture(scope="module", params=NETWORKS)
def data(request: pytest.FixtureRequest, shared_data: Callable[[str], Path]) -> PkuReid:
    return pku_reid(request.param, data=shared_data("reid/pku-reid").parents[1])


@pytest.mark.parametrize("seed", SEEDS)
def test_night_and_day_are_told_apart_and_neither_is_worse_than_no_normalization(data: PkuReid, seed: int) -> None:
    site = Site.opened(data, seed=seed)
    everybody = np.random.default_rng(seed).permutation(_people(data))
    site.see(everybody, 1)
    site.see(everybody[:28], 2)
    evening = site.at_ns
    by_day = site.mean_ap(infrared=False, at_ns=evening)
    assert by_day > site.plain(infrared=False) + 0.05

    site.see(everybody[28:], 2, infrared=True)
    by_night = site.mean_ap(infrared=True, at_ns=site.at_ns)
    assert site.normalizer.cameras[CHANGING].timeline.regimes == (0, 1)
    assert abs(site.normalizer.cameras[CHANGING].timeline.since_ns[1] - evening) <= 10
    assert by_night > site.plain(infrared=True) + 0.05
    # Tracklets of the day are what they were.
    assert site.mean_ap(infrared=False, at_ns=evening - 20) > by_day - 0.03

    site.see(everybody[:4], 2)
    assert site.normalizer.cameras[CHANGING].timeline.regimes == (0, 1, 0)
    assert site.mean_ap(infrared=False, at_ns=site.at_ns) > by_day - 0.03


@pytest.mark.parametrize("seed", SEEDS)
def test_each_person_of_the_night_leaves_it_no_worse_than_no_normalization(data: PkuReid, seed: int) -> None:
    """Also those of the first minutes, when the switch is not established: the statistics are those of the day."""
    site = Site.opened(data, seed=seed)
    everybody = np.random.default_rng(seed).permutation(_people(data))
    site.see(everybody, 1)
    site.see(everybody[:28], 2)
    plain = site.plain(infrared=True)
    for person in everybody[28:40]:
        site.see(np.array([person]), 2, infrared=True)
        assert site.mean_ap(infrared=True, at_ns=site.at_ns) > plain - 0.01


def test_the_people_who_look_most_alike_are_no_night(data: PkuReid) -> None:
    images, people = data.split.images, _people(data)
    means = np.stack([data.embeddings[(images.people == p) & (images.cameras == 2)].mean(axis=0) for p in people])
    units = means / np.linalg.norm(means, axis=1, keepdims=True)
    for centre in range(0, len(people), 6):
        alike = np.argsort(-(units @ units[centre]))[:12]
        site = Site.opened(data, seed=0)
        site.see(np.delete(people, alike), 2)
        site.see(people[alike], 2)
        assert site.normalizer.cameras[CHANGING].timeline.regimes == (0,)
