"""Streams as clients see them: the right pictures at the right times, whatever other clients and the renderer do."""

import gc
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from simulation.rtsp import RtspServer
from tests.simulation.numbered import Noise, NumberedPictures, Watching, number_of, wait_until


@pytest.fixture(scope="module")
def server() -> Iterator[RtspServer]:
    with RtspServer({"cam": NumberedPictures(), "fast": NumberedPictures(size=(320, 240), fps=25.0)}) as running:
        yield running


def resident_bytes() -> int:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def start_playing(port: int, *, receive_bytes: int | None = None) -> socket.socket:
    """A client that has asked for everything, and has read nothing yet."""
    connection = socket.socket()
    if receive_bytes is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", port))
    url = f"rtsp://127.0.0.1:{port}/cam"
    connection.sendall(f"SETUP {url}/trackID=0 RTSP/1.0\r\nTransport: RTP/AVP/TCP\r\n\r\n".encode())
    answer = connection.recv(300).decode()
    session = answer.partition("Session: ")[2].partition(";")[0]
    connection.sendall(f"PLAY {url} RTSP/1.0\r\nSession: {session}\r\n\r\n".encode())
    answer = connection.recv(
        len(f"RTSP/1.0 200 OK\r\nRange: npt=now-\r\nSession: {session};timeout=60\r\n\r\n")
    ).decode()
    assert answer.startswith("RTSP/1.0 200")
    return connection


