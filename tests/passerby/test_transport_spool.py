"""The edge's disk queue: order, bound, back-pressure, and SIGKILL."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from passerby.errors import MessageTooLargeError, SpoolFullError, TransportError
from passerby.ids import BootId
from passerby.transport import Spool

_FIRST, _SECOND = BootId(b"first boot 00001"), BootId(b"second boot 0002")


def _append(spool: Spool, *, boot: BootId = _FIRST, size: int = 10, timeout_s: float = 0.0) -> int:
    return spool.append(boot, pack=lambda seq: [bytes([seq % 256]) * size], timeout_s=timeout_s)


def test_numbers_count_from_one_within_each_boot(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", max_bytes=1000) as spool:
        assert [_append(spool), _append(spool), _append(spool, boot=_SECOND), _append(spool)] == [1, 2, 1, 3]


def test_an_empty_spool_has_nothing(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", max_bytes=1000) as spool:
        assert spool.after(0, max_messages=10) == []
        assert spool.forget(_FIRST, up_to_seq=5) == 0
        assert spool.wait_until_empty(0.0)


def test_messages_come_in_the_order_they_went_in_over_all_boots(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", max_bytes=1000) as spool:
        for boot in (_FIRST, _FIRST, _SECOND):
            _append(spool, boot=boot)
        waiting = spool.after(0, max_messages=10)
        assert [(message.boot_id, message.seq) for message in waiting] == [(_FIRST, 1), (_FIRST, 2), (_SECOND, 1)]
        assert [message.seq for message in spool.after(waiting[0].place, max_messages=1)] == [2]
        assert waiting[1].parts == [b"\2" * 10]
        assert waiting[1].size == 10


def test_forgetting_frees_the_bytes_of_one_boot(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", max_bytes=1000) as spool:
        for boot in (_FIRST, _FIRST, _FIRST, _SECOND):
            _append(spool, boot=boot)
        assert spool.forget(_FIRST, up_to_seq=2) == 2
        assert spool.forget(_FIRST, up_to_seq=2) == 0
        assert (spool.message_count, spool.byte_count) == (2, 20)


def test_since_when_the_oldest_waits_is_known_over_restarts(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", max_bytes=1000) as spool:
        assert spool.oldest_ns() is None
        before_ns = time.time_ns()
        _append(spool)
        after_ns = time.time_ns()
        _append(spool)
    with Spool(tmp_path / "spool.db", max_bytes=1000) as spool:
        first_ns = spool.oldest_ns()
        assert first_ns is not None
        assert before_ns <= first_ns <= after_ns
        spool.forget(_FIRST, up_to_seq=1)
        second_ns = spool.oldest_ns()
        assert second_ns is not None
        assert second_ns >= after_ns


def test_a_spool_of_a_former_version_is_used_and_does_not_know_its_times(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "spool.db") as database:
        database.execute(
            "CREATE TABLE message (place INTEGER PRIMARY KEY AUTOINCREMENT, boot BLOB NOT NULL, seq INTEGER NOT NULL, "
            "bytes INTEGER NOT NULL, parts BLOB NOT NULL, UNIQUE (boot, seq))"
        )
        database.execute(
            "INSERT INTO message (boot, seq, bytes, parts) VALUES (?, 1, 1, ?)", (_FIRST, b"\x91\xc4\x01x")
        )
    database.close()
    with Spool(tmp_path / "spool.db", max_bytes=1000) as spool:
        assert [message.parts for message in spool.after(0, max_messages=10)] == [[b"x"]]
        assert spool.oldest_ns() is None
        _append(spool, boot=_SECOND)
        spool.forget(_FIRST, up_to_seq=1)
        assert spool.oldest_ns() is not None


def test_what_waits_is_there_again_after_a_restart_and_numbers_go_on(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", max_bytes=1000) as spool:
        for _ in range(3):
            _append(spool)
        spool.forget(_FIRST, up_to_seq=3)
        _append(spool)
    with Spool(tmp_path / "spool.db", max_bytes=1000) as spool:
        assert (spool.message_count, spool.byte_count) == (1, 10)
        assert _append(spool) == 5
        spool.forget(_FIRST, up_to_seq=5)
    with Spool(tmp_path / "spool.db", max_bytes=1000) as spool:
        assert _append(spool) == 6, "even when nothing waited, a number is never given twice"


def test_a_full_spool_refuses_after_the_time_out(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", max_bytes=25) as spool:
        _append(spool)
        _append(spool)
        with pytest.raises(SpoolFullError, match=r"20 of 25 bytes .*spool_mib"):
            _append(spool, timeout_s=0.05)
        assert spool.message_count == 2


def test_a_full_spool_takes_the_message_as_soon_as_there_is_room(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", max_bytes=25) as spool:
        _append(spool)
        _append(spool)
        waiting = threading.Thread(target=lambda: _append(spool, timeout_s=20.0))
        waiting.start()
        spool.forget(_FIRST, up_to_seq=1)
        waiting.join(20.0)
        assert not waiting.is_alive()
        assert [message.seq for message in spool.after(0, max_messages=9)] == [2, 3]


def test_a_message_that_no_empty_spool_could_hold_is_refused_at_once(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", max_bytes=25) as spool, pytest.raises(MessageTooLargeError, match="26 bytes"):
        _append(spool, size=26, timeout_s=60.0)


def test_a_message_that_cannot_be_packed_takes_no_number(tmp_path: Path) -> None:
    def fail(_: int) -> list[bytes]:
        raise MessageTooLargeError("too large")

    with Spool(tmp_path / "spool.db", max_bytes=25) as spool:
        with pytest.raises(MessageTooLargeError):
            spool.append(_FIRST, pack=fail, timeout_s=0.0)
        assert _append(spool) == 1


def test_two_processes_cannot_share_a_spool(tmp_path: Path) -> None:
    with (
        Spool(tmp_path / "spool.db", max_bytes=25),
        pytest.raises(TransportError, match="another edge process"),
    ):
        Spool(tmp_path / "spool.db", max_bytes=25)


def test_a_file_that_is_no_spool_is_named(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(TransportError, match=r"spool\.db: not a usable spool .* move the file away"):
        Spool(path, max_bytes=25)


def test_a_closed_spool_says_so(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db", max_bytes=25)
    spool.close()
    spool.close()
    with pytest.raises(TransportError, match="closed"):
        _append(spool)


_WRITER = """
import sys
from pathlib import Path
from passerby.transport import Spool
spool = Spool(Path(sys.argv[1]), max_bytes=1 << 20)
while True:
    print(spool.append(b"first boot 00001", pack=lambda seq: [b"x" * 50], timeout_s=1.0), flush=True)
"""


def test_what_was_appended_survives_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        deadline = time.monotonic() + 60
        last = 0
        while last < 20 and time.monotonic() < deadline:
            last = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split("\n")
        last = max([last, *(int(line) for line in rest[:-1] if line)])
    with Spool(path, max_bytes=1 << 20) as spool:
        numbers = [message.seq for message in spool.after(0, max_messages=100_000)]
    assert numbers[:last] == list(range(1, last + 1))
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_full_disk_is_waited_for_and_takes_no_number(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", max_bytes=1 << 24) as spool:
        assert _append(spool) == 1

        def limit_pages(count: int) -> None:
            spool._database.execute(f"PRAGMA max_page_count = {count}")

        limit_pages(1)  # SQLite takes it as: no more than there are now
        with pytest.raises(SpoolFullError, match="the disk is full; 10 bytes wait"):
            _append(spool, size=100_000)
        mended = threading.Timer(0.1, limit_pages, [1_000_000])
        mended.start()
        assert _append(spool, size=100_000, timeout_s=20.0) == 2
        mended.join()
        assert (spool.message_count, spool.byte_count) == (2, 100_010)
