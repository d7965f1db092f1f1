"""The demonstration draws live where the machine is quick enough, and ahead where it is not."""

from pathlib import Path

import pytest
from rich.console import Console

from passerby.cli.demonstrating.rendering import drawn_ahead, draws_in_time
from simulation.kinds import KindName
from simulation.site import SimulatedSite
from tests.simulation.small_sites import small_site


@pytest.mark.parametrize(
    ("kind", "cameras", "cores", "in_time"),
    [
        ("default", 4, 2, True),
        ("default", 8, 2, False),
        ("default", 2, 1, True),
        ("default", 4, 1, False),
        ("default", 6, 64, True),
        ("default", 12, 64, False),
        ("crowded", 4, 2, False),
        ("sparse", 6, 2, True),
    ],
)
def test_cameras_people_and_cores_decide(kind: KindName, cameras: int, cores: int, in_time: bool) -> None:
    site = SimulatedSite.make(kind, seed=5, cameras=cameras)
    assert draws_in_time(site, cores=cores) is in_time


def test_live_keeps_nothing_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSERBY_HOME", str(tmp_path))
    with drawn_ahead(small_site(cameras=12), wanted=False, seconds=None, console=Console(quiet=True)) as ahead:
        assert ahead is None
    assert not list(tmp_path.iterdir())


def test_ahead_is_rendered_once_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PASSERBY_HOME", str(tmp_path))
    site = small_site(cameras=1, people=1)
    with drawn_ahead(site, wanted=True, seconds=5.0, console=Console()) as first:
        assert first is not None
        assert all(reel.is_in(first.folder) for reel in first.reels(site))
        assert first.seconds > 5
    assert "as asked for" in capsys.readouterr().out
    with drawn_ahead(site, wanted=True, seconds=5.0, console=Console()) as again:
        assert again == first
    assert not capsys.readouterr().out
