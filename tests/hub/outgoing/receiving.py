"""Who is told, on real sockets: an HTTP server that keeps what is posted, an MQTT broker, and who listens at it."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message as Headers
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
from iotcore import Broker as RealBroker
from paho.mqtt import client as paho

PATIENCE_S = 30.0
_SILENCE_S = 0.3
USER, PASSWORD = "passerby", "a broker's word"


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    waiting = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        waiting.wait(0.02)


@dataclass
class Post:
    """What was posted once."""

    path: str
    headers: Headers
    body: bytes

    @property
    def told(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass
class Receiver:
    """Answers with `status`, and keeps everything that it answered."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook?token=very-secret"

    def taken(self) -> list[Any]:
        return [post.told for post in self.posts]


@contextlib.contextmanager
def receiving(receiver: Receiver, *, port: int = 0, certificate: Path | None = None) -> Iterator[Receiver]:
    """An HTTP server; with `certificate` (PEM, its key too) by TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posts.append(Post(self.path, self.headers, body))
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            receiver.scheme = "https"
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def broker_at(port: int, *, folder: Path, certificate: Path | None = None) -> Iterator[RealBroker]:
    """A broker that lets in USER alone; with `certificate` (and `.key` beside it) by TLS."""
    tls = ""
    if certificate is not None:
        tls = f'[v4.1.tls]\ncertpath = "{certificate}"\nkeypath = "{certificate.with_suffix(".key")}"\n'
    file = folder / f"broker-{port}.toml"
    file.write_text(
        "id = 0\n[router]\nid = 0\nmax_connections = 100\nmax_outgoing_packet_count = 200\n"
        "max_segment_size = 1048576\nmax_segment_count = 10\n"
        f'[v4.1]\nname = "v4"\nlisten = "127.0.0.1:{port}"\nnext_connection_delay_ms = 1\n'
        "[v4.1.connections]\nconnection_timeout_ms = 5000\nmax_payload_size = 200000\nmax_inflight_count = 100\n"
        f'dynamic_filters = true\n[v4.1.connections.auth]\n{USER} = "{PASSWORD}"\n{tls}'
    )
    with RealBroker(config_path=str(file)) as broker:
        yield broker


@dataclass
class Heard:
    """What a broker passes on."""

    messages: list[tuple[str, bytes, bool]] = field(default_factory=list)
    """(topic, payload, was it kept by the broker)."""

    def latest(self, topic: str) -> bytes | None:
        return next((payload for name, payload, _ in reversed(self.messages) if name == topic), None)

    def told(self, topic: str) -> list[Any]:
        return [msgspec.json.decode(payload) for name, payload, _ in self.messages if name == topic]


@contextlib.contextmanager
def listening(port: int, *topics: str) -> Iterator[Heard]:
    """Everything of these topics, by default all."""
    heard = Heard()
    there = threading.Event()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=f"listener-{time.monotonic_ns()}")
    client.username_pw_set(USER, PASSWORD)
    client.on_message = lambda _c, _d, m: heard.messages.append((m.topic, m.payload, m.retain))
    client.on_connect = lambda c, *_: c.subscribe([(topic, 1) for topic in topics or ("#",)])
    client.on_subscribe = lambda *_: there.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert there.wait(PATIENCE_S)
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


def kept_at(port: int, *topics: str) -> dict[str, bytes]:
    """What the broker keeps of each topic: all that it tells a newcomer, until it has been silent for a while."""
    with listening(port, *topics) as heard:
        known, pause = -1, threading.Event()
        while len(heard.messages) != known:
            known = len(heard.messages)
            pause.wait(_SILENCE_S)
        return {topic: payload for topic, payload, kept in heard.messages if kept}
