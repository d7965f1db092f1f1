"""Who is not on the hub's list gets nothing, who speaks for another's camera is refused, and the hub works on."""

import random
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import zmq

from tests.system.cameras import wait_until
from tests.system.processes import LiveSite
from tests.system.records import read_records

pytestmark = pytest.mark.system

WAIT_S = 60.0


def test_strangers_and_garbage_get_nothing_while_the_rightful_edge_is_heard(
    make_site: Callable[..., LiveSite], shared_data: Callable[[str], Path]
) -> None:
    films = {"hall": "footage/fourcam/cam1.mp4", "yard": "footage/fourcam/cam3.mp4"}
    site = make_site({name: str(shared_data(path)) for name, path in films.items()})
    hub = site.start("hub")
    wait_until("the hub's keys", (site.data / "keys" / "hub.public").exists, timeout_s=WAIT_S)
    keys = site.folder / "keys"
    site.run("keys", "create", "stranger", "--dir", str(keys))
    site.run("keys", "create", "gate", "--dir", str(keys))
    site.run("keys", "allow", "gate", str(keys / "gate.public"), "--camera", "hall", "--config", str(site.config))
    shutil.copy(site.data / "keys" / "hub.public", keys)

    stranger = site.start("edge", "--camera", "yard", "--keys", str(keys), "--name", "stranger", log="stranger")
    impostor = site.start("edge", "--camera", "yard", "--keys", str(keys), "--name", "gate", log="gate")
    wait_until("the stranger being turned away", lambda: "no connection to the hub" in stranger.log(), timeout_s=WAIT_S)
    wait_until("the impostor being connected", lambda: "connected to the hub" in impostor.log(), timeout_s=WAIT_S)
    throw_garbage(site.port)
    rightful = site.start("edge", "--camera", "hall", log="rightful")
    wait_until("people from the hall", lambda: read_records(site.data).last_seen_ns("hall") > 0, timeout_s=WAIT_S)
    throw_garbage(site.port)
    moment = read_records(site.data).last_seen_ns("hall")
    wait_until("later people", lambda: read_records(site.data).last_seen_ns("hall") > moment, timeout_s=WAIT_S)
    wait_until("the impostor being refused", lambda: "camera-not-allowed" in impostor.log(), timeout_s=WAIT_S)

    assert rightful.stop() == 0, rightful.log()
    impostor.stop()
    stranger.kill()  # it would wait for the hub
    assert hub.stop() == 0, hub.log()
    records = read_records(site.data)
    assert {tracklet.camera_id for tracklet in records.tracklets.values()} == {"hall"}
    assert set(records.statuses) == {"hall"}
    assert "connected to the hub" not in stranger.log()
    for counted in ("handshake unknown-key", "handshake not-zeromq", "refused camera-not-allowed"):
        assert f"{counted}: " in hub.log()
    # Which end sees first that the other speaks no CURVE is chance; the one that does hangs up.
    assert "handshake not-curve: " in hub.log() or "handshake broken-off: " in hub.log()
    assert "Traceback" not in hub.log()


def throw_garbage(port: int) -> None:
    """Random bytes, half a greeting, and a ZeroMQ peer that knows no CURVE, at the hub's port."""
    noise = random.Random(7)
    for payload in (noise.randbytes(100_000), b"\xff" + bytes(8) + b"\x7f\x03", b"GET / HTTP/1.1\r\n\r\n", b""):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(payload)
    with zmq.Context() as context, context.socket(zmq.DEALER) as plain:
        plain.setsockopt(zmq.LINGER, 200)
        plain.connect(f"tcp://127.0.0.1:{port}")
        plain.send_multipart([noise.randbytes(1000), b"\x81\xa4boot"], flags=zmq.NOBLOCK)
        assert plain.poll(500) == 0, "a peer without CURVE got an answer"
