"""The edge's disk queue: what the hub has not acknowledged, in order, bounded, and there again after SIGKILL.

SQLite in WAL mode. A message is in the file when `append` returns, so a killed process loses nothing; `sync`, called
about once a second by the link, makes everything so far safe from a power cut in one group.
"""

import contextlib
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import msgspec

from passerby.errors import MessageTooLargeError, SpoolFullError, TransportError
from passerby.ids import BootId

_BUSY_TIMEOUT_S = 10.0
_DISK_LOOK_S = 0.5
"""How often a full disk is tried again."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    place INTEGER PRIMARY KEY AUTOINCREMENT, boot BLOB NOT NULL, seq INTEGER NOT NULL,
    bytes INTEGER NOT NULL, parts BLOB NOT NULL, kept_at_ns INTEGER, UNIQUE (boot, seq)
);
CREATE TABLE IF NOT EXISTS stream (boot BLOB UNIQUE NOT NULL, last_seq INTEGER NOT NULL);
"""
_FORGET_OLD_STREAMS = """
DELETE FROM stream WHERE boot NOT IN (SELECT boot FROM message)
    AND rowid NOT IN (SELECT rowid FROM stream ORDER BY rowid DESC LIMIT 16)
"""


@dataclass(frozen=True, slots=True)
class SpooledMessage:
    """One waiting message. `place` orders the messages of all boots; `size` is the bytes of its parts."""

    place: int
    boot_id: BootId
    seq: int
    size: int
    parts: list[bytes]


class Spool:
    """A file of waiting messages; one process at a time. Safe for use from several threads.

    `max_bytes` bounds the message bytes kept; the file itself is a few per cent larger.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        """Open or create. Raises TransportError when another process has it, or the file is no spool."""
        self._path = path
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._closed = False
        self._lock_file = _lock(path)
        try:
            self._database = _open(path)
            self._syncing = _open(path)
            self._database.executescript(_SCHEMA)
            _add_times(self._database)
            self._database.execute(_FORGET_OLD_STREAMS)
            row = self._database.execute("SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM message").fetchone()
        except sqlite3.Error as error:
            os.close(self._lock_file)
            raise TransportError(f"{path}: not a usable spool ({error}); move the file away to start anew") from error
        self._messages, self._bytes = int(row[0]), int(row[1])
        self._dirty = False

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Make everything durable and let go of the file. Waiting `append`s end with TransportError."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
            with self._translated():
                self._database.close()
                self._syncing.close()
            os.close(self._lock_file)

    @property
    def message_count(self) -> int:
        """How many messages wait."""
        with self._changed:
            return self._messages

    @property
    def byte_count(self) -> int:
        """How many bytes of messages wait."""
        with self._changed:
            return self._bytes

    def oldest_ns(self) -> int | None:
        """Since when the oldest message waits, by this machine's clock; None where none does, or that is not known."""
        with self._changed, self._translated():
            self._require_open()
            row = self._database.execute("SELECT kept_at_ns FROM message ORDER BY place LIMIT 1").fetchone()
        return None if row is None or row[0] is None else int(row[0])

    def append(self, boot_id: BootId, *, pack: Callable[[int], list[bytes]], timeout_s: float) -> int:
        """Keep `pack(seq)` under the boot's next sequence number, which is returned.

        Waits while the spool, or the disk under it, is full. Raises SpoolFullError after `timeout_s`,
        MessageTooLargeError for a message that no empty spool could hold; what `pack` raises passes through, and takes
        no number.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                self._require_open()
                seq = self._next_seq(boot_id)
                parts = pack(seq)
                size = sum(map(len, parts))
                if size > self._max_bytes:
                    raise MessageTooLargeError(f"a message of {size} bytes, the spool holds {self._max_bytes}")
                has_room = self._bytes + size <= self._max_bytes
                if has_room and self._insert(boot_id, seq=seq, size=size, parts=parts):
                    return seq
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise SpoolFullError(
                        f"{self._path}: the disk is full; {self._bytes} bytes wait for the hub"
                        if has_room
                        else f"{self._path}: {self._bytes} of {self._max_bytes} bytes wait for the hub, and it took "
                        f"none for {timeout_s:g} s; check the hub, or raise edge.spool_mib"
                    )
                self._changed.wait(min(remaining, _DISK_LOOK_S) if has_room else remaining)

    def after(self, place: int, *, max_messages: int) -> list[SpooledMessage]:
        """The next messages in order, those beyond `place` (0: from the first)."""
        with self._changed, self._translated():
            self._require_open()
            rows = self._database.execute(
                "SELECT place, boot, seq, bytes, parts FROM message WHERE place > ? ORDER BY place LIMIT ?",
                (place, max_messages),
            ).fetchall()
        return [
            SpooledMessage(place, boot_id, seq, size, msgspec.msgpack.decode(parts, type=list[bytes]))
            for place, boot_id, seq, size, parts in rows
        ]

    def forget(self, boot_id: BootId, *, up_to_seq: int) -> int:
        """Drop the boot's messages up to and including `up_to_seq`; returns how many there were."""
        with self._changed, self._translated():
            self._require_open()
            count, size = self._database.execute(
                "SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM message WHERE boot = ? AND seq <= ?",
                (boot_id, up_to_seq),
            ).fetchone()
            if count:
                self._database.execute("DELETE FROM message WHERE boot = ? AND seq <= ?", (boot_id, up_to_seq))
                self._messages -= count
                self._bytes -= size
                self._dirty = True
                self._changed.notify_all()
            return int(count)

    def wait_until_empty(self, timeout_s: float) -> bool:
        """Whether nothing waits any more; waits for that at most `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._messages == 0 or self._closed, timeout_s) and not self._messages

    def sync(self) -> None:
        """Make everything appended so far safe from a power cut. Appends go on meanwhile."""
        with self._changed:
            if self._closed or not self._dirty:
                return
            self._dirty = False
        with self._translated():
            self._syncing.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _next_seq(self, boot_id: BootId) -> int:
        with self._translated():
            row = self._database.execute("SELECT last_seq FROM stream WHERE boot = ?", (boot_id,)).fetchone()
        return 1 if row is None else int(row[0]) + 1

    def _insert(self, boot_id: BootId, *, seq: int, size: int, parts: list[bytes]) -> bool:
        """Keep a message; False, and nothing has changed, where the disk is full."""
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                self._database.execute("INSERT OR REPLACE INTO stream VALUES (?, ?)", (boot_id, seq))
                self._database.execute(
                    "INSERT INTO message (boot, seq, bytes, parts, kept_at_ns) VALUES (?, ?, ?, ?, ?)",
                    (boot_id, seq, size, msgspec.msgpack.encode(parts), time.time_ns()),
                )
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                return False
            raise self._unusable(error) from error
        self._messages += 1
        self._bytes += size
        self._dirty = True
        return True

    def _require_open(self) -> None:
        if self._closed:
            raise TransportError(f"{self._path}: the spool is closed")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> TransportError:
        return TransportError(f"{self._path}: the spool cannot be used: {error}")


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.execute("PRAGMA journal_size_limit=16777216")  # the log shrinks again after a busy time
    return database


def _add_times(database: sqlite3.Connection) -> None:
    """Let a spool of a former version know since when messages wait: not of those that it has."""
    columns = [row[1] for row in database.execute("PRAGMA table_info(message)")]
    if "kept_at_ns" not in columns:
        database.execute("ALTER TABLE message ADD COLUMN kept_at_ns INTEGER")


def _lock(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise TransportError(f"{path}: cannot keep a spool here: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise TransportError(f"{path}: another edge process uses this spool; give this one its own name") from error
    return descriptor
