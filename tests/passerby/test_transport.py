"""Edge and hub over real sockets: delivery, credit, refusals, revocation, restarts."""

import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
import zmq

from passerby.codec import MAX_PART_BYTES, decode, encode
from passerby.errors import ConfigError, MessageTooLargeError, SpoolFullError, TransportError
from passerby.ids import BootId, CameraId, EdgeId, ModelId
from passerby.messages import (
    Backlog,
    CameraCommand,
    CameraStatus,
    Credit,
    Envelope,
    Heartbeat,
    Hello,
    Message,
    ModelChunk,
    Preview,
    Refusal,
    Status,
    Welcome,
)
from passerby.transport import (
    AllowList,
    Delivery,
    EdgeKeys,
    EdgeLink,
    HubCounters,
    HubKeys,
    HubPort,
    Spool,
    Unsettled,
    load_hub_keys,
    local_keys,
)
from passerby.transport.hub_book import Session
from passerby.transport.keys import create_pair
from tests.passerby.wire_samples import NOON, TRACKLET, same

_HALL, _CELLAR = CameraId("hall"), CameraId("cellar")
_GATE = EdgeId("gate")
_WAIT_S = 30.0
"""Far more than anything here takes; only a failing test waits so long."""


def _status(number: int, *, camera: CameraId = _HALL, detail: str = "") -> Status:
    return Status(sent_at_ns=number, cameras=[CameraStatus(camera_id=camera, state="live", detail=detail)])


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.01)


@dataclass
class Site:
    """A hub and edges that are closed at the end of the test."""

    folder: Path
    stack: ExitStack
    boots: int = 0
    committed: dict[BootId, int] = field(default_factory=dict)

    def hub(self, *, window: int = 16, listen: str = "tcp://127.0.0.1:0") -> HubPort:
        port = HubPort(listen, load_hub_keys(self.folder / "keys"), window=window, committed=self.committed)
        return self.stack.enter_context(port)

    def keys(self, name: str = _GATE) -> EdgeKeys:
        return local_keys(self.folder / "keys", name, [_HALL]).edge

    def hub_keys(self) -> HubKeys:
        return load_hub_keys(self.folder / "keys")

    def link(
        self, hub: HubPort | str, *, name: str = _GATE, max_bytes: int = 1 << 20, keys: EdgeKeys | None = None
    ) -> EdgeLink:
        self.boots += 1
        spool = self.stack.enter_context(Spool(self.folder / f"spool-{name}.db", max_bytes=max_bytes))
        return self.stack.enter_context(
            EdgeLink(
                hub if isinstance(hub, str) else hub.address,
                keys or self.keys(name),
                boot_id=BootId(f"boot {self.boots:011}".encode()),
                spool=spool,
                hello=Hello(software="test", cameras=[_HALL], model_id=ModelId("m@1")),
            )
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path, stack)


def _receive(hub: HubPort, count: int) -> list[Delivery]:
    """The next `count` reliable deliveries, not acknowledged."""
    deliveries: list[Delivery] = []
    deadline = time.monotonic() + _WAIT_S
    while len(deliveries) < count:
        assert time.monotonic() < deadline, f"only {len(deliveries)} of {count} messages came: {hub.counters()}"
        deliveries += [item for item in hub.receive(max_messages=count, timeout_s=0.2) if item.envelope.seq]
    return deliveries


def _numbers(deliveries: list[Delivery]) -> list[int]:
    return [delivery.envelope.seq for delivery in deliveries]


# Delivery


