"""Who is erased is gone: rows, pictures, names, vectors, down to the bytes on the disk."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hub.corrections.acts import Erase, Merge, Rename, Undo
from hub.crops import CropStore
from hub.database.opening import open_for_reading, open_for_writing
from hub.reader import SiteReader
from hub.records import EventKind, IdentityState, TrackletNumber
from hub.site_hub import Hub
from passerby.errors import DataError
from passerby.ids import IdentityId
from tests.hub.corrections.operators import Operator
from tests.hub.people import MODEL, Sender, at, look, seen

ONE, TWO = IdentityId(1), IdentityId(2)
SMALL, LARGE = b"small picture of Ada" * 5, b"a large picture of Ada" * 2000
NAME = "Ada Lovelace-Byron"


def files(data: Path) -> dict[str, bytes]:
    return {str(file.relative_to(data)): file.read_bytes() for file in data.rglob("*") if file.is_file()}


def where(data: Path, *texts: bytes) -> list[str]:
    return [name for name, content in files(data).items() if any(text in content for text in texts)]


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def hub(tmp_path: Path, sender: Sender) -> Iterator[Hub]:
    """Ada in two cameras under two numbers that an operator has merged, with a name; and somebody else."""
    with Hub.open(tmp_path / "data") as hub:
        ada = seen(1, "hall", tracklet=1, embedding=look(1), crops={1: SMALL, 2: LARGE})
        other = seen(2, "hall", tracklet=2, embedding=look(2), crops={1: b"somebody else" * 100})
        hub.ingest(sender.send(ada, other), now_ns=at(2))
        again = seen(9, "lobby", tracklet=3, begin_s=4, end_s=6, embedding=look(9), crops={1: LARGE})
        hub.ingest(sender.send(again), now_ns=at(6))
        operator = Operator(tmp_path / "data")
        operator.ask(hub, Rename(identity=IdentityId(3), name=NAME), now_ns=at(7))
        operator.ask(hub, Merge(survivor=ONE, absorbed=IdentityId(3)), now_ns=at(7))
        yield hub


def test_nothing_is_left_but_numbers(tmp_path: Path, hub: Hub) -> None:
    data = tmp_path / "data"
    vectors = (look(1).tobytes(), look(9).tobytes())
    assert where(data, *vectors)
    assert where(data, SMALL[:40], LARGE[:40])
    assert where(data, NAME.encode())
    outcome = Operator(data).ask(hub, Erase(identity=ONE), now_ns=at(8), request_id="erase")
    assert outcome.erased is not None
    assert (outcome.erased.identities, outcome.erased.tracklets, outcome.erased.names) == ((1, 3), 2, 2)
    assert where(data, *vectors, SMALL[:40], LARGE[:40], NAME.encode()) == []
    with SiteReader(data) as reader:
        assert [t.number for t in reader.tracklets()] == [2]
        tombstone = reader.identity(ONE)
        assert tombstone is not None
        assert (tombstone.state, tombstone.name) == (IdentityState.ERASED, None)
        assert [e.kind for e in reader.events_of(ONE)][-1] is EventKind.ERASED
        assert len(reader.observations(TrackletNumber(1))) == len(reader.exemplars(TrackletNumber(1))) == 0
        assert [act.actor for act in reader.acts()] == ["tester"] * 3
    assert outcome.erased.from_statistics == 2
    hub.close()
    with CropStore.open_for_reading(data) as crops:
        assert (crops.crop_ids(TrackletNumber(1)), crops.crop_ids(TrackletNumber(2))) == ([], [1])
    assert where(data, b"somebody else") == ["crops.lmdb/data.mdb"]


def test_an_edge_that_still_speaks_of_them_is_not_listened_to(tmp_path: Path, hub: Hub, sender: Sender) -> None:
    Operator(tmp_path / "data").ask(hub, Erase(identity=ONE), now_ns=at(8))
    update = seen(1, "hall", tracklet=1, revision=2, end_s=9, embedding=look(1), crops={1: SMALL})
    result = hub.ingest(sender.send(update), now_ns=at(9))
    assert [one.reason for one in result.refusals] == ["erased"]
    assert where(tmp_path / "data", look(1).tobytes(), SMALL[:40]) == []
    back = hub.ingest(sender.send(seen(1, "yard", tracklet=7, begin_s=20, end_s=22)), now_ns=at(22))
    assert [(one.kind, one.identity_id) for one in back.events] == [(EventKind.CREATED, 4)]


def test_they_are_not_found_by_their_looks(tmp_path: Path, hub: Hub) -> None:
    Operator(tmp_path / "data").ask(hub, Erase(identity=ONE), now_ns=at(8))
    space = hub.state.spaces[MODEL]
    query = space.unit(seen(1).camera_id, look(1), at_ns=at(8))
    assert set(space.nearest(query[None], k=5)[0][0].tolist()) == {2, -1}


def test_pictures_go_after_a_restart_where_the_hub_was_killed_in_between(tmp_path: Path, hub: Hub) -> None:
    data = tmp_path / "data"
    Operator(data).ask(hub, Erase(identity=ONE), now_ns=at(8))
    hub.close()
    # As a hub leaves it that is killed after the commit: the rows are gone, the pictures are not.
    engine = open_for_writing(data)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE erased_tracklets SET crops_gone = 0")
    engine.dispose()
    with CropStore.open_for_writing(data) as crops:
        crops.put({(TrackletNumber(1), 1): SMALL, (TrackletNumber(3), 1): LARGE})
    assert where(data, SMALL[:40], LARGE[:40])
    with Hub.open(data) as again:
        assert where(data, SMALL[:40], LARGE[:40]) == []
        assert sorted(again.state.tracklets) == [2]


def test_a_reader_delays_the_last_bytes_and_the_hub_does_not_wait(tmp_path: Path, hub: Hub, sender: Sender) -> None:
    data = tmp_path / "data"
    engine = open_for_reading(data)
    with engine.connect() as looking:
        looking.exec_driver_sql("SELECT * FROM tracklets").fetchone()
        Operator(data).ask(hub, Erase(identity=ONE), now_ns=at(8))
        assert where(data, look(1).tobytes())
    engine.dispose()
    hub.ingest(sender.send(seen(2, "hall", tracklet=2, revision=2, end_s=9)), now_ns=at(9))
    assert where(data, look(1).tobytes(), SMALL[:40], LARGE[:40], NAME.encode()) == []


def test_it_is_for_ever(tmp_path: Path, hub: Hub) -> None:
    operator = Operator(tmp_path / "data")
    outcome = operator.ask(hub, Erase(identity=ONE), now_ns=at(8))
    assert outcome.last_event is not None
    with pytest.raises(DataError, match="is for ever"):
        operator.ask(hub, Undo(event=outcome.last_event), now_ns=at(9))
    with pytest.raises(DataError, match="person 1 is erased"):
        operator.ask(hub, Merge(survivor=TWO, absorbed=ONE), now_ns=at(9))


def test_many_pictures_of_a_store_that_has_free_pages_are_overwritten(tmp_path: Path) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (200, 5000), np.uint8)
    with CropStore.open_for_writing(tmp_path) as store:
        everybody = range(1, 21)
        named = [(TrackletNumber(n), crop) for n in everybody for crop in range(10)]
        store.put({key: picture.tobytes() for key, picture in zip(named, pictures, strict=True)})
        store.keep_only({TrackletNumber(n): [] for n in range(1, 8)})
        assert store.erase([TrackletNumber(n) for n in range(8, 15)]) == 70
        content = (tmp_path / "crops.lmdb" / "data.mdb").read_bytes()
        left = [n for n, picture in zip(named, pictures, strict=True) if picture[100:140].tobytes() in content]
        assert left == [key for key in named if key[0] >= 15]
        assert [store.get(*key) is not None for key in named] == [key[0] >= 15 for key in named]
        assert store.erase([TrackletNumber(8)]) == 0
