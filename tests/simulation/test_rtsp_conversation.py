"""What the server answers, word for word, to clients that do right and wrong."""

import re
import socket
from collections.abc import Iterator

import pytest

from passerby.errors import ConfigError, SourceError
from simulation.rtsp import Fault, RtspServer
from tests.simulation.numbered import NumberedPictures, wait_until


class Client:
    """A connection on which requests are written by hand."""

    def __init__(self, server: RtspServer) -> None:
        self._base = f"rtsp://127.0.0.1:{server.port}/"
        self._connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self._file = self._connection.makefile("rb")
        self.session = ""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._connection.close()

    def send(self, sent: bytes) -> None:
        self._connection.sendall(sent)

    def ask(self, method: str, path: str = "cam", *headers: str, version: str = "1.0") -> tuple[int, str]:
        """(status, headers and body) of the answer; pictures before it are passed over."""
        lines = [f"{method} {self._base}{path} RTSP/{version}", "CSeq: 3", *headers]
        if self.session:
            lines.append(f"Session: {self.session}")
        self.send("\r\n".join([*lines, "", ""]).encode())
        return self.answer()

    def answer(self) -> tuple[int, str]:
        while (first := self._file.read(1)) == b"$":
            self._packet()
        text = first + self._file.readline()
        while not text.endswith(b"\r\n\r\n"):
            line = self._file.readline()
            assert line, text
            text += line
        length = re.search(rb"Content-Length: (\d+)", text)
        text += self._file.read(int(length.group(1))) if length else b""
        return int(text.split()[1]), text.decode()

    def packet(self) -> tuple[int, bytes]:
        """(channel, packet) of the next interleaved one."""
        assert self._file.read(1) == b"$"
        return self._packet()

    def _packet(self) -> tuple[int, bytes]:
        header = self._file.read(3)
        return header[0], self._file.read(int.from_bytes(header[1:], "big"))

    def play(self, channels: str = "interleaved=0-1") -> None:
        assert self.ask("DESCRIBE")[0] == 200
        status, text = self.ask("SETUP", "cam/trackID=0", f"Transport: RTP/AVP/TCP;unicast;{channels}")
        assert status == 200
        self.session = re.search(r"Session: (\w+);timeout=60", text).group(1)
        assert self.ask("PLAY")[0] == 200

    def is_closed(self) -> bool:
        """Wait until the server ends the connection."""
        try:
            while self._file.read(1):
                pass
        except ConnectionError:
            pass
        return True


@pytest.fixture(scope="module")
def server() -> Iterator[RtspServer]:
    with RtspServer({"cam": NumberedPictures(), "hall 1": NumberedPictures(size=(320, 240), fps=25.0)}) as running:
        yield running


@pytest.fixture
def client(server: RtspServer) -> Iterator[Client]:
    with Client(server) as connected:
        yield connected


def test_options_are_told_to_anybody(client: Client) -> None:
    status, text = client.ask("OPTIONS", "*")
    assert status == 200
    assert "CSeq: 3" in text
    assert "Public: OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, TEARDOWN" in text


def test_a_stream_is_described_with_its_parameter_sets(client: Client) -> None:
    status, text = client.ask("DESCRIBE", "hall%201")
    assert status == 200
    assert re.search(
        r"a=fmtp:96 packetization-mode=1;profile-level-id=\w{6};sprop-parameter-sets=[^,]+,[^,]+\r\n", text
    )
    for line in ("a=rtpmap:96 H264/90000", "m=video 0 RTP/AVP 96", "a=framerate:25", "a=control:trackID=0"):
        assert f"{line}\r\n" in text


def test_udp_is_refused_with_461_and_tcp_among_several_offers_is_taken(client: Client) -> None:
    assert client.ask("SETUP", "cam/trackID=0", "Transport: RTP/AVP;unicast;client_port=5000-5001")[0] == 461
    assert client.ask("SETUP", "cam/trackID=0")[0] == 461
    offers = "Transport: RTP/AVP/UDP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=4-5"
    status, text = client.ask("SETUP", "cam/trackID=0", offers)
    assert status == 200
    assert "Transport: RTP/AVP/TCP;unicast;interleaved=4-5" in text


def test_pictures_come_on_the_channel_that_was_asked_for_after_a_report(client: Client) -> None:
    client.play("interleaved=6-7")
    channel, report = client.packet()
    assert (channel, report[1]) == (7, 200)
    channel, packet = client.packet()
    assert (channel, packet[0], packet[1] & 0x7F) == (6, 0x80, 96)


