"""SIGKILL at any instant: two real processes, a real database, and every message in it exactly once."""

import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from passerby.ids import BootId, CameraId, ModelId
from passerby.messages import CameraStatus, Hello, Status
from passerby.transport import EdgeLink, HubPort, Spool, load_hub_keys, local_keys

_HUB = """
import sqlite3, sys
from pathlib import Path
from passerby.transport import HubPort, load_hub_keys

folder, listen = Path(sys.argv[1]), sys.argv[2]
database = sqlite3.connect(folder / "hub.db", isolation_level=None)
database.execute("PRAGMA journal_mode=WAL")
database.execute("CREATE TABLE IF NOT EXISTS taken (boot BLOB, seq INTEGER, sent_at_ns INTEGER)")
committed = dict(database.execute("SELECT boot, MAX(seq) FROM taken GROUP BY boot"))
with HubPort(listen, load_hub_keys(folder / "keys"), window=32, committed=committed) as hub:
    while True:
        deliveries = [item for item in hub.receive(max_messages=8, timeout_s=1.0) if item.envelope.seq]
        database.execute("BEGIN IMMEDIATE")
        for item in deliveries:
            row = (item.envelope.boot_id, item.envelope.seq, item.envelope.message.sent_at_ns)
            database.execute("INSERT INTO taken VALUES (?, ?, ?)", row)
        database.execute("COMMIT")
        hub.acknowledge(deliveries)
"""

_EDGE = """
import os, sys
from pathlib import Path
from passerby.messages import CameraStatus, Hello, Status
from passerby.transport import EdgeLink, Spool, local_keys

folder, address = Path(sys.argv[1]), sys.argv[2]
keys = local_keys(folder / "keys", "gate", ["hall"]).edge
hello = Hello(software="test", cameras=["hall"], model_id="m@1")
boot = os.urandom(16)
with Spool(folder / "spool.db", max_bytes=1 << 20) as spool:
    with EdgeLink(address, keys, boot_id=boot, spool=spool, hello=hello) as link:
        while True:
            status = Status(sent_at_ns=1, cameras=[CameraStatus(camera_id="hall", state="live")])
            print(boot.hex(), link.publish(status, timeout_s=60), flush=True)
"""

_DEADLINE_S = 60.0


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.005)


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


def _start(script: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True)


def _kill(process: "subprocess.Popen[str]") -> str:
    """Kill at once; what it had still printed."""
    process.send_signal(signal.SIGKILL)
    return process.communicate(timeout=_DEADLINE_S)[0]


def _rows(folder: Path) -> list[tuple[bytes, int, int]]:
    if not (folder / "hub.db").exists():
        return []
    database = sqlite3.connect(f"file:{folder / 'hub.db'}?mode=ro", uri=True, timeout=10)
    try:
        return database.execute("SELECT boot, seq, sent_at_ns FROM taken ORDER BY rowid").fetchall()
    except sqlite3.OperationalError:  # the table is not there yet
        return []
    finally:
        database.close()


def test_a_hub_killed_again_and_again_has_every_message_once_and_in_order(tmp_path: Path) -> None:
    address = _free_address()
    keys = local_keys(tmp_path / "keys", "gate", ["hall"]).edge
    hello = Hello(software="test", cameras=[CameraId("hall")], model_id=ModelId("m@1"))
    boot = BootId(os.urandom(16))
    published = 0
    with (
        Spool(tmp_path / "spool.db", max_bytes=64 << 20) as spool,
        EdgeLink(address, keys, boot_id=boot, spool=spool, hello=hello) as link,
    ):

        def publish() -> None:
            nonlocal published
            published += 1
            camera = CameraStatus(camera_id=CameraId("hall"), state="live")
            link.publish(Status(sent_at_ns=published, cameras=[camera]), timeout_s=_DEADLINE_S)

        for _ in range(3):
            hub = _start(_HUB, str(tmp_path), address)
            before = len(_rows(tmp_path))
            wanted = before + 40 + secrets.randbelow(60)

            def some_more(wanted: int = wanted) -> bool:
                publish()
                return len(_rows(tmp_path)) >= wanted

            _until(some_more, "messages in the database")
            _kill(hub)
        publish()  # or, where all was acknowledged before the kill, nothing is left to connect for
        hub = _start(_HUB, str(tmp_path), address)
        assert link.flush(_DEADLINE_S), link.stats()
        stats = link.stats()
        _kill(hub)
    assert _rows(tmp_path) == [(boot, number, number) for number in range(1, published + 1)]
    assert (stats.acknowledged, stats.refused, stats.reconnects) == (published, 0, 3)


def test_an_edge_killed_again_and_again_loses_nothing_that_it_had_published(tmp_path: Path) -> None:
    published: list[tuple[bytes, int]] = []
    taken: list[tuple[bytes, int]] = []

    def take(hub: HubPort) -> None:
        deliveries = [item for item in hub.receive(max_messages=64, timeout_s=0.2) if item.envelope.seq]
        taken.extend((item.envelope.boot_id, item.envelope.seq) for item in deliveries)
        hub.acknowledge(deliveries)

    with HubPort("tcp://127.0.0.1:0", load_hub_keys(tmp_path / "keys"), window=32, committed={}) as hub:
        for _ in range(3):
            edge = _start(_EDGE, str(tmp_path), hub.address)
            wanted = len(taken) + 30 + secrets.randbelow(40)
            deadline = time.monotonic() + _DEADLINE_S
            while len(taken) < wanted:
                assert time.monotonic() < deadline, "no messages from the edge"
                take(hub)
            lines = _kill(edge).splitlines()
            for line in lines:
                if len(line.split()) == 2 and len(line.split()[0]) == 32:
                    published.append((bytes.fromhex(line.split()[0]), int(line.split()[1])))
        keys = local_keys(tmp_path / "keys", "gate", ["hall"]).edge
        hello = Hello(software="test", cameras=[CameraId("hall")], model_id=ModelId("m@1"))
        with (
            Spool(tmp_path / "spool.db", max_bytes=1 << 20) as spool,
            EdgeLink(hub.address, keys, boot_id=BootId(os.urandom(16)), spool=spool, hello=hello) as link,
        ):
            deadline = time.monotonic() + _DEADLINE_S
            while not link.flush(0.0):
                assert time.monotonic() < deadline, "the spool does not empty"
                take(hub)
        assert hub.counters().gaps == 0
    assert len(set(taken)) == len(taken), "nothing twice"
    assert set(published) <= set(taken), "nothing lost"
    for boot in {boot for boot, _ in taken}:
        numbers = [seq for other, seq in taken if other == boot]
        assert numbers == list(range(1, len(numbers) + 1)), "each boot in order"
