"""Where a replay keeps the hub's data, and what it never deletes."""

from pathlib import Path

import pytest
from typer.main import get_command

from passerby.cli.app import app
from passerby.errors import ConfigError, DataError
from passerby.tape import TapeWriter


def replay(tape: Path, *options: str) -> None:
    get_command(app).main(["replay", str(tape), *options], standalone_mode=False)


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    file = tmp_path / "empty.tape"
    TapeWriter(file).close()
    return file


def test_an_earlier_replay_is_replaced(tape: Path, tmp_path: Path) -> None:
    replay(tape, "--out", str(tmp_path / "out"))
    left = tmp_path / "out" / "hub-data" / "left"
    left.touch()
    replay(tape, "--out", str(tmp_path / "out"))
    assert not left.exists()
    assert (tmp_path / "out" / "events.jsonl").read_text() == ""


def test_the_data_of_a_site_are_not(tape: Path, tmp_path: Path) -> None:
    database = tmp_path / "hub-data" / "passerby.sqlite"
    database.parent.mkdir()
    database.write_bytes(b"a year of work")
    with pytest.raises(ConfigError, match="was not made by `passerby replay`"):
        replay(tape, "--out", str(tmp_path))
    assert database.read_bytes() == b"a year of work"


def test_nor_the_data_of_the_site_that_is_named(tape: Path, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: plaza\ndata: data\ncameras: {hall: {url: hall.mp4}}\n")
    for out in (tmp_path, tmp_path / "data"):
        with pytest.raises(ConfigError, match="holds the site's own data"):
            replay(tape, "--config", str(site), "--out", str(out))


def test_what_is_no_tape_replaces_nothing(tape: Path, tmp_path: Path) -> None:
    replay(tape, "--out", str(tmp_path / "out"))
    left = tmp_path / "out" / "hub-data" / "left"
    left.touch()
    with pytest.raises(DataError, match="cannot read the tape"):
        replay(tmp_path / "missing.tape", "--out", str(tmp_path / "out"))
    assert left.exists()
