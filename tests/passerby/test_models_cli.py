"""`passerby models`, as a user types it."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from passerby.cli.app import main
from tests.passerby.tiny_networks import tiny_camera_embedder, tiny_embedder


@dataclass
class Ended:
    """What a command wrote, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Ended]


@pytest.fixture
def passerby(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("PASSERBY_MODEL_DIR", str(tmp_path / "own"))
    monkeypatch.setenv("PASSERBY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["passerby", "models", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return Ended(int(ended.value.code or 0), written.out, written.err)

    return run


def test_list_shows_every_model_on_a_terminal_of_80_columns(passerby: Run, tmp_path: Path) -> None:
    tiny_embedder(tmp_path / "own" / "mine.onnx")
    listed = passerby("list")
    assert listed.returncode == 0, listed.stderr
    assert "mine " in listed.stdout
    assert "person-reidentification-retail-0288" in listed.stdout
    assert str(tmp_path / "own") in listed.stdout


def test_list_as_json_has_hashes_and_licences(passerby: Run, tmp_path: Path) -> None:
    tiny_embedder(tmp_path / "own" / "mine.onnx")
    listed = {entry["name"]: entry for entry in json.loads(passerby("list", "--json").stdout)}
    assert len(listed["mine"]["files"][0]["sha384"]) == 96
    assert listed["mine"]["place"] == "operator"
    assert listed["yolo26n"]["weights_licence"].startswith("AGPL-3.0")


def test_show_describes_a_file(passerby: Run, tmp_path: Path) -> None:
    tiny_embedder(tmp_path / "mine.onnx")
    shown = passerby("show", str(tmp_path / "mine.onnx"))
    assert "embedding of 4 numbers" in shown.stdout
    as_json = json.loads(passerby("show", str(tmp_path / "mine.onnx"), "--json").stdout)
    assert as_json["input"]["height"] == 16
    assert as_json["files"][0]["sha256"] in shown.stdout


def test_show_names_the_cameras_that_a_network_has_statistics_of(passerby: Run, tmp_path: Path) -> None:
    tiny_camera_embedder(tmp_path / "rows.onnx", cameras=["hall", "yard"])
    shown = passerby("show", str(tmp_path / "rows.onnx"))
    assert "hall, yard; the site for others" in shown.stdout


def test_show_says_how_to_get_what_is_absent(passerby: Run) -> None:
    shown = passerby("show", "osnet_x0_25_msmt17")
    assert "passerby models export osnet_x0_25_msmt17.pth" in shown.stdout
    assert "pip install 'passerby[training]'" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("show", "nothing"), "model 'nothing' is not here"),
        (("pull", "nothing"), "no model is called 'nothing'"),
        (("pull", "yolo11n"), "no verified address is known for yolo11n"),
        (("export", "model.bin", "--out", "x.onnx"), "cannot export 'model.bin'"),
        (("export", "nothing.pth", "--out", "x.onnx"), "nothing.pth: cannot read the state dict"),
        (("export", "nothing.pth", "--out", "x.onnx", "--crops", "no-folder"), "no-folder: no pictures"),
    ],
)
def test_a_mistake_is_one_line(passerby: Run, arguments: tuple[str, ...], reason: str) -> None:
    failed = passerby(*arguments)
    assert failed.returncode == 1
    assert reason in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1