def rtp_packets(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    """(sequence number, payload) of each RTP packet that comes."""
    with connection.makefile("rb") as file:
        while file.read(1) == b"$":
            channel, length = file.read(1)[0], int.from_bytes(file.read(2), "big")
            packet = file.read(length)
            if channel == 0:
                yield int.from_bytes(packet[2:4], "big"), packet[12:]


def test_capture_times_are_the_truth_and_belong_to_the_right_pictures(server: RtspServer) -> None:
    with Watching(server.url("cam")) as first, Watching(server.url("fast")) as second:
        frames = {"cam": first.wait_for_frames(12), "fast": second.wait_for_frames(25)}
    for name, seen in frames.items():
        assert {frame.clock.source for frame in seen} == {"rtcp"}
        for frame in seen:
            index = server.index_at(name, frame.captured_at_ns)
            assert number_of(frame.image) == index % 2**16
            assert abs(frame.captured_at_ns - server.captured_at_ns(name, index)) < 1_000_000
        numbers = [number_of(frame.image) for frame in seen]
        assert numbers == list(range(numbers[0], numbers[0] + len(seen)))


def test_several_clients_share_one_encoder(server: RtspServer) -> None:
    with Watching(server.url("cam")) as one, Watching(server.url("cam")) as two:
        wait_until(lambda: one.frames and two.frames, "both see the stream")
        assert server.stats()["cam"].clients == 2
        before = server.stats()["cam"].pictures
        one.wait_for_frames(10)
        assert server.stats()["cam"].pictures - before <= 13
        assert two.frames[-1].captured_at_ns >= one.frames[-2].captured_at_ns


def test_nothing_is_rendered_while_nobody_watches() -> None:
    source = NumberedPictures(fps=50.0)
    with RtspServer({"cam": source}) as server:
        assert source.asked == []
        with Watching(server.url("cam")) as watching:
            watching.wait_for_frames(3)
        wait_until(lambda: server.stats()["cam"].clients == 0, "the client has gone")
        wait_until(lambda: server.index_at("cam", time.time_ns()) > source.asked[-1] + 25, "half a second")
        asked = len(source.asked)
        assert source.asked[-1] < server.index_at("cam", time.time_ns()) - 20
        assert asked == len(source.asked) == len(set(source.asked))


def test_a_renderer_that_is_behind_leaves_pictures_out_and_catches_up() -> None:
    source = NumberedPictures()
    with RtspServer({"cam": source}) as server, Watching(server.url("cam")) as watching:
        watching.wait_for_frames(3)
        before = server.stats()["cam"].skipped
        source.slow_until = source.asked[-1] + 12
        wait_until(lambda: source.asked[-1] > source.slow_until, "the slow pictures are over")
        seen = watching.wait_for_frames(5)
        assert server.stats()["cam"].skipped - before >= 4
        assert not watching.errors
    for frame in seen:
        assert number_of(frame.image) == server.index_at("cam", frame.captured_at_ns) % 2**16
    assert source.asked == sorted(set(source.asked))


def test_cameras_that_start_together_show_the_same_instant() -> None:
    start_at_ns = time.time_ns() - 100 * 10**9
    one, two = ({"cam": NumberedPictures()} for _ in range(2))
    with RtspServer(one, start_at_ns=start_at_ns) as first, RtspServer(two, start_at_ns=start_at_ns) as second:
        assert first.captured_at_ns("cam", 7) == second.captured_at_ns("cam", 7) == start_at_ns + 7 * 10**8
        with Watching(first.url("cam")) as left, Watching(second.url("cam")) as right:
            seen = left.wait_for_frames(2) + right.wait_for_frames(2)
    assert all(number_of(frame.image) >= 1000 for frame in seen)


def test_a_slow_client_loses_pictures_and_stalls_nobody() -> None:
    source = Noise()
    with RtspServer({"cam": source}) as server, start_playing(server.port, receive_bytes=4096):
        with av.open(server.url("cam"), options={"rtsp_transport": "tcp"}, timeout=10) as container:
            times = []
            for packet in container.demux(video=0):
                times += [] if packet.pts is None else [packet.pts]  # FFmpeg is not sure of the first
                if len(times) > 25 and server.stats()["cam"].dropped:
                    break
        assert server.stats()["cam"].dropped > 0
    seen = [(time - times[0]) * 25 // 90_000 for time in times]
    taken = [index - source.asked[0] for index in source.asked]
    offset = next(offset for offset in taken if set(seen) <= {index - offset for index in taken})
    assert seen == [index - offset for index in taken if index >= offset][: len(seen)]


def test_a_client_that_catches_up_goes_on_with_a_keyframe() -> None:
    with RtspServer({"cam": Noise()}) as server, start_playing(server.port, receive_bytes=4096) as slow:
        wait_until(lambda: server.stats()["cam"].dropped > 5, "the client is behind")
        packets = rtp_packets(slow)
        sequence, _ = next(packets)
        while True:
            following, payload = next(packets)
            if following != (sequence + 1) & 0xFFFF:
                break
            sequence = following
        assert payload[0] & 0x1F in (7, 24)  # a sequence parameter set, alone or with others


def test_clients_that_come_and_go_leave_nothing_behind() -> None:
    with RtspServer({"cam": Noise()}) as server:

        def come_and_go(times: int) -> None:
            for _ in range(times):
                with start_playing(server.port) as connection:
                    connection.recv(20_000)

        stuck = start_playing(server.port, receive_bytes=4096)
        come_and_go(40)
        wait_until(lambda: server.stats()["cam"].dropped > 0, "the stuck client is behind")
        gc.collect()
        before, threads = resident_bytes(), threading.active_count()
        come_and_go(120)
        wait_until(lambda: server.stats()["cam"].clients == 1, "all but the stuck client were forgotten")
        gc.collect()
        assert resident_bytes() - before < 8 * 2**20
        assert threading.active_count() == threads
        stuck.close()


def test_the_end_of_the_server_is_told_and_leaves_no_thread() -> None:
    threads = threading.active_count()
    with RtspServer({"cam": NumberedPictures(), "idle": NumberedPictures()}) as server:
        connection = start_playing(server.port)
        connection.recv(100)
    server.close()
    with connection:
        received = b""
        while more := connection.recv(65536):
            received += more
    assert received.endswith(b"$\x01\x00\x08\x81\xcb\x00\x01" + received[-4:])  # RTCP BYE
    assert threading.active_count() == threads


def test_a_client_that_reads_nothing_does_not_keep_the_server_from_ending() -> None:
    began = time.monotonic()
    server = RtspServer({"cam": Noise()})
    with server, start_playing(server.port, receive_bytes=4096):
        wait_until(lambda: server.stats()["cam"].dropped > 0, "the client is behind")
        began = time.monotonic()
        server.close()
    assert time.monotonic() - began < 8
