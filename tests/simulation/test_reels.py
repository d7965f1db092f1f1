"""What is rendered ahead shows what would have been drawn live, with the same truth, and is kept within bounds."""

import dataclasses
import fcntl
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from passerby.errors import DataError
from passerby.ids import CameraId
from simulation.ahead import SiteRecipe, Stretch, frames_missing, render_ahead
from simulation.kinds import KINDS
from simulation.live import LiveSite
from simulation.reels import Reel, ReelPlayer, frames_per_reel, reels_of, write_reel
from simulation.shelf import kept_site, shelf_folder, site_folder_name, tidy
from simulation.site import SimulatedSite
from simulation.truth import FrameTruth
from tests.simulation.small_sites import small_site


@pytest.fixture(scope="module")
def site() -> SimulatedSite:
    return small_site(cameras=2, people=5)


@pytest.fixture(scope="module")
def stretch(site: SimulatedSite, tmp_path_factory: pytest.TempPathFactory) -> Stretch:
    """Twelve seconds from the fifteenth on: the begin and end of reels are elsewhere."""
    made = Stretch(tmp_path_factory.mktemp("reels"), 15.0, 12.0)
    render_ahead(site, made, workers=2, progress=lambda _: None)
    return made


def same(one: FrameTruth, other: FrameTruth) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(FrameTruth)
    )


def test_a_stretch_is_the_reels_that_touch_it() -> None:
    camera = CameraId("a")
    assert [reel.number for reel in reels_of(camera, fps=10, first_frame=150, frames=120)] == [1, 2]
    assert [reel.number for reel in reels_of(camera, fps=10, first_frame=100, frames=100)] == [1]
    assert [reel.number for reel in reels_of(camera, fps=10, first_frame=100, frames=101)] == [1, 2]
    assert reels_of(camera, fps=10, first_frame=100, frames=0) == []


def test_frames_come_back_with_their_truth_in_any_order(site: SimulatedSite, stretch: Stretch) -> None:
    for camera in site.camera_ids:
        player = ReelPlayer(stretch.folder, camera, 10.0)
        for index in (150, 151, 199, 200, 260, 203, 299, 100):
            shown, drawn = player.frame(index), site.render(camera, index)
            assert same(shown.truth, drawn.truth)
            assert np.abs(shown.image.astype(int) - drawn.image).mean() < 6
        player.close()


def test_what_is_there_is_not_rendered_again(site: SimulatedSite, stretch: Stretch) -> None:
    done: list[int] = []
    render_ahead(site, stretch, workers=1, progress=done.append)
    assert done == []
    assert frames_missing(site, stretch) == 0
    longer = dataclasses.replace(stretch, seconds=20.0)
    assert frames_missing(site, longer) == 2 * frames_per_reel(10.0)
    assert not list(stretch.folder.rglob(".*"))


def test_a_reel_that_is_gone_or_broken_is_said(site: SimulatedSite, tmp_path: Path) -> None:
    camera = site.camera_ids[0]
    player = ReelPlayer(tmp_path, camera, 10.0)
    with pytest.raises(DataError, match=r"frame 3 of .*remove that folder"):
        player.frame(3)
    short = dataclasses.replace(KINDS["default"], size=(320, 180), fps=(0.2,))
    slow = SimulatedSite.make(short, seed=3, cameras=1, people=1)
    reel = Reel(slow.camera_ids[0], 0)
    write_reel(slow, reel, tmp_path)
    reel.video(tmp_path).write_bytes(b"no video")
    with pytest.raises(DataError, match="cannot be read"):
        ReelPlayer(tmp_path, reel.camera_id, 0.2).frame(1)


_ENDLESS = """
from pathlib import Path
from simulation.ahead import Stretch, render_ahead
from simulation.site import SimulatedSite
if __name__ == "__main__":
    import sys
    site = SimulatedSite.make(seed=3, cameras=2)
    render_ahead(site, Stretch(Path(sys.argv[1]), 0.0, 36000.0), workers=2, progress=lambda _: print(flush=True))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are listed in /proc")
def test_no_worker_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "endless.py"
    script.write_text(_ENDLESS)
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()  # a reel is done: everybody works
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        parent.kill()
    assert len(children) >= 2
    deadline = time.monotonic() + 20
    while any(_lives(child) for child in children):
        assert time.monotonic() < deadline, "a worker is still there"
        time.sleep(0.05)


def _lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_folder_that_cannot_be_written_is_said(site: SimulatedSite, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot render into"):
        render_ahead(site, Stretch(tmp_path / "file", 0.0, 1.0), workers=1, progress=lambda _: None)
    assert not multiprocessing.active_children()


def test_a_site_rendered_ahead_begins_again_after_its_end(site: SimulatedSite, stretch: Stretch) -> None:
    with LiveSite(site, ahead=stretch) as live:
        camera = site.camera_ids[0]
        pictures = live._pictures[camera]
        first = pictures.picture(5)
        assert np.array_equal(pictures.picture(5 + 120), first)
        truths = live.truths(camera)
        assert truths[5].frame_index == truths[125].frame_index == 155
        assert same(truths[5], site.render(camera, 155).truth)


def test_two_sites_that_differ_in_anything_have_two_folders() -> None:
    names = {
        site_folder_name(SiteRecipe(kind, seed, cameras, people))
        for kind in KINDS.values()
        for seed in (1, -1, 10**40)
        for cameras in (4, 5)
        for people in (12, 13)
    }
    assert len(names) == len(KINDS) * 3 * 2 * 2
    assert max(len(name) for name in names) < 60


def test_the_same_recipe_makes_the_same_site(site: SimulatedSite) -> None:
    again = SiteRecipe.of(site).make()
    assert again.people == site.people
    assert np.array_equal(again.render(again.camera_ids[1], 40).image, site.render(site.camera_ids[1], 40).image)


def test_the_shelf_is_where_the_user_keeps_such_things(tmp_path: Path) -> None:
    assert shelf_folder({"PASSERBY_HOME": str(tmp_path)}) == tmp_path.resolve() / "cache" / "footage"
    assert shelf_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path.resolve() / "passerby" / "footage"
    assert shelf_folder({}) == Path.home().resolve() / ".cache" / "passerby" / "footage"


def test_the_shelf_loses_what_was_not_used_for_longest(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "middle", "old")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "reel").write_bytes(bytes(1000))
        os.utime(tmp_path / name, ns=(10**18, 10**18 - age))
    assert tidy(tmp_path, most_bytes=3000) == []
    with (tmp_path / ".old.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        assert tidy(tmp_path, most_bytes=2000) == [tmp_path / "middle"]
    assert tidy(tmp_path, most_bytes=1000) == [tmp_path / "old"]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["new"]


def test_a_site_in_use_stays_whatever_its_size(site: SimulatedSite, tmp_path: Path) -> None:
    recipe = SiteRecipe.of(site)
    with kept_site(recipe, shelf=tmp_path, most_bytes=10) as folder:
        (folder / "reel").write_bytes(bytes(100))
        assert tidy(tmp_path, most_bytes=10) == []
    with kept_site(dataclasses.replace(recipe, seed=99), shelf=tmp_path, most_bytes=10):
        assert not folder.exists()


def test_a_shelf_that_cannot_be_made_is_said(site: SimulatedSite, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="set PASSERBY_HOME"), kept_site(SiteRecipe.of(site), shelf=tmp_path / "file"):
        pass
