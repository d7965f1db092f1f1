"""What an association costs: a small gallery through the whole benchmark, and the sanity of its figures."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from benchmarks.association_cost import main
from benchmarks.costing.crowd import Crowd, cameras_of
from benchmarks.costing.figures import Figures, Spread, growth, spread_ms
from benchmarks.costing.gallery import GalleryChoice, enlarge, teach
from benchmarks.judging.sites import SiteChoice, tape_of
from hub.database.storage import DatabaseStorage
from hub.playback import batches
from hub.site_hub import Hub
from passerby.arrays import Float32Array, l2_normalize
from passerby.errors import ConfigError
from passerby.tape import read_tape
from simulation.site import SimulatedSite
from simulation.tapes.clocks import START_NS
from simulation.tapes.networks import network_profile

pytestmark = pytest.mark.xdist_group("galleries")
"""What they share is made once."""

SITE = SimulatedSite.make("default", seed=3, cameras=3)
NETWORK = network_profile("like-retail-0288")


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> list[Figures]:
    out = tmp_path_factory.mktemp("out")
    main(
        ["--gallery", "200,400", "--cameras", "3", "--kind", "default", "--seed", "3", "--teach-minutes", "0.3",
         "--minutes", "0.2", "--cache", str(out / "tapes"), "--scratch", str(out),
         "--json", str(out / "cost.json"), "--plot", str(out / "cost.svg")]
    )  # fmt: skip
    assert (out / "cost.svg").read_text(encoding="utf-8").count("<svg") == 1
    return msgspec.json.decode((out / "cost.json").read_bytes(), type=list[Figures])


def test_the_gallery_is_as_large_as_asked_for(figures: list[Figures]) -> None:
    assert [one.identities for one in figures] == [200, 400]
    assert figures[1].prototypes - figures[0].prototypes == pytest.approx(800, abs=5)
    assert all(one.each == 4 for one in figures)


def test_associations_are_decided_and_their_time_is_all_accounted_for(figures: list[Figures]) -> None:
    for one in figures:
        assert one.associations >= one.batches > 10
        assert one.linked > 0
        assert one.queries >= 1.0
        assert all(milliseconds >= 0.0 for milliseconds in one.phases_ms.values())
        assert one.phases_ms["search"] > 0.0
        assert one.phases_ms["write"] > 0.0
        assert one.phases_ms["commit"] > 0.0
        mean_ms = sum(one.phases_ms.values())
        assert mean_ms <= one.association_ms.most
        for spread in (one.association_ms, one.association_cpu_ms, one.memory_ms, one.batch_ms):
            assert 0.0 < spread.p50 <= spread.p99 <= spread.most
        assert one.memory_ms.p50 < one.association_ms.p50 <= one.batch_ms.most


def test_memory_and_opening_are_measured(figures: list[Figures]) -> None:
    for one in figures:
        assert 0.0 < one.before_mib <= one.opened_mib <= one.peak_mib
        assert one.disk_mib > 0.5
        assert one.opening_s > 0.0
        assert one.first_batch_s > 0.0


def test_percentiles_are_of_associations_and_not_of_batches() -> None:
    assert spread_ms(np.array([0.004, 0.001]), np.array([1, 99])) == Spread(1.0, 1.0, 4.0)
    assert spread_ms(np.array([0.004, 0.001]), np.array([2, 98])) == Spread(1.0, 4.0, 4.0)
    assert spread_ms(np.array([0.004, 0.001]), np.array([0, 1])) == Spread(1.0, 1.0, 1.0)
    assert spread_ms(np.zeros(0), np.zeros(0, np.int64)) == Spread(0.0, 0.0, 0.0)


def test_growth_is_the_power_of_the_number_of_identities(figures: list[Figures]) -> None:
    ten = msgspec.structs.replace(figures[0], identities=2000, association_cpu_ms=Spread(4.0, 9.0, 9.0))
    one = msgspec.structs.replace(figures[0], identities=200, association_cpu_ms=Spread(2.0, 9.0, 9.0))
    assert growth([one, ten]) == [pytest.approx(np.log10(2.0))]
    assert growth([one]) == growth([]) == []


def test_somebody_of_the_crowd_is_like_themselves() -> None:
    (passers,) = Crowd(SITE, NETWORK).people(400, each=4)
    assert passers.cameras.tolist() == cameras_of(400, 4, cameras=3).tolist()
    seen = _without_cameras(passers.embeddings, passers.cameras)
    own = (seen[:, 0] * seen[:, 1]).sum(axis=1)
    others = (seen[:-1, 0] * seen[1:, 1]).sum(axis=1)
    again = (seen[:, 0] * seen[:, 3]).sum(axis=1)
    assert abs(others.mean()) < 0.05
    assert 0.3 < own.mean() < again.mean() < 0.9


def test_a_crowd_is_the_same_again_and_may_be_empty() -> None:
    first, second = (next(Crowd(SITE, NETWORK).people(5, each=2)) for _ in range(2))
    assert (first.embeddings == second.embeddings).all()
    assert list(Crowd(SITE, NETWORK).people(0, each=2)) == []


def test_a_hub_opens_the_gallery_as_its_own(tmp_path: Path) -> None:
    tape = tape_of(SiteChoice("default", 3, 3, 0.5), tmp_path / "tapes")
    teach(tmp_path / "site", list(batches(read_tape(tape))), site=SITE, network=NETWORK)
    heard: list[float] = []
    enlarge(tmp_path / "site", GalleryChoice(100, each=5), site=SITE, network=NETWORK, progress=heard.append)
    with Hub.on(DatabaseStorage(tmp_path / "site")) as hub:
        taught = [i for i, one in hub.state.identities.items() if one.created_at_ns >= START_NS]
        crowd = [i for i in hub.state.identities if i not in taught]
        assert len(taught) + len(crowd) == 100
        assert {len(hub.state.members(i)) for i in crowd} == {5}
        assert {len(hub.state.prototypes(i, NETWORK.model_id)) for i in crowd} == {5}
    assert heard == [1.0]
    with pytest.raises(ConfigError, match="gallery of 99: there are 100 already"):
        enlarge(tmp_path / "site", GalleryChoice(99), site=SITE, network=NETWORK, progress=heard.append)


def _without_cameras(embeddings: Float32Array, cameras: np.ndarray) -> Float32Array:
    """Unit vectors (n, t, d) without each camera's mean."""
    out = np.empty_like(embeddings)
    for number in np.unique(cameras):
        rows = cameras == number
        out[rows] = l2_normalize(embeddings[rows] - embeddings[rows].mean(axis=0))
    return out