def test_a_message_arrives_whole_with_its_proven_sender(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    assert link.publish(TRACKLET, timeout_s=1) == 1
    (delivery,) = _receive(hub, 1)
    assert delivery.edge_id == _GATE
    assert same(delivery.envelope, Envelope(BootId(b"boot 00000000001"), 1, TRACKLET))
    assert delivery.parts == encode(delivery.envelope)
    assert abs(delivery.received_at_ns - time.time_ns()) < 60 * 10**9


def test_the_hello_of_an_edge_is_delivered_and_listed(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    assert link.wait_until_connected(_WAIT_S)
    (hello,) = hub.receive(max_messages=10, timeout_s=_WAIT_S)
    assert isinstance(hello.envelope.message, Hello)
    (edge,) = hub.edges()
    assert (edge.edge_id, edge.cameras, edge.model_id, edge.window) == (_GATE, (_HALL,), "m@1", 16)
    assert edge.address == "127.0.0.1"


def test_nothing_is_forgotten_before_it_is_acknowledged(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    for number in range(3):
        link.publish(_status(number), timeout_s=1)
    deliveries = _receive(hub, 3)
    assert not link.flush(0.1)
    hub.acknowledge(deliveries[:2])
    _until(lambda: link.stats().spooled_messages == 1, "the acknowledgement of two")
    hub.acknowledge(deliveries[2:])
    assert link.flush(_WAIT_S)
    assert link.stats().acknowledged == 3
    assert hub.counters().acknowledged == 3


def test_what_waits_in_an_edge_is_told_with_its_heartbeats(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    link.publish(_status(1), timeout_s=1.0)
    size = link.stats().spooled_bytes
    delivery = _receive(hub, 1)
    _until(lambda: (told := hub.edges()[0].backlog) is not None and told.waited_ns is not None, "a heartbeat")
    told, unsettled = hub.edges()[0].backlog, hub.unsettled()
    assert told is not None
    assert (told.messages, told.size, told.refused) == (1, size, 0)
    assert told.waited_ns is not None
    assert 0 < told.waited_ns < _WAIT_S * 1e9
    assert unsettled.messages == 1
    assert unsettled.oldest_ns is not None
    hub.acknowledge(delivery)
    _until(lambda: hub.edges()[0].backlog == Backlog(messages=0, size=0), "the next heartbeat")
    assert hub.unsettled() == Unsettled(messages=0, size=0, oldest_ns=None)


def test_an_edge_of_a_former_version_tells_what_waits_with_its_status() -> None:
    session = Session(
        edge_id=_GATE, public_key=b"", boot_id=BootId(bytes(16)), address="", descriptor=1, connected_at_ns=1,
        hello=Hello(software="old", cameras=[_HALL], model_id=ModelId("m@1")), last_heard_ns=1, last_heard=1.0,
    )  # fmt: skip
    session.note_backlog(Heartbeat(sent_at_ns=1))
    assert session.backlog is None
    status = Status(sent_at_ns=1, cameras=[], spooled_messages=7, spooled_bytes=70, refused_messages=2)
    session.note_backlog(status)
    assert session.backlog == Backlog(messages=7, size=70, waited_ns=None, refused=2)
    newer = Backlog(messages=1, size=9, waited_ns=5)
    session.note_backlog(Heartbeat(sent_at_ns=2, backlog=newer))
    session.note_backlog(status)
    assert session.backlog == newer, "a Status comes behind what waits, and is older"


def test_acknowledging_twice_is_an_error(site: Site) -> None:
    hub = site.hub()
    site.link(hub).publish(_status(1), timeout_s=1)
    deliveries = _receive(hub, 1)
    hub.acknowledge(deliveries)
    with pytest.raises(TransportError, match="not waiting"):
        hub.acknowledge(deliveries)


def _publish_until_full(link: EdgeLink) -> int:
    for sent in range(1000):
        try:
            link.publish(_status(sent, detail="x" * 100), timeout_s=0.2)
        except SpoolFullError:
            return sent
    return 1000


def test_a_slow_hub_slows_the_edge_and_loses_nothing(site: Site) -> None:
    hub = site.hub(window=4)
    link = site.link(hub, max_bytes=3000)
    sent = _publish_until_full(link)
    assert sent < 30, "the spool's bound holds the edge back"
    first = _receive(hub, 4)
    assert hub.receive(max_messages=100, timeout_s=0.3) == [], "no more than the window is under way"
    (edge,) = hub.edges()
    assert edge.unsettled == 4
    received = _numbers(first)
    hub.acknowledge(first)
    while len(received) < sent:
        more = _receive(hub, 1)
        received += _numbers(more)
        hub.acknowledge(more)
    assert link.flush(_WAIT_S)
    assert received == list(range(1, sent + 1))
    link.publish(_status(sent), timeout_s=1)


def test_a_hub_may_change_the_window_of_an_edge(site: Site) -> None:
    hub = site.hub(window=8)
    link = site.link(hub)
    assert link.wait_until_connected(_WAIT_S)
    assert hub.send(_GATE, Credit(window=2))
    _until(lambda: link.stats().window == 2, "the smaller window")
    for number in range(5):
        link.publish(_status(number), timeout_s=1)
    _receive(hub, 2)
    assert [item for item in hub.receive(max_messages=9, timeout_s=0.3) if item.envelope.seq] == []


def test_lossy_messages_are_dropped_while_the_hub_is_away(site: Site) -> None:
    link = site.link("tcp://127.0.0.1:1")
    assert not link.offer(Preview(camera_id=_HALL, captured_at_ns=NOON, jpeg=b"x"))
    assert link.stats().lossy_dropped == 1
    _until(lambda: "nobody listens" in link.stats().problem, "the reason")


def test_previews_arrive_and_too_many_are_dropped_and_counted(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    assert link.wait_until_connected(_WAIT_S)
    offered = 0

    def flood() -> bool:
        nonlocal offered
        offered += link.offer(Preview(camera_id=_HALL, captured_at_ns=NOON, jpeg=b"x" * 100))
        return hub.counters().lossy_dropped > 0

    _until(flood, "a dropped preview")
    assert len(hub.receive(max_messages=10_000, timeout_s=1)) <= 256
    link.publish(_status(1), timeout_s=1)
    assert len(_receive(hub, 1)) == 1, "what must arrive, arrives nevertheless"


def test_commands_and_models_reach_the_edge(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    assert link.wait_until_connected(_WAIT_S)
    command = CameraCommand(command_id=1, camera_id=_HALL, action="pause")
    chunk = ModelChunk(model_id=ModelId("m@2"), file_name="m.onnx", offset=0, data=bytes(MAX_PART_BYTES))
    assert hub.send(_GATE, command)
    assert hub.send(_GATE, chunk)
    assert link.receive(_WAIT_S) == command
    assert link.receive(_WAIT_S) == chunk
    assert link.receive(0) is None


def test_a_message_to_nobody_is_not_sent(site: Site) -> None:
    assert not site.hub().send(EdgeId("nobody"), Credit(window=1))


def test_a_message_too_large_is_refused_before_it_is_spooled(site: Site) -> None:
    link = site.link(site.hub())
    crowd = [CameraStatus(camera_id=_HALL, state="live", detail="x" * 4096)] * 300
    with pytest.raises(MessageTooLargeError):
        link.publish(Status(sent_at_ns=1, cameras=crowd), timeout_s=1)
    assert link.stats().spooled_messages == 0
    assert link.publish(_status(1), timeout_s=1) == 1


def test_both_clocks_are_compared(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    _until(lambda: link.stats().clock_offset_ns is not None, "an answered heartbeat")
    (edge,) = hub.edges()
    assert edge.clock_offset_ns is not None
    assert abs(link.stats().clock_offset_ns or 0) < 10**9, "one machine has one clock"
    assert -(10**9) < edge.clock_offset_ns <= 0


# What the hub does not take


def test_a_camera_of_another_edge_is_refused_and_the_connection_lives_on(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    link.publish(_status(1, camera=_CELLAR), timeout_s=1)
    link.publish(_status(2), timeout_s=1)
    deliveries = _receive(hub, 1)
    assert _numbers(deliveries) == [2]
    hub.acknowledge(deliveries)
    assert link.flush(_WAIT_S)
    assert (link.stats().refused, link.stats().acknowledged, link.stats().connections) == (1, 1, 1)
    assert hub.counters().refused == {"camera-not-allowed": 1}


def test_what_the_hub_refuses_is_dropped_by_the_edge_and_not_sent_again(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    for number in range(3):
        link.publish(_status(number), timeout_s=1)
    deliveries = _receive(hub, 3)
    hub.refuse(deliveries[1], "unknown-model")
    hub.acknowledge([deliveries[0], deliveries[2]])
    assert link.flush(_WAIT_S)
    assert (link.stats().refused, link.stats().acknowledged) == (1, 2)
    assert hub.counters().refused == {"unknown-model": 1}


def test_an_unknown_key_gets_nothing_and_is_counted(site: Site) -> None:
    hub = site.hub()
    stranger = EdgeKeys(
        EdgeId("stranger"), create_pair("stranger", directory=site.folder / "own"), site.hub_keys().pair.public
    )
    link = site.link(hub, name="stranger", keys=stranger)
    link.publish(_status(1), timeout_s=1)
    _until(lambda: hub.counters().handshake_failures.get("unknown-key", 0) > 0, "the refusal")
    _until(lambda: "passerby keys allow" in link.stats().problem, "the edge's own word")
    assert not link.stats().connected
    assert hub.edges() == []
    assert hub.counters().received == 0
    AllowList.read(site.hub_keys().allow_list).allow("stranger", stranger.pair.public, [_HALL]).write(
        site.hub_keys().allow_list
    )
    assert _numbers(_receive(hub, 1)) == [1], "once it is allowed, it gets in without a restart of either"


def test_a_revoked_edge_loses_its_session(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    assert link.wait_until_connected(_WAIT_S)
    path = site.hub_keys().allow_list
    AllowList.read(path).revoke(_GATE).write(path)
    _until(lambda: hub.edges() == [] and not link.stats().connected, "the end of the session")
    link.publish(_status(1), timeout_s=1)
    _until(lambda: hub.counters().handshake_failures.get("unknown-key", 0) > 0, "the refusal of a new connection")
    assert set(hub.counters().handshake_failures) == {"unknown-key"}, "the end of the session is no failed handshake"
    assert [item for item in hub.receive(max_messages=9, timeout_s=0) if item.envelope.seq] == []


def test_a_broken_allow_list_leaves_the_former_in_force(site: Site) -> None:
    hub = site.hub()
    path = site.hub_keys().allow_list
    link = site.link(hub)
    assert link.wait_until_connected(_WAIT_S)
    path.write_text("gate: [")
    link.publish(_status(1), timeout_s=1)
    _receive(hub, 1)
    assert len(hub.edges()) == 1


def test_a_hub_does_not_start_with_a_broken_allow_list(site: Site) -> None:
    site.hub_keys().allow_list.write_text("gate: [")
    with pytest.raises(ConfigError, match=r"edges\.yaml:1"):
        site.hub()


def test_a_taken_address_is_named(site: Site) -> None:
    hub = site.hub()
    with pytest.raises(TransportError, match=f"cannot listen at {hub.address}"):
        site.hub(listen=hub.address)


# Hostile neighbours: sockets of their own, not our link


def _port(hub: HubPort) -> int:
    return int(hub.address.rsplit(":", 1)[1])


def _hostile_dealer(site: Site, hub: HubPort, *, name: str = "rogue") -> zmq.Socket[bytes]:
    """A DEALER with an allowed key that does as it likes."""
    keys = site.keys(name)
    context = site.stack.enter_context(zmq.Context())
    dealer = site.stack.enter_context(context.socket(zmq.DEALER))
    dealer.setsockopt(zmq.LINGER, 0)
    dealer.setsockopt(zmq.CURVE_PUBLICKEY, keys.pair.public)
    dealer.setsockopt(zmq.CURVE_SECRETKEY, keys.pair.secret)
    dealer.setsockopt(zmq.CURVE_SERVERKEY, keys.hub_public)
    dealer.connect(hub.address)
    return dealer


def _hello(boot: bytes = b"rogue boot 00001", cameras: list[CameraId] | None = None) -> list[bytes]:
    hello = Hello(software="rogue", cameras=cameras or [_HALL], model_id=ModelId("m@1"))
    return encode(Envelope(BootId(boot), 0, hello))


def _still_works(hub: HubPort, link: EdgeLink) -> None:
    link.publish(_status(1), timeout_s=1)
    hub.acknowledge(_receive(hub, 1))
    assert link.flush(_WAIT_S)


_ZMTP_WITH_A_TERABYTE = (
    b"\xff" + bytes(8) + b"\x7f\x03\x00CURVE" + bytes(15) + b"\x01" + bytes(31) + b"\x02\0\0\1" + bytes(5)
)


@pytest.mark.parametrize(
    "garbage",
    [os.urandom(4096), b"GET / HTTP/1.1\r\n\r\n", b"\xff" + os.urandom(300), _ZMTP_WITH_A_TERABYTE],
    ids=["noise", "http", "half a greeting", "a frame of a terabyte"],
)
def test_garbage_at_the_port_is_counted_and_the_hub_keeps_working(site: Site, garbage: bytes) -> None:
    hub = site.hub()
    link = site.link(hub)
    assert link.wait_until_connected(_WAIT_S)

    def failures() -> int:
        return sum(hub.counters().handshake_failures.values())

    for number in range(3):
        with socket.create_connection(("127.0.0.1", _port(hub)), timeout=_WAIT_S) as visitor:
            visitor.sendall(garbage)
            _until(lambda number=number: failures() > number, "the count")  # type: ignore[misc]
    assert failures() == 3
    _still_works(hub, link)


def test_zeromq_without_curve_is_counted_and_gets_nothing(site: Site) -> None:
    hub = site.hub()
    context = site.stack.enter_context(zmq.Context())
    plain = site.stack.enter_context(context.socket(zmq.DEALER))
    plain.setsockopt(zmq.LINGER, 0)
    plain.connect(hub.address)
    plain.send_multipart(_hello())
    _until(lambda: bool(hub.counters().handshake_failures), "the count")
    assert set(hub.counters().handshake_failures) <= {"not-curve", "broken-off"}, "by who notices it first"
    assert hub.counters().received == 0


def test_an_edge_with_the_wrong_hub_key_is_counted_and_told(site: Site) -> None:
    hub = site.hub()
    keys = site.keys()
    wrong = EdgeKeys(keys.name, keys.pair, create_pair("other", directory=site.folder / "other").public)
    link = site.link(hub, keys=wrong)
    _until(lambda: hub.counters().handshake_failures.get("wrong-hub-key", 0) > 0, "the count")
    _until(lambda: "hub.public" in link.stats().problem, "the edge's own word")


def test_an_oversized_frame_ends_that_connection_only(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    rogue = _hostile_dealer(site, hub)
    rogue.send_multipart(_hello())
    _until(lambda: len(hub.edges()) == 2, "the rogue's session")
    rogue.send(bytes(MAX_PART_BYTES + 1000))
    _until(lambda: len(hub.edges()) == 1, "the end of the rogue's session")
    _still_works(hub, link)


def test_malformed_messages_are_counted_by_reason_and_dropped(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    rogue = _hostile_dealer(site, hub)
    rogue.send_multipart(_hello())
    for parts in ([b"\xc1"], [b""], [b"x"] * 97, [bytes((1 << 20) + 1)]):
        rogue.send_multipart(parts)
    rogue.send_multipart(encode(Envelope(BootId(bytes(16)), 0, Credit(window=10))))
    _until(lambda: sum(hub.counters().malformed.values()) == 5, "the counts")
    assert hub.counters().malformed == {"header": 2, "too-many-parts": 1, "too-large": 1, "direction": 1}
    _still_works(hub, link)


def test_a_malformed_message_with_a_number_is_refused_so_that_it_is_not_sent_for_ever(site: Site) -> None:
    hub = site.hub()
    rogue = _hostile_dealer(site, hub)
    rogue.send_multipart(_hello())
    boot = BootId(b"rogue boot 00001")
    good = encode(Envelope(boot, 1, _status(1)))
    rogue.send_multipart([*good, b"a part that nobody announced"])
    rogue.send_multipart(encode(Envelope(boot, 2, _status(2))))
    assert _numbers(_receive(hub, 1)) == [2]
    assert hub.counters().refused == {"malformed-part-table": 1}


def test_an_edge_cannot_speak_in_the_stream_of_another(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    link.publish(_status(1), timeout_s=1)
    hub.acknowledge(_receive(hub, 1))
    rogue = _hostile_dealer(site, hub)
    rogue.send_multipart(_hello())
    rogue.send_multipart(encode(Envelope(BootId(b"boot 00000000001"), 2, _status(666))))
    _until(lambda: hub.counters().refused.get("boot-of-another-edge", 0) == 1, "the refusal")
    _still_works(hub, link)


def test_an_edge_that_ignores_its_credit_cannot_fill_the_hub(site: Site) -> None:
    hub = site.hub(window=2)
    rogue = _hostile_dealer(site, hub)
    rogue.send_multipart(_hello())
    boot = BootId(b"rogue boot 00001")
    for number in range(1, 101):
        rogue.send_multipart(encode(Envelope(boot, number, _status(number))))
    _until(lambda: hub.counters().over_window > 0, "the count")
    rogue.send_multipart(_hello(cameras=[_CELLAR]))
    _until(lambda: bool(hub.counters().refused), "everything read")
    assert hub.edges()[0].unsettled == 8, "four windows, for at most four processes of one key"


def test_a_message_before_hello_is_not_taken(site: Site) -> None:
    hub = site.hub()
    rogue = _hostile_dealer(site, hub)
    rogue.send_multipart(encode(Envelope(BootId(b"rogue boot 00001"), 1, _status(1))))
    _until(lambda: hub.counters().refused == {"no-hello": 1}, "the count")
    assert hub.counters().received == 0


def test_a_numbered_hello_is_malformed_and_the_hub_keeps_working(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    header = msgspec.msgpack.decode(_hello()[0])
    numbered = msgspec.msgpack.encode({**header, "seq": 7})
    newcomer = _hostile_dealer(site, hub)
    newcomer.send(numbered)
    _until(lambda: hub.counters().malformed == {"sequence": 1}, "the count before a Hello")
    newcomer.send_multipart(_hello())
    newcomer.send(numbered)
    _until(lambda: hub.counters().malformed == {"sequence": 2}, "the count after it")
    _still_works(hub, link)


def _answer(dealer: zmq.Socket[bytes]) -> Message:
    assert dealer.poll(int(_WAIT_S * 1000)), "the hub does not answer"
    return decode(dealer.recv_multipart()).message


def test_a_number_missing_in_a_connection_is_asked_for_once_more(site: Site) -> None:
    hub = site.hub()
    rogue = _hostile_dealer(site, hub)
    rogue.send_multipart(_hello())
    assert isinstance(_answer(rogue), Welcome)
    boot = BootId(b"rogue boot 00001")
    for number in (1, 3, 4):
        rogue.send_multipart(encode(Envelope(boot, number, _status(number))))
    assert _numbers(_receive(hub, 1)) == [1]
    assert isinstance(_answer(rogue), Welcome), "begin again"
    for number in (1, 2, 3, 4):
        rogue.send_multipart(encode(Envelope(boot, number, _status(number))))
    assert _numbers(_receive(hub, 3)) == [2, 3, 4]
    assert (hub.counters().rewinds, hub.counters().gaps) == (1, 0)


def test_an_edge_of_another_major_version_is_told(site: Site) -> None:
    hub = site.hub()
    rogue = _hostile_dealer(site, hub)
    header = msgspec.msgpack.decode(_hello()[0])
    rogue.send(msgspec.msgpack.encode({**header, "v": [2, 0]}))
    assert _answer(rogue) == Refusal(boot_id=BootId(bytes(16)), seq=0, reason="version")
    assert hub.counters().malformed == {"version": 1}


def test_a_reliable_kind_of_a_newer_minor_version_is_refused_and_the_stream_goes_on(site: Site) -> None:
    hub = site.hub()
    rogue = _hostile_dealer(site, hub)
    rogue.send_multipart(_hello())
    boot = BootId(b"rogue boot 00001")
    header = msgspec.msgpack.decode(encode(Envelope(boot, 1, _status(1)))[0])
    rogue.send(msgspec.msgpack.encode({**header, "v": [1, 1], "kind": "weather"}))
    rogue.send_multipart(encode(Envelope(boot, 2, _status(2))))
    assert _numbers(_receive(hub, 1)) == [2]
    assert hub.counters().refused == {"malformed-kind": 1}


def test_messages_sent_again_have_their_effect_once(site: Site) -> None:
    hub = site.hub()
    rogue = _hostile_dealer(site, hub)
    rogue.send_multipart(_hello())
    boot = BootId(b"rogue boot 00001")
    for number in (1, 1, 2, 1, 2, 3, 3):
        rogue.send_multipart(encode(Envelope(boot, number, _status(number))))
    deliveries = _receive(hub, 3)
    assert _numbers(deliveries) == [1, 2, 3]
    hub.acknowledge(deliveries)
    _until(lambda: hub.counters().duplicates == 4, "the duplicates")
    assert hub.receive(max_messages=9, timeout_s=0) == []


# Restarts


def test_messages_wait_for_a_hub_that_is_not_there_yet(site: Site) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    link = site.link(address)
    for number in range(5):
        link.publish(_status(number), timeout_s=1)
    _until(lambda: "nobody listens" in link.stats().problem, "the first attempt")
    hub = site.hub(listen=address)
    assert _numbers(_receive(hub, 5)) == [1, 2, 3, 4, 5]


def test_a_hub_that_comes_back_gets_what_it_had_not_committed_and_nothing_twice(site: Site) -> None:
    boot = BootId(b"boot 00000000001")
    with HubPort("tcp://127.0.0.1:0", site.hub_keys(), window=16, committed={}) as hub:
        address = hub.address
        link = site.link(hub)
        for number in range(6):
            link.publish(_status(number), timeout_s=1)
        deliveries = _receive(hub, 6)
        hub.acknowledge(deliveries[:2])
        _until(lambda: link.stats().spooled_messages == 4, "the acknowledgement")
    site.committed = {boot: 4}  # committed, but killed before it could say so
    again = site.hub(listen=address)
    assert _numbers(_receive(again, 2)) == [5, 6]
    assert again.counters().duplicates == 0
    assert link.stats().reconnects == 1
    assert link.stats().acknowledged == 4


def test_a_restarted_edge_sends_its_former_boots_messages_first(site: Site, tmp_path: Path) -> None:
    hub = site.hub()
    keys = site.keys()
    former, present = BootId(b"former boot 0001"), BootId(b"present boot 001")
    hello = Hello(software="test", cameras=[_HALL], model_id=ModelId("m@1"))
    with Spool(tmp_path / "s.db", max_bytes=1 << 20) as spool:
        with EdgeLink("tcp://127.0.0.1:1", keys, boot_id=former, spool=spool, hello=hello) as link:
            for number in range(3):
                link.publish(_status(number), timeout_s=1)
        with EdgeLink(hub.address, keys, boot_id=present, spool=spool, hello=hello) as link:
            link.publish(_status(9), timeout_s=1)
            deliveries = _receive(hub, 4)
            order = [(delivery.envelope.boot_id, delivery.envelope.seq) for delivery in deliveries]
            assert order == [(former, 1), (former, 2), (former, 3), (present, 1)]
            hub.acknowledge(deliveries)
            assert link.flush(_WAIT_S)


def test_a_hub_that_has_forgotten_takes_the_stream_from_where_the_edge_is_and_counts_the_gap(site: Site) -> None:
    with HubPort("tcp://127.0.0.1:0", site.hub_keys(), window=16, committed={}) as hub:
        address = hub.address
        link = site.link(hub)
        for number in range(3):
            link.publish(_status(number), timeout_s=1)
        hub.acknowledge(_receive(hub, 3))
        assert link.flush(_WAIT_S)
    again = site.hub(listen=address)
    link.publish(_status(4), timeout_s=1)
    deliveries = _receive(again, 1)
    assert _numbers(deliveries) == [4]
    assert again.counters().gaps == 3
    again.acknowledge(deliveries)
    assert link.flush(_WAIT_S)


def test_a_spool_that_cannot_be_used_for_a_while_does_not_end_the_link(site: Site) -> None:
    hub = site.hub()
    link = site.link(hub)
    assert link.wait_until_connected(_WAIT_S)
    database = sqlite3.connect(site.folder / "spool-gate.db")
    database.execute("ALTER TABLE message RENAME TO elsewhere")
    with pytest.raises(TransportError, match=r"spool-gate\.db: the spool cannot be used: no such table"):
        link.publish(_status(1), timeout_s=1)
    link.say_hello(Hello(software="test", cameras=[], model_id=ModelId("m@1")))
    _until(lambda: "cannot be used" in link.stats().problem, "the reason")
    database.execute("ALTER TABLE elsewhere RENAME TO message")
    database.close()
    assert link.publish(_status(1), timeout_s=1) == 1
    assert _numbers(_receive(hub, 1)) == [1]


def test_publishing_on_a_closed_link_is_an_error(site: Site) -> None:
    link = site.link(site.hub())
    link.close()
    with pytest.raises(TransportError, match="not running"):
        link.publish(_status(1), timeout_s=1)


def test_counters_begin_at_nothing(site: Site) -> None:
    counters = site.hub().counters()
    assert counters == HubCounters(
        received=0,
        acknowledged=0,
        duplicates=0,
        gaps=0,
        rewinds=0,
        over_window=0,
        lossy_dropped=0,
        unsent=0,
        malformed={},
        refused={},
        handshake_failures={},
        unauthorized=0,
        connections=0,
    )
