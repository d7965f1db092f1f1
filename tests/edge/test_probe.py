"""What `passerby camera probe` says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge.probe import judge, probe
from passerby.cli.app import app
from passerby.config import CameraSettings
from passerby.inference import load_detector
from passerby.models import read_model
from tests.edge.engines import BrightnessDetector, ScriptedDetector
from tests.edge.footage import write_film


def test_people_are_measured_and_the_stream_described(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mp4", frames=40, keyframe_every=10)
    report = probe(CameraSettings(url=str(film), fps=5.0), BrightnessDetector(), seconds=10)
    assert (report.stream.codec, report.stream.width, report.stream.height) == ("h264", 320, 240)
    assert report.stream.fps == 10
    assert report.keyframe_interval_s == pytest.approx(1.0)
    assert report.median_person_height == 150
    assert report.usable
    assert report.frames_looked_at == 12


def test_an_empty_room_is_said_to_be_empty(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mp4", frames=10)
    report = probe(CameraSettings(url=str(film), fps=5.0), ScriptedDetector(), seconds=10)
    assert report.median_person_height is None
    assert "nobody" in report.verdict


@pytest.mark.parametrize(
    ("height", "frames", "fps", "gop", "usable", "words"),
    [
        (41, 12, 25.0, None, False, "too small"),
        (64, 12, 25.0, None, True, "usable"),
        (200, 12, 25.0, 10.0, True, "keyframe comes only every 10 s"),
        (200, 12, 1.0, None, False, "too slow"),
        (None, 0, 25.0, None, False, "no picture"),
    ],
)
def test_the_verdict(*, height, frames, fps, gop, usable, words) -> None:
    said = judge(median_height=height, frames=frames, fps=fps, keyframe_interval_s=gop)
    assert said[0] == usable
    assert words in said[1]


def test_the_command_on_real_footage(shared_data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSERBY_MODEL_DIR", str(shared_data("models")))
    film = shared_data("footage/fourcam/cam0.mp4")
    result = CliRunner().invoke(app, ["camera", "probe", str(film), "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout.splitlines()[-1])
    assert (said["codec"], said["width"], said["height"], said["fps"]) == ("h264", 1288, 728, 10.0)
    assert 150 < said["median_person_height"] < 350
    detector = load_detector(read_model(shared_data("models") / "person-detection-retail-0013.xml"), threads=1)
    assert probe(CameraSettings(url=str(film), fps=2.0), detector, seconds=30).people_seen == said["people_seen"]


def test_the_password_comes_from_the_environment_and_is_never_shown(
    shared_data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSERBY_MODEL_DIR", str(shared_data("models")))
    monkeypatch.setenv("CAM_PASS", "s3c/ret")
    url = "rtsp://operator:{CAM_PASS}@127.0.0.1:9/x"
    result = CliRunner().invoke(app, ["camera", "probe", url, "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout.splitlines()[-1])["error"] == "SourceRefusedError"
    assert "s3c" not in result.output
    assert "operator" not in result.output


@pytest.mark.parametrize(("arguments", "code"), [(["x.mp4", "--transport", "smoke"], 2), ([""], 2)])
def test_wrong_arguments_are_said_without_a_trace(arguments: list[str], code: int) -> None:
    command = [sys.executable, "-m", "passerby", "camera", "probe", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "smoke" in done.stderr or "empty" in done.stderr
