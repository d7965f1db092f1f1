"""A live camera through its states."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.live import LiveCamera
from edge.sources import open_source
from passerby.config import CameraSettings
from passerby.errors import SourceEndedError
from passerby.ids import CameraId
from tests.edge.footage import number_of, write_film

DOOR = CameraId("door")


def until(condition: Callable[[], bool], *, timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    waiting = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        waiting.wait(0.01)


@contextlib.contextmanager
def running(settings: CameraSettings) -> Iterator[LiveCamera]:
    camera = LiveCamera(DOOR, settings, arrival=threading.Event())
    camera.start()
    try:
        yield camera
    finally:
        camera.stop()


class MjpegServer:
    """A camera over HTTP: endless motion JPEG; can fall silent, hang up, or not listen."""

    def __init__(self, jpegs: list[bytes]) -> None:
        self._jpegs = jpegs
        self._stop = threading.Event()
        self.silent = threading.Event()
        self.hang_up = threading.Event()
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.connections += 1
            thread = threading.Thread(target=self._send, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _send(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n")
            number = 0
            while not self._stop.wait(0.05) and not self.hang_up.is_set():
                if self.silent.is_set():
                    continue
                jpeg = self._jpegs[number % len(self._jpegs)]
                head = f"--x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                connection.sendall(head.encode() + jpeg + b"\r\n")
                number += 1


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    import cv2

    from tests.edge.footage import picture

    jpegs = [cv2.imencode(".jpg", picture(number))[1].tobytes() for number in range(1, 20)]
    server = MjpegServer(jpegs)
    yield server
    server.close()


def live(server: MjpegServer, **changes: object) -> CameraSettings:
    url = f"http://127.0.0.1:{server.port}/live.mjpg"
    return CameraSettings(url=url, fps=10, **{"open_timeout_s": 5.0, "read_timeout_s": 1.0, **changes})


def test_a_recording_plays_and_ends(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mp4", frames=6)
    with running(CameraSettings(url=str(film), fps=120)) as camera:
        numbers = []

        def ended() -> bool:
            if (frame := camera.take()) is not None:
                numbers.append(frame.frame_number)
            return camera.is_over()

        until(ended)
        assert numbers == sorted(numbers)
        assert number_of(open_last(film)) == 6
        status = camera.status(3)
        assert (status.state, status.frames, status.tracklets) == ("ended", 6, 3)
        assert status.skipped_frames == 6 - len(numbers)


def open_last(film: Path):
    with open_source(DOOR, CameraSettings(url=str(film), fps=120), realtime=False) as source:
        return list(source)[-1].image


def test_only_the_latest_frame_is_kept_and_the_others_are_counted(tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mp4", frames=8)
    with running(CameraSettings(url=str(film), fps=120)) as camera:
        until(lambda: camera.status(0).state == "ended")
        assert camera.take().frame_number == 8
        assert camera.take() is None
        assert camera.status(0).skipped_frames == 7


def test_a_missing_file_needs_somebody(tmp_path: Path) -> None:
    with running(CameraSettings(url=str(tmp_path / "missing.mp4"))) as camera:
        until(lambda: camera.status(0).state == "failed")
        assert "no such file" in camera.status(0).detail
        assert camera.is_over()


def test_a_camera_that_hangs_up_is_found_again(server: MjpegServer) -> None:
    with running(live(server)) as camera:
        until(lambda: camera.status(0).frames > 3)
        before = camera.take()
        server.hang_up.set()
        until(lambda: camera.status(0).state == "waiting")
        server.hang_up.clear()
        until(lambda: camera.status(0).state == "live" and camera.take() is not None)
        until(lambda: (after := camera.take()) is not None and after.frame_number > before.frame_number)
        assert camera.status(0).reconnects >= 1


def test_a_camera_that_falls_silent_is_connected_to_anew(server: MjpegServer) -> None:
    with running(live(server)) as camera:
        until(lambda: camera.status(0).frames > 3)
        server.silent.set()
        until(lambda: camera.status(0).state == "waiting")
        assert "in time" in camera.status(0).detail
        server.silent.clear()
        until(lambda: camera.status(0).state == "live")
        assert server.connections >= 2


def test_a_stall_is_seen_and_counted_before_the_connection_is_given_up(server: MjpegServer) -> None:
    with running(live(server, read_timeout_s=30.0)) as camera:
        until(lambda: camera.status(0).frames > 3)
        server.silent.set()

        def stalled() -> bool:
            camera.check()
            return camera.status(0).state == "stalled"

        until(stalled)
        assert camera.status(0).stalls == 1
        server.silent.clear()
        until(lambda: camera.status(0).state == "live")
        assert camera.status(0).reconnects == 0


def test_nobody_there_is_tried_again_and_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with running(CameraSettings(url=f"rtsp://u:secret@127.0.0.1:{port}/x")) as camera:
        until(lambda: camera.status(0).reconnects >= 2)
        assert "secret" not in camera.status(0).detail


def test_pause_lets_go_and_resume_comes_back(server: MjpegServer) -> None:
    with running(live(server)) as camera:
        until(lambda: camera.status(0).frames > 2)
        camera.pause()
        assert camera.status(0).state == "paused"
        assert camera.take() is None
        seen = camera.status(0).frames
        camera.resume()
        until(lambda: camera.status(0).frames > seen)


def test_a_stopped_camera_gives_no_more_frames(server: MjpegServer) -> None:
    with running(live(server)) as camera:
        until(lambda: camera.status(0).frames > 2)
        camera.stop()
        frames = camera.status(0).frames
        assert camera.take() is None
        connections = server.connections
        server.hang_up.set()
        until(lambda: not any(thread.name == f"camera-{DOOR}" for thread in threading.enumerate()))
        assert (camera.status(0).frames, server.connections) == (frames, connections)


def test_a_live_streams_end_is_an_error(server: MjpegServer) -> None:
    with open_source(DOOR, live(server), realtime=True) as source:
        frames = iter(source)
        next(frames)
        server.hang_up.set()
        with pytest.raises(SourceEndedError):
            list(frames)
