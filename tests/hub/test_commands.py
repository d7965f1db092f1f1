"""`passerby watch` and `passerby identities`, over data that a hub has written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.site_hub import Hub
from passerby.cli.identities import app as identities
from passerby.errors import ConfigError, DataError, StoreError
from tests.hub.people import Sender, at, seen


@pytest.fixture
def data(tmp_path: Path) -> Path:
    sender = Sender()
    with Hub.open(tmp_path / "data") as hub:
        hub.ingest(sender.send(seen(1, "lobby", tracklet=1, final=True, crops={1: b"jpeg"})), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "hall", tracklet=2, begin_s=14, end_s=16)), now_ns=at(16))
        hub.ingest(sender.send(seen(2, "hall", tracklet=3, begin_s=14, end_s=16)), now_ns=at(16))
    return tmp_path / "data"


def output(*arguments: object) -> str:
    result = CliRunner().invoke(identities, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def watch(*arguments: object) -> list[str]:
    command = [sys.executable, "-m", "passerby", "watch", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return run.stdout.splitlines()


def test_list_tells_cameras_and_times(data: Path) -> None:
    listed = json.loads(output("list", "--data", data, "--json"))
    assert [(one["identity"], one["cameras"], one["tracklets"]) for one in listed] == [
        (1, ["lobby", "hall"], 2),
        (2, ["hall"], 1),
    ]
    assert (listed[0]["first_seen_at_ns"], listed[0]["last_seen_at_ns"]) == (at(0), at(16))
    assert "lobby, hall" in output("list", "--data", data)


def test_show_tells_the_timeline_and_writes_the_crops(data: Path, tmp_path: Path) -> None:
    shown = json.loads(output("show", 1, "--data", data, "--json", "--crops", tmp_path / "crops"))
    assert [sighting["camera"] for sighting in shown["timeline"]] == ["lobby", "hall"]
    assert [one["kind"] for one in shown["events"]] == ["created", "linked"]
    assert [file.read_bytes() for file in (tmp_path / "crops").iterdir()] == [b"jpeg"]
    text = output("show", 1, "--data", data)
    assert "person 1: active, 2 tracklets" in text
    assert "was seen in lobby 12 s before" in text


def test_nobody_of_that_number(data: Path) -> None:
    with pytest.raises(DataError, match="no person 99"):
        output("show", 99, "--data", data)


def test_the_site_is_named_once() -> None:
    with pytest.raises(ConfigError, match="--data DIR"):
        output("list")


def test_a_folder_without_data_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no passerby"):
        output("list", "--data", tmp_path)


def test_watch_tells_each_decision_in_words_or_json(data: Path) -> None:
    lines = watch("--data", data, "--since", 0, "--for", 0)
    assert [line.split(" ", 1)[1].split(" (")[0] for line in lines] == [
        "lobby tracklet 1 -> new person 1",
        "hall tracklet 2 -> person 1",
        "hall tracklet 3 -> new person 2",
    ]
    assert "was seen in lobby 12 s before" in lines[1]
    linked = json.loads(watch("--data", data, "--since", 1, "--for", 0, "--json")[0])
    assert linked["seen_before"] == {"camera": "lobby", "tracklet": 1, "seconds": 12.0}
