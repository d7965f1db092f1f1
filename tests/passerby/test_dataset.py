"""`passerby dataset build`: from videos to an archive of crops."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from passerby.cli.app import main
from passerby.cli.collecting.building import collect
from passerby.cli.collecting.videos import videos_of
from passerby.errors import ConfigError, SourceError
from simulation.footage import write_footage
from tests.edge.engines import BrightnessDetector, ScriptedDetector
from tests.edge.footage import textured_picture, write_film
from tests.simulation.small_sites import small_site
from training.datasets.crops import CropArchive, CropWriter
from training.datasets.records import ArchiveSettings

HOW = ArchiveSettings(detector="walker@1", fps=10.0, crops_per_tracklet=3, min_person_height=64, min_confidence=None)


def build(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["passerby", "dataset", "build", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def film(path: Path, *, frames: int = 30) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_film(path, frames=frames, draw=textured_picture)


def test_people_of_a_film_are_kept_with_their_best_crops(tmp_path: Path) -> None:
    heard: list[int] = []
    (video,) = videos_of([str(film(tmp_path / "hall.mp4"))], camera_of="file")
    with CropWriter(tmp_path / "archive", HOW) as writer:
        record = collect(video, writer, detector=BrightnessDetector(), how=HOW, on_frame=heard.append)
        assert writer.finished(fingerprint=video.fingerprint) == record
    assert heard == list(range(1, 31))
    assert (record.camera, record.frames, record.tracklets, record.cut_short) == ("hall", 30, 1, "")
    with CropArchive(tmp_path / "archive") as archive:
        assert 2 <= len(archive) == record.crops <= 3
        assert archive.crop(0).shape[0] == 150  # as high as the detector's box
        assert np.all(np.diff(archive.qualities) <= 0)
        assert np.all((archive.captured_at_ns >= 0) & (archive.captured_at_ns < 3 * 10**9))


def test_small_people_and_nobody_leave_a_video_that_is_known_all_the_same(tmp_path: Path) -> None:
    (video,) = videos_of([str(film(tmp_path / "hall.mp4"))], camera_of="file")
    tall = ArchiveSettings(detector="w@1", fps=10.0, crops_per_tracklet=3, min_person_height=151, min_confidence=None)
    for folder, detector in (("small", BrightnessDetector()), ("nobody", ScriptedDetector())):
        with CropWriter(tmp_path / folder, tall) as writer:
            record = collect(video, writer, detector=detector, how=tall)
        assert (record.tracklets, record.crops, record.complete) == (0, 0, True)


@pytest.mark.parametrize("container", ["mkv", "avi"])
def test_what_was_read_of_a_broken_video_is_kept_and_it_is_said(container: str, tmp_path: Path) -> None:
    whole = film(tmp_path / f"whole.{container}", frames=45).read_bytes()
    broken = tmp_path / f"hall.{container}"
    broken.write_bytes(whole[: len(whole) * 4 // 10])
    (video,) = videos_of([str(broken)], camera_of="file")
    with CropWriter(tmp_path / "archive", HOW) as writer:
        record = collect(video, writer, detector=BrightnessDetector(), how=HOW)
    assert record.cut_short.startswith("it ends after")
    assert record.complete
    assert 5 < record.frames < 30
    with CropArchive(tmp_path / "archive") as archive:
        assert len(archive) == record.crops > 0


def test_what_is_no_video_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "hall.mp4").write_bytes(b"no video" * 1000)
    (video,) = videos_of([str(tmp_path / "hall.mp4")], camera_of="file")
    with CropWriter(tmp_path / "archive", HOW) as writer, pytest.raises(SourceError, match="not a video"):
        collect(video, writer, detector=BrightnessDetector(), how=HOW)
    with CropArchive(tmp_path / "archive") as archive:
        assert archive.videos == []


def test_cameras_are_named_by_files_or_folders(tmp_path: Path) -> None:
    one, two = film(tmp_path / "hall" / "0900.mp4", frames=2), film(tmp_path / "door" / "0900.mp4", frames=3)
    named = [str(one), str(two)]
    assert [video.camera for video in videos_of(named, camera_of="folder")] == ["hall", "door"]
    assert [video.camera for video in videos_of(named[:1], camera_of="file")] == ["0900"]
    assert len({video.fingerprint for video in videos_of(named, camera_of="folder")}) == 2
    with pytest.raises(ConfigError, match=r"both 0900\.mp4 of camera 0900; say --camera-of folder"):
        videos_of(named, camera_of="file")
    with pytest.raises(ConfigError, match=r"both 0900\.mp4 of camera hall$"):
        videos_of([named[0], named[0]], camera_of="folder")


def test_a_folder_nothing_and_a_stream_are_no_videos(tmp_path: Path) -> None:
    for wrong in (tmp_path, tmp_path / "none.mp4"):
        with pytest.raises(SourceError, match="no such file"):
            videos_of([str(wrong)], camera_of="file")
    with pytest.raises(ConfigError, match="expected a video file") as caught:
        videos_of(["rtsp://viewer:hunter2@127.0.0.1/sub"], camera_of="file")
    assert "hunter2" not in str(caught.value)


def test_a_rendered_site_becomes_an_archive_and_a_second_run_reads_nothing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = small_site(cameras=2)
    write_footage(site, tmp_path / "site", seconds=8.0, progress=lambda: None)
    videos = [str(file) for file in sorted((tmp_path / "site").glob("*.mp4"))]
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    arguments = [*videos, str(tmp_path / "broken.mp4"), "--out", str(tmp_path / "archive"), "--json"]
    how = [
        "--detector",
        "passerby-sim-detector",
        "--crops",
        "4",
        "--min-height",
        "24",
        "--engine",
        "onnxruntime",
        "--threads",
        "1",
    ]
    assert build(monkeypatch, *arguments, *how) == 1
    written = capsys.readouterr()
    assert "1 of 3 videos could not be read: " in written.err
    report = json.loads(written.out.splitlines()[-1])
    assert [one["state"] for one in report["videos"]] == ["read", "read", "failed"]
    assert report["crops"] > 4
    with CropArchive(tmp_path / "archive") as archive:
        assert len(archive) == report["crops"]
        assert archive.camera_names == tuple(Path(video).stem for video in videos)
        assert np.bincount(archive.tracklets).max() <= 4
        assert all(archive.crop(index).shape[0] >= 24 for index in range(len(archive)))
    assert build(monkeypatch, *videos, *arguments[3:], *how) == 0
    again = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [one["state"] for one in again["videos"]] == ["known", "known"]
    assert again["crops"] == report["crops"]
    assert build(monkeypatch, *videos, *arguments[3:], *how, "--fps", "2") == 1
    assert "was made with other settings: fps 5.0 there, 2.0 here" in capsys.readouterr().err


def test_real_footage_becomes_crops_of_people(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shared_data: Callable[[str], Path],
) -> None:
    monkeypatch.setenv("PASSERBY_MODEL_DIR", str(shared_data("models")))
    cam0 = shared_data("footage/fourcam/cam0.mp4")
    assert build(monkeypatch, str(cam0), "--out", str(tmp_path), "--fps", "2", "--crops", "8", "--threads", "1") == 0
    assert "cam0.mp4" in capsys.readouterr().out
    with CropArchive(tmp_path) as archive:
        assert len(archive) >= 8
        assert 2 <= len(np.unique(archive.tracklets)) <= 8
        crops = [archive.crop(index) for index in range(len(archive))]
    assert all(crop.shape[0] > crop.shape[1] for crop in crops[:8])
    assert min(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).std() for crop in crops) > 10
