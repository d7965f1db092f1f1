"""How a store is organized outlives the hub: a restart searches as if there had been none."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hub.database.storage import DatabaseStorage
from hub.identity_store import ExactStore, Neighbours, UnitVectors
from hub.rehearsal import Rehearsal
from hub.site_hub import Hub
from passerby.errors import StoreError
from passerby.ids import ModelId
from tests.hub.people import Sender, at, seen


class Remembering(ExactStore):
    """Its structure is the most prototypes that it was ever searched with."""

    def __init__(self, model_id: ModelId, dimension: int) -> None:
        super().__init__(model_id, dimension)
        self.structure = b""

    def search(self, queries: UnitVectors, *, k: int) -> Neighbours:
        most = max(len(self), int(self.structure or b"0"))
        if most != int(self.structure or b"0"):
            self.structure = b"%d" % most
        return super().search(queries, k=k)

    def restore_structure(self, structure: bytes) -> None:
        super().restore_structure(structure)
        if structure and not structure.isdigit():
            raise StoreError(f"structure {structure!r} is no number")
        self.structure = structure


class Opened:
    """Makes stores, and has them."""

    def __init__(self) -> None:
        self.stores: list[Remembering] = []

    def __call__(self, model_id: ModelId, dimension: int) -> Remembering:
        self.stores.append(Remembering(model_id, dimension))
        return self.stores[-1]


def meet(hub: Hub, sender: Sender, *people: int) -> None:
    for person in people:
        begin = 10.0 * person
        update = seen(person, tracklet=person, begin_s=begin, end_s=begin + 2, final=True)
        hub.ingest(sender.send(update), now_ns=at(begin + 2))


def test_a_structure_is_there_again_after_a_restart(tmp_path: Path) -> None:
    first, second, sender = Opened(), Opened(), Sender()
    with Hub.open(tmp_path, store=first) as hub:
        meet(hub, sender, 1, 2, 3)
    assert int(first.stores[0].structure) >= 2
    with Hub.open(tmp_path, store=second):
        assert second.stores[0].structure == first.stores[0].structure


def test_a_failed_step_goes_back_to_the_structure_that_is_kept(tmp_path: Path) -> None:
    opened, sender, storage = Opened(), Sender(), DatabaseStorage(tmp_path)
    with Hub.on(storage, store=opened) as hub:
        meet(hub, sender, 1, 2)
        kept = opened.stores[-1].structure
        with storage.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite takes it as: no more than there are now
        many = [seen(n, tracklet=n, begin_s=40, end_s=200, crops={1: b"jpeg"}) for n in range(3, 40)]
        with pytest.raises(StoreError, match="full"):
            hub.ingest(sender.send(*many), now_ns=at(200))
        assert int(opened.stores[0].structure) > int(kept), "the step had gone that far"
        assert opened.stores[-1].structure == kept


def test_a_damaged_structure_costs_nothing_but_the_work(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sender = Sender()
    with Hub.open(tmp_path, store=Opened()) as hub:
        meet(hub, sender, 1, 2)
    with closing(sqlite3.connect(tmp_path / "passerby.sqlite")) as database, database:
        database.execute("UPDATE search_structures SET structure = ?", (b"rubbish",))
    opened = Opened()
    with Hub.open(tmp_path, store=opened) as hub:
        assert "is no number; the prototypes of" in caplog.text
        meet(hub, sender, 3)
        assert sorted(hub.state.identities) == [1, 2, 3]
        assert opened.stores[-1].structure.isdigit()


def test_a_rehearsal_keeps_nothing() -> None:
    opened = Opened()
    rehearsal = Rehearsal(store=opened)
    meet(rehearsal.hub, Sender(), 1, 2)
    assert opened.stores[0].structure