def test_a_paused_stream_is_silent_and_goes_on_with_a_keyframe(client: Client, server: RtspServer) -> None:
    client.play()
    client.packet()
    assert client.ask("PAUSE")[0] == 200
    assert server.stats()["cam"].clients == 0
    assert client.ask("GET_PARAMETER")[1].startswith("RTSP/1.0 200")
    assert client.ask("PLAY")[0] == 200
    assert client.packet()[0] == 1  # again the report first
    sequence_parameter_set = client.packet()[1][12:]
    assert sequence_parameter_set[0] & 0x1F in (7, 24)  # alone, or together with others


def test_a_session_ends_when_it_is_torn_down(client: Client, server: RtspServer) -> None:
    client.play()
    assert client.ask("TEARDOWN")[0] == 200
    assert client.is_closed()
    assert server.stats()["cam"].clients == 0


def test_wrong_requests_get_the_right_status(client: Client) -> None:
    assert client.ask("DESCRIBE", "nowhere")[0] == 404
    assert client.ask("RECORD")[0] == 501
    assert client.ask("PLAY")[0] == 455
    assert client.ask("PAUSE")[0] == 455
    assert client.ask("DESCRIBE", version="2.0")[0] == 505
    status, text = client.ask("DESCRIBE", "cam", "Require: www.onvif.org/ver20/backchannel")
    assert status == 551
    assert "Unsupported: www.onvif.org/ver20/backchannel" in text
    client.play()
    client.session, session = "stranger", client.session
    assert client.ask("PAUSE")[0] == 454
    client.session = session
    assert client.ask("SETUP", "hall%201/trackID=0", "Transport: RTP/AVP/TCP")[0] == 455
    client.session = ""
    assert client.ask("OPTIONS")[0] == 200


def test_what_makes_no_sense_ends_the_connection(client: Client) -> None:
    client.send(b"GET / HTTP/1.1\r\n\r\n")
    assert client.answer()[0] == 400
    assert client.is_closed()


def test_a_client_that_vanishes_is_forgotten(server: RtspServer) -> None:
    with Client(server) as client:
        client.play()
        assert server.stats()["cam"].clients == 1
    wait_until(lambda: server.stats()["cam"].clients == 0, "the client was forgotten")


def test_a_password_is_asked_for_and_never_shown() -> None:
    with RtspServer({"cam": NumberedPictures()}, login=("viewer", "p@ss:w/d")) as server:
        assert server.url("cam") == f"rtsp://viewer:p%40ss%3Aw%2Fd@127.0.0.1:{server.port}/cam"
        assert "p@ss" not in repr(server)
        with Client(server) as client:
            assert client.ask("OPTIONS")[0] == 200
            status, text = client.ask("DESCRIBE")
            assert status == 401
            assert re.search(r'WWW-Authenticate: Digest realm="[^"]+", nonce="\w{32}"', text)
            assert 'WWW-Authenticate: Basic realm="' in text
            assert client.ask("DESCRIBE", "nowhere")[0] == 401  # says nothing of what there is
            authorization = "Authorization: Basic dmlld2VyOnBAc3M6dy9k"
            assert client.ask("DESCRIBE", "cam", authorization)[0] == 200


def test_a_source_that_fails_is_an_unavailable_service(recwarn: pytest.WarningsRecorder) -> None:
    class Broken(NumberedPictures):
        def picture(self, index: int) -> None:
            raise OSError("no picture")

    with RtspServer({"cam": Broken(), "well": NumberedPictures()}) as server, Client(server) as client:
        wait_until(lambda: client.ask("DESCRIBE")[0] == 503, "the stream is given up")
        assert client.ask("DESCRIBE", "well")[0] == 200


def test_a_taken_port_is_told_in_one_line(server: RtspServer) -> None:
    with pytest.raises(SourceError, match=rf"cannot listen at 127.0.0.1:{server.port}"):
        RtspServer({}, port=server.port).__enter__()


def test_names_that_cannot_be_are_refused(server: RtspServer) -> None:
    for name in ("", "a/b", "a\nb"):
        with pytest.raises(ConfigError, match="cannot be the name of a stream"):
            RtspServer({name: NumberedPictures()})
    with pytest.raises(ConfigError, match="no stream 'attic'; expected one of cam, hall 1"):
        server.url("attic")
    with pytest.raises(ConfigError, match="no stream"):
        server.fault("attic", Fault("drop"))


def test_before_and_after_its_time_a_server_tells_what_it_knows() -> None:
    server = RtspServer({"cam": NumberedPictures()}, host="::1")
    assert server.url("cam") == "rtsp://[::1]:0/cam"
    assert server.stats()["cam"].pictures == 0
    with pytest.raises(SourceError, match="does not run"):
        server.fault("cam", Fault("drop"))
    server.close()
    with RtspServer({"cam": NumberedPictures()}) as server, Client(server) as client:
        client.play()
        client.packet()
    assert server.stats()["cam"].pictures >= 1
    assert server.faults() == {}
    with pytest.raises(SourceError, match="does not run"):
        server.heal("cam")
