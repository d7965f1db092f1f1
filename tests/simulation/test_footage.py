"""Files: videos that can be replayed, MOT rows, and true transits and overlaps."""

import subprocess
import sys
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest
import yaml

from passerby.config import load_site
from passerby.errors import ConfigError
from passerby.ids import CameraId
from simulation.footage import frames_to_render, write_footage
from simulation.ground_truth import Sighting, SiteTruth, TruthRecorder, mot_rows, overlaps, transits
from simulation.sheets import contact_sheet
from simulation.truth import FrameTruth
from tests.simulation.small_sites import small_site


def seen(person: int, camera: str, begin: float, end: float) -> Sighting:
    return Sighting(person=person, camera=camera, begin_s=begin, end_s=end)


def truth_of(camera: CameraId, frame: int, *, people: list[int], visibility: float = 1.0) -> FrameTruth:
    count = len(people)
    boxes = np.tile(np.array([10, 20, 40, 90], np.float32), (count, 1))
    return FrameTruth(
        camera, frame, frame / 10, np.array(people, np.int64), boxes, boxes,
        np.full(count, visibility, np.float32), np.zeros((count, 2), np.float32),
    )  # fmt: skip


def test_rows_are_as_the_mot_format_has_them() -> None:
    rows = list(mot_rows(truth_of(CameraId("a"), 4, people=[7], visibility=0.5)))
    assert rows == ["5,7,10.0,20.0,30.0,70.0,1,1,0.500"]
    assert not list(mot_rows(truth_of(CameraId("a"), 4, people=[])))


def test_a_transit_is_from_one_camera_to_the_next() -> None:
    found = transits([seen(1, "a", 0, 5), seen(1, "b", 9, 12), seen(2, "a", 1, 2), seen(1, "b", 20, 22)])
    assert [(t.person, t.from_camera, t.to_camera, t.seconds) for t in found] == [(1, "a", "b", 4.0)]


def test_both_at_once_is_an_overlap_and_a_negative_transit() -> None:
    sightings = [seen(1, "b", 4, 12), seen(1, "a", 0, 5)]
    assert transits(sightings)[0].seconds == -1.0
    assert [(o.cameras, o.seconds) for o in overlaps(sightings)] == [(("a", "b"), 1.0)]


def test_nothing_seen_is_no_transit() -> None:
    assert transits([]) == []
    assert overlaps([]) == []
    assert transits([seen(1, "a", 0, 1)]) == []


def test_a_short_gap_does_not_end_a_sighting_and_hardly_visible_people_are_not_seen() -> None:
    site = small_site(cameras=1)
    camera = site.camera_ids[0]
    recorder = TruthRecorder(site)
    for frame in (*range(10), *range(20, 30), *range(60, 70)):
        recorder.add(truth_of(camera, frame, people=[1]))
    recorder.add(truth_of(camera, 70, people=[2], visibility=0.05))
    found = recorder.finish().sightings
    assert [(s.person, s.begin_s, s.end_s) for s in found] == [(1, 0.0, 2.9), (1, 6.0, 6.9)]


def test_a_site_is_written_and_can_be_read(tmp_path: Path) -> None:
    site = small_site(cameras=2)
    steps: list[int] = []
    written = write_footage(site, tmp_path, seconds=2.0, progress=lambda: steps.append(1))
    assert written.frames == len(steps) == frames_to_render(site, 2.0) == 40
    loaded = load_site(written.site_file)
    assert list(loaded.cameras) == list(site.camera_ids)
    truth = msgspec.json.decode((tmp_path / "truth.json").read_bytes(), type=SiteTruth)
    assert truth.seconds == 2.0
    assert truth.kind_version >= 1
    assert written.people == truth.people
    for camera in site.camera_ids:
        with av.open(str(tmp_path / f"{camera}.mp4")) as video:
            frames = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
        assert len(frames) == 20
        original = site.render(camera, 19)
        assert np.abs(frames[19].astype(int) - original.image).mean() < 8
        rows = (tmp_path / "gt" / f"{camera}.txt").read_text().splitlines()
        assert [row for row in rows if row.startswith("20,")] == list(mot_rows(original.truth))


def test_less_than_a_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="less than one frame"):
        write_footage(small_site(), tmp_path, seconds=0.01, progress=lambda: None)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot make the folder"):
        write_footage(small_site(), tmp_path / "file", seconds=1.0, progress=lambda: None)


def test_a_sheet_shows_all_cameras() -> None:
    site = small_site(cameras=3)
    sheet = contact_sheet(site, times_s=[1.0, 2.0], columns=3)
    assert sheet.shape == (360, 960, 3)
    assert not np.array_equal(sheet, contact_sheet(site, times_s=[1.0, 2.0], columns=3, boxes=False))


def test_the_command_renders_a_site(tmp_path: Path) -> None:
    arguments = ["--kind", "sparse", "--seed", "-3", "--cameras", "1", "--seconds", "1", "--out", str(tmp_path / "s")]
    command = [sys.executable, "-m", "passerby", "simulate", *arguments, "--sheet", str(tmp_path / "sheet.png")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "version 1" in done.stdout
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
    site = yaml.safe_load((tmp_path / "s" / "site.yaml").read_text())
    assert len(site["cameras"]) == 1


def test_the_command_says_what_is_missing() -> None:
    command = [sys.executable, "-m", "passerby", "simulate", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "--out FOLDER" in done.stderr
