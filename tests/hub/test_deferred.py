"""Writing with delay leads to the same rows as writing at once."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.association import Assignment, LinkProblem, PlainAssociator
from hub.crops import CropStore
from hub.database import deferred
from hub.database.deferred import DeferredStorage
from hub.database.opening import FILE_NAME
from hub.playback import Playback, batches
from hub.site_hub import Hub
from passerby.config import AssociationSettings
from passerby.errors import StoreError
from passerby.ids import IdentityId, TrackletId
from passerby.tape import read_tape
from simulation.site import SimulatedSite
from simulation.tapes.recording import record_tape
from tests.hub.people import Sender, at, seen

SETTINGS = AssociationSettings(forget_after_s=30)


def rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with sqlite3.connect(folder / FILE_NAME) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}  # noqa: S608
    connection.close()
    return found


@pytest.mark.parametrize("most_pending", [1, 50, 10**9])
def test_a_tape_leads_to_the_same_rows(tmp_path: Path, most_pending: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "MOST_PENDING", most_pending)
    tape = tmp_path / "site.tape"
    record_tape(SimulatedSite.make("default", seed=6, cameras=3), tape, seconds=90, progress=lambda _: None)
    at_once, later = tmp_path / "at-once", tmp_path / "later"
    for hub in (Hub.open(at_once, association=SETTINGS), Hub.on(DeferredStorage(later), association=SETTINGS)):
        with hub:
            playback = Playback(hub)
            for batch in batches(read_tape(tape)):
                playback.take(batch)
            playback.finish()
    assert rows(later) == rows(at_once)
    assert any(event[2] == "merged" for event in rows(later)["events"])


def test_what_waits_and_what_is_written_is_found_with_its_merges(tmp_path: Path) -> None:
    sender, storage = Sender(), DeferredStorage(tmp_path)
    with Hub.on(storage) as hub:
        hub.ingest(sender.send(seen(1, tracklet=1, final=True), seen(2, tracklet=2, final=True)), now_ns=at(2))
        waiting = storage.find_tracklet(sender.boot_id, TrackletId(2))
        storage._write()
        written = storage.find_tracklet(sender.boot_id, TrackletId(2))
        assert waiting == written
        assert waiting is not None
        assert storage.find_tracklet(sender.boot_id, TrackletId(3)) is None
        storage._pending.merges.append((IdentityId(1), IdentityId(2)))
        merged = storage.find_tracklet(sender.boot_id, TrackletId(2))
        assert merged is not None
        assert merged.identity_id == 1


def test_crops_are_those_that_were_the_best_in_the_end(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.on(DeferredStorage(tmp_path)) as hub:
        hub.ingest(sender.send(seen(1, crops={1: b"one", 2: b"two"})), now_ns=at(2))
        hub.ingest(sender.send(seen(1, revision=2, end_s=3, exemplars=1)), now_ns=at(3))
    with CropStore.open_for_reading(tmp_path) as crops:
        assert crops.crop_ids(1) == [1]  # type: ignore[arg-type]


def test_a_folder_with_data_is_refused(tmp_path: Path) -> None:
    with Hub.open(tmp_path) as hub:
        hub.ingest(Sender().send(seen(1)), now_ns=at(2))
    with pytest.raises(StoreError, match="there are data already"):
        Hub.on(DeferredStorage(tmp_path))
    Hub.open(tmp_path).close()  # and it is let go of


def test_a_step_that_fails_ends_it(tmp_path: Path) -> None:
    class Broken(PlainAssociator):
        def link(self, problem: LinkProblem) -> Sequence[Assignment]:
            raise ValueError("this fails")

    sender = Sender()
    with Hub.on(DeferredStorage(tmp_path), associator=Broken()) as hub:
        with pytest.raises(ValueError, match="this fails"):
            hub.ingest(sender.send(seen(1)), now_ns=at(2))
        with pytest.raises(StoreError, match="start anew"):
            hub.tick(at(3))
    assert rows(tmp_path)["tracklets"] == []
