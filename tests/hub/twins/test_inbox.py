"""Twins come as files, are taken once, and what is damaged harms nobody."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hub.association import PlainAssociator
from hub.records import TrackletNumber
from hub.site_hub import Hub
from hub.twins.inbox import AT_ONCE, TwinInbox
from passerby.adaptation.twins import FOLDER_NAME, Twins, read_twins, write_twins
from passerby.errors import DataError
from passerby.ids import ModelId
from tests.hub.fingerprint import fingerprint
from tests.hub.people import MODEL, Sender, at, seen
from tests.hub.twins.made_up import OTHER, twins


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        updates = [seen(n, "hall", tracklet=n, begin_s=5.0 * n, end_s=5.0 * n + 2, final=True) for n in range(1, 8)]
        hub.ingest(Sender().send(*updates), now_ns=at(40))
        yield hub


def made(hub: Hub, number: int) -> Twins:
    return twins([(hub.state.tracklets[TrackletNumber(number)], number)])


def put(data: Path, name: str, batch: Twins) -> Path:
    file = data / FOLDER_NAME / f"{name}.npz"
    write_twins(file, batch)
    return file


def test_files_are_taken_in_their_order_some_at_a_time_and_are_gone(tmp_path: Path, hub: Hub) -> None:
    inbox = TwinInbox(hub, tmp_path)
    assert inbox.serve() == 0  # there is no folder yet
    for number in range(1, 8):
        put(tmp_path, f"{number:03}", made(hub, number))
    assert inbox.serve() == AT_ONCE
    assert [file.stem for file in sorted((tmp_path / FOLDER_NAME).iterdir())] == ["005", "006", "007"]
    assert [inbox.serve(), inbox.serve()] == [7 - AT_ONCE, 0]
    assert len(hub.state.spaces[OTHER]) == 7


def test_what_was_taken_before_a_kill_has_no_effect_again(tmp_path: Path, hub: Hub) -> None:
    inbox = TwinInbox(hub, tmp_path)
    file = put(tmp_path, "a", made(hub, 1))
    shutil.copy(file, tmp_path / "kept.npz")
    assert inbox.serve() == 1
    before = fingerprint(hub.state)
    shutil.copy(tmp_path / "kept.npz", file)
    assert inbox.serve() == 0
    assert not file.exists()
    assert fingerprint(hub.state) == before


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04 nor this"])
def test_a_damaged_file_is_moved_aside_and_the_others_are_taken(
    tmp_path: Path, hub: Hub, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "b", made(hub, 1))
    bad = tmp_path / FOLDER_NAME / "a.npz"
    bad.write_bytes(content)
    assert TwinInbox(hub, tmp_path).serve() == 1
    assert [file.name for file in (tmp_path / FOLDER_NAME).iterdir()] == ["a.npz.damaged"]
    (line,) = [record.message for record in caplog.records]
    assert str(bad) in line


def test_a_file_cut_short_anywhere_is_damaged(tmp_path: Path, hub: Hub) -> None:
    file = put(tmp_path, "a", made(hub, 1))
    whole = file.read_bytes()
    for length in range(0, len(whole), 37):
        file.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"a\.npz"):
            read_twins(file)


def test_twins_of_another_length_than_the_models_are_moved_aside(tmp_path: Path, hub: Hub) -> None:
    put(tmp_path, "a", replace(made(hub, 1), model_id=MODEL))
    put(tmp_path, "b", made(hub, 1))
    short = made(hub, 2)
    put(tmp_path, "c", replace(short, embeddings=short.embeddings[:, :20].copy()))
    inbox = TwinInbox(hub, tmp_path)
    assert inbox.serve() == 1  # with it the length is known, and the other file is asked again
    assert inbox.serve() == 0
    names = sorted(file.name for file in (tmp_path / FOLDER_NAME).iterdir())
    assert names == ["a.npz.damaged", "c.npz.damaged"]


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    batch = Twins(
        model_id=ModelId("häßlich@1"),
        numbers=np.array([3, 1], np.int64),
        revisions=np.array([1, 2**40], np.int64),
        embeddings=np.array([[1e-20, -1.0], [3e18, 0.0]], np.float32),
        mapped=np.array([True, False]),
    )
    write_twins(tmp_path / "new" / "a.npz", batch)
    back = read_twins(tmp_path / "new" / "a.npz")
    assert (back.model_id, back.dimension, len(back)) == (batch.model_id, 2, 2)
    for name in ("numbers", "revisions", "embeddings", "mapped"):
        one, other = getattr(back, name), getattr(batch, name)
        assert (one.dtype, one.tolist()) == (other.dtype, other.tolist())
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["a.npz"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, 3e38])
def test_what_has_no_direction_is_no_twin(bad: float) -> None:
    with pytest.raises(DataError, match="expected a direction"):
        Twins(
            model_id=OTHER,
            numbers=np.array([1], np.int64),
            revisions=np.array([1], np.int64),
            embeddings=np.full((1, 4), bad, np.float32),
            mapped=np.array([False]),
        )
