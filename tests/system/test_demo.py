"""`passerby demo`: the whole system on a simulated site, from one command, with figures."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml

from passerby.shipped import shipped_config
from simulation.site import SimulatedSite

pytestmark = pytest.mark.system


def demo(folder: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    """Run it; the figures of its last line, and everything it printed."""
    command = [sys.executable, "-m", "passerby", "demo", "--data", str(folder), "--json", "--headless", *arguments]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False, cwd=folder.parent
    )
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures, done.stdout + done.stderr


def test_a_simulated_site_is_watched_and_measured(tmp_path: Path) -> None:
    figures, said = demo(tmp_path / "data", "--seconds", "30", "--cameras", "2", "--seed", "-20261", "--fps", "5")
    assert figures["cameras"] == 2
    assert figures["frames"] > 100
    assert figures["tracklets"] > 0
    assert figures["identities_true"] > 1
    assert figures["identities_found"] > 0
    assert 0.2 < figures["idf1"] <= 1
    assert 0.2 < figures["hota_final"] <= 1
    assert figures["latency_ms_p50"] > 0
    assert figures["reconnects"] == 0
    assert figures["cpu_seconds"] > 1
    assert figures["rss_mb"] > 100
    written = "".join(
        path.read_text(errors="replace") for path in (tmp_path / "data").rglob("*") if path.suffix in {".yaml", ".log"}
    )
    assert "PASSERBY_DEMO_PASSWORD" in written
    assert "rtsp://demo:" not in (said + written).replace("rtsp://demo:{PASSERBY_DEMO_PASSWORD}@", "")


def test_a_dropped_camera_comes_back(tmp_path: Path) -> None:
    figures, _ = demo(
        tmp_path / "data", "--seconds", "45", "--cameras", "2", "--seed", "5", "--fps", "5", "--fault", "drop"
    )
    assert figures["reconnects"] > 0
    assert figures["fps"] > 0.5


def test_a_site_rendered_ahead_is_measured_like_a_live_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSERBY_HOME", str(tmp_path / "home"))
    figures, _ = demo(
        tmp_path / "data", "--ahead", "--seconds", "20", "--cameras", "2", "--seed", "-20261", "--fps", "5"
    )
    assert figures["rendered"] == "ahead"
    assert figures["fps"] > 0.9
    assert figures["identities_true"] > 1
    assert 0.2 < figures["idf1"] <= 1
    assert list((tmp_path / "home" / "cache" / "footage").glob("default-*/*/*.mp4"))


def test_pictures_show_the_cameras_and_the_people(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "passerby", "demo", "--cameras", "2", "--seed", "7", "--seconds", "20"]
    command += ["--data", str(tmp_path / "data"), "--pictures", str(tmp_path / "pictures")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    sheet = cv2.imread(str(tmp_path / "pictures" / "cameras.jpg"))
    assert sheet is not None
    assert sheet.shape[1] > 2 * 640
    assert "cameras.jpg" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pictures", "p", "--seconds", "5"], "runs nothing live"),
        (["--fault", "fire", "--seconds", "5"], "no such fault"),
        (["--kind", "empty", "--seconds", "5"], "no kind of site is called 'empty'"),
        ([], "give --seconds too"),
    ],
)
def test_wrong_wishes_are_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    command = [sys.executable, "-m", "passerby", "demo", "--data", str(tmp_path / "data"), "--json", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_shipped_site_file_is_that_of_the_default_demo() -> None:
    shipped = yaml.safe_load(shipped_config("demo.yaml").read_text(encoding="utf-8"))
    assert list(shipped["cameras"]) == list(SimulatedSite.make("default", seed=1).camera_ids)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("years of work")
    command = [sys.executable, "-m", "passerby", "demo", "--data", str(tmp_path / "data"), "--seconds", "5"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "was not made by" in done.stderr
    assert (tmp_path / "data" / "thesis.txt").read_text() == "years of work"
