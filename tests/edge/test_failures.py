"""Cameras that refuse, stay silent or break off: the right error, in time, and never a password."""

import contextlib
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator

import pytest

from edge.sources import open_source
from passerby.config import CameraSettings
from passerby.errors import (
    SourceEndedError,
    SourceError,
    SourceRefusedError,
    SourceTimeoutError,
    SourceUnauthorizedError,
)
from passerby.ids import CameraId

USER, PASSWORD = "operator", "s3cr3t-pass"


@contextlib.contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server on a free port of this machine that gives every connection to `answer`."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listening.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(5)
                    with contextlib.suppress(OSError):
                        answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            stop.set()
            thread.join(10)


def rtsp_status(status: str) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        while request := connection.recv(4096).decode():
            number = next(line for line in request.splitlines() if line.lower().startswith("cseq:")).split(":")[1]
            words = "200 OK\r\nPublic: DESCRIBE, SETUP, PLAY" if request.startswith("OPTIONS") else status
            connection.sendall(f"RTSP/1.0 {words}\r\nCSeq:{number}\r\nContent-Length: 0\r\n\r\n".encode())

    return answer


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def hang_up(connection: socket.socket) -> None:
    connection.recv(4096)


def failure(url: str, capfd, caplog, *, timeout_s: float = 2.0) -> SourceError:
    """What opening the URL raises; asserts that it comes in time and gives no secret away anywhere."""
    settings = CameraSettings(url=url, open_timeout_s=timeout_s, read_timeout_s=timeout_s)
    began = time.monotonic()
    with caplog.at_level(logging.DEBUG), pytest.raises(SourceError) as caught:
        open_source(CameraId("door"), settings, realtime=True)
    assert time.monotonic() - began < timeout_s + 3
    error = caught.value
    told = [str(error), repr(error), "".join(traceback.format_exception(error)), caplog.text, *capfd.readouterr()]
    assert error.__cause__ is None
    assert error.__context__ is None
    assert repr(settings).count("***") == 1
    for text in told:
        assert USER not in text
        assert PASSWORD not in text
    return error


def rtsp(port: int) -> str:
    return f"rtsp://{USER}:{PASSWORD}@127.0.0.1:{port}/stream"


def test_a_closed_port_is_refused(capfd, caplog) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = failure(rtsp(port), capfd, caplog)
    assert isinstance(error, SourceRefusedError)
    assert "127.0.0.1" in str(error)


def test_401_is_unauthorized(capfd, caplog) -> None:
    status = '401 Unauthorized\r\nWWW-Authenticate: Basic realm="camera"'
    with server(rtsp_status(status)) as port:
        assert isinstance(failure(rtsp(port), capfd, caplog), SourceUnauthorizedError)


def test_404_is_refused(capfd, caplog) -> None:
    with server(rtsp_status("404 Not Found")) as port:
        assert isinstance(failure(rtsp(port), capfd, caplog), SourceRefusedError)


def test_silence_is_a_timeout(capfd, caplog) -> None:
    with server(silent) as port:
        assert isinstance(failure(rtsp(port), capfd, caplog, timeout_s=1.0), SourceTimeoutError)


def test_silence_over_http_is_a_timeout(capfd, caplog) -> None:
    with server(silent) as port:
        url = f"http://{USER}:{PASSWORD}@127.0.0.1:{port}/live.mjpg"
        assert isinstance(failure(url, capfd, caplog, timeout_s=1.0), SourceTimeoutError)


def test_a_connection_that_is_hung_up_is_a_source_error(capfd, caplog) -> None:
    with server(hang_up) as port:
        assert isinstance(failure(rtsp(port), capfd, caplog), SourceEndedError | SourceError)


def test_garbage_is_a_source_error(capfd, caplog) -> None:
    def garbage(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"\x00\xff garbage \r\n\r\n" * 50)

    with server(garbage) as port:
        failure(rtsp(port), capfd, caplog)


def test_http_errors_are_mapped(capfd, caplog) -> None:
    def http(status: str) -> Callable[[socket.socket], None]:
        def answer(connection: socket.socket) -> None:
            connection.recv(4096)
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

        return answer

    for status, kind in (
        ("401 Unauthorized", SourceUnauthorizedError),
        ("403 Forbidden", SourceUnauthorizedError),
        ("404 Not Found", SourceRefusedError),
        ("500 Oops", SourceRefusedError),
    ):
        with server(http(status)) as port:
            url = f"http://{USER}:{PASSWORD}@127.0.0.1:{port}/live"
            assert isinstance(failure(url, capfd, caplog), kind), status


def test_a_conversation_that_is_broken_off_is_said_to_be(caplog: pytest.LogCaptureFixture) -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(4096)

    with server(hang_up) as port, pytest.raises(SourceEndedError, match="broke off before it sent a picture"):
        open_source(CameraId("a"), CameraSettings(url=f"rtsp://{USER}:{PASSWORD}@127.0.0.1:{port}/x"), realtime=True)
    assert PASSWORD not in caplog.text
