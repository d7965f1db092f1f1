"""An operator's request reaches whoever writes the data: the hub that runs, or nobody but the one who asks."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.corrections.acts import Erase, Merge, Rename, Undo
from hub.corrections.desk import Desk, request_correction
from hub.corrections.requests import FOLDER_NAME, RequestFolder, ask, user_name
from hub.ownership import DataLock, is_owned
from hub.reader import SiteReader
from hub.records import EventId, EventKind
from hub.server import HubServer
from hub.site_hub import Hub
from passerby.errors import DataError, StoreError
from passerby.ids import IdentityId
from passerby.transport import HubPort, load_hub_keys
from tests.hub.people import Sender, at, seen

ONE, TWO = IdentityId(1), IdentityId(2)
PATIENCE_S = 20.0


@pytest.fixture
def data(tmp_path: Path) -> Path:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1), seen(2, "b", tracklet=2)), now_ns=at(2))
    return tmp_path


@contextmanager
def running(data: Path) -> Iterator[None]:
    """A hub that serves requests, behind a real port."""
    stop = threading.Event()
    with (
        Hub.open(data) as hub,
        HubPort("tcp://127.0.0.1:0", load_hub_keys(data / "keys"), window=64, committed=hub.committed()) as port,
    ):
        desk = Desk(hub, data)
        thread = threading.Thread(target=HubServer(hub, port, stop=stop, desk=desk).main_loop)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(PATIENCE_S)
            desk.close()
    assert not thread.is_alive()


def left_behind(data: Path) -> list[str]:
    return sorted(file.name for file in (data / FOLDER_NAME).iterdir())


def name_of(data: Path, identity: IdentityId) -> str | None:
    with SiteReader(data) as reader:
        found = reader.identity(identity)
    return None if found is None else found.name


def test_a_running_hub_carries_it_out_within_a_second(data: Path) -> None:
    with running(data):
        begin = time.monotonic()
        request_correction(data, Rename(identity=ONE, name="Ada"), timeout_s=PATIENCE_S)
        assert time.monotonic() - begin < 5, "about 0.3 s on a machine that is not busy"
        assert name_of(data, ONE) == "Ada"
        with pytest.raises(DataError, match="person 9 does not exist"):
            request_correction(data, Merge(survivor=ONE, absorbed=IdentityId(9)), timeout_s=PATIENCE_S)
        request_correction(data, Merge(survivor=ONE, absorbed=TWO), behalf="ada", timeout_s=PATIENCE_S)
    assert left_behind(data) == []
    me = user_name(os.getuid())
    with SiteReader(data) as reader:
        assert [one.actor for one in reader.acts()] == [me, f"ada by way of {me}"]
        done = [reader.event(one.outcome.first_event) for one in reader.acts() if one.outcome.first_event is not None]
    assert [None if one is None else one.kind for one in done] == [EventKind.RENAMED, EventKind.MERGED]


def test_without_a_hub_it_is_carried_out_all_the_same(data: Path) -> None:
    outcome = request_correction(data, Erase(identity=ONE), behalf="ada")
    assert outcome.erased is not None
    assert outcome.erased.tracklets == 1
    assert not is_owned(data)
    with SiteReader(data) as reader:
        assert [one.actor for one in reader.acts()] == [f"ada by way of {user_name(os.getuid())}"]


def test_two_who_ask_at_once_are_both_heard(data: Path) -> None:
    failures: list[BaseException] = []

    def rename(identity: IdentityId, name: str) -> None:
        try:
            request_correction(data, Rename(identity=identity, name=name), timeout_s=PATIENCE_S)
        except (DataError, StoreError) as error:
            failures.append(error)

    threads = [
        threading.Thread(target=rename, args=(identity, f"name {identity}")) for identity in (ONE, TWO, ONE, TWO)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert failures == []
    assert (name_of(data, ONE), name_of(data, TWO)) == ("name 1", "name 2")
    with SiteReader(data) as reader:
        assert len(reader.acts()) == 4


def test_a_hub_that_gives_no_answer_is_not_waited_for_for_ever(data: Path) -> None:
    with DataLock(data), pytest.raises(StoreError, match="does not answer within 0 s; nothing was changed"):
        request_correction(data, Rename(identity=ONE, name="Ada"), timeout_s=0.3)
    assert left_behind(data) == []
    assert name_of(data, ONE) is None


def test_a_hub_that_was_killed_after_taking_it_answers_when_it_is_back(data: Path) -> None:
    request_id = "0" * 32
    folder = RequestFolder(data)
    answers: list[object] = []
    asking = threading.Thread(
        target=lambda: answers.append(
            ask(
                data,
                Rename(identity=ONE, name="Ada"),
                request_id=request_id,
                timeout_s=PATIENCE_S,
                keep_waiting=lambda: True,
            )
        )
    )
    asking.start()
    deadline = time.monotonic() + PATIENCE_S
    while not folder.take():  # and is killed
        assert time.monotonic() < deadline
    with running(data):
        asking.join(PATIENCE_S)
    assert len(answers) == 1
    assert name_of(data, ONE) == "Ada"
    assert left_behind(data) == []


def test_what_is_no_request_is_told_so_and_harms_nobody(data: Path) -> None:
    with Hub.open(data) as hub:
        desk = Desk(hub, data)
        (data / FOLDER_NAME / f"{'1' * 32}.request").write_bytes(b"not json")
        (data / FOLDER_NAME / f"{'2' * 32}.request").write_bytes(b'{"act":{"type":"conquer","identity":1}}')
        (data / FOLDER_NAME / f"{'3' * 32}.request").write_bytes(b"x" * (2 << 20))
        (data / FOLDER_NAME / "..-etc-passwd.request").write_bytes(b"{}")
        desk.serve(at(3))
        desk.close()
        assert hub.state.counters["event"] == 2
    assert left_behind(data) == [f"{digit * 32}.answer" for digit in "123"]
    assert all(b"does not understand" in file.read_bytes() for file in (data / FOLDER_NAME).iterdir())


def test_where_there_are_no_data_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no passerby"):
        request_correction(tmp_path / "nowhere", Undo(event=EventId(1)))
    assert not (tmp_path / "nowhere").exists()
