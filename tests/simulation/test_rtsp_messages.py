"""The pieces of the conversation by themselves: requests, logins, packets, the frame clock, what a fault may be."""

import asyncio
import base64
import contextlib
import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.errors import ConfigError, DataError
from simulation.rtsp import FAULT_KINDS, Fault, FrameClock
from simulation.rtsp.coding import Coding, Encoder
from simulation.rtsp.login import Login, challenges, new_nonce
from simulation.rtsp.packets import bye, interleaved, rtp_packet, sender_report
from simulation.rtsp.requests import MAX_HEAD_BYTES, BadRequestError, Request, path_of, read_request, response
from tests.simulation.numbered import NumberedPictures


def read(sent: bytes) -> Request:
    async def parse() -> Request:
        reader = asyncio.StreamReader(limit=MAX_HEAD_BYTES)
        reader.feed_data(sent)
        reader.feed_eof()
        return await read_request(reader)

    return asyncio.run(parse())


# --- requests


def test_a_request_is_its_method_path_and_headers() -> None:
    request = read(b"DESCRIBE rtsp://10.0.0.5:554/hall%201/?x=1 RTSP/1.0\r\nCSeq: 2\r\nUser-Agent:x\r\n\r\n")
    assert (request.method, request.path, request.version) == ("DESCRIBE", "hall 1", "RTSP/1.0")
    assert request.headers == {"cseq": "2", "user-agent": "x"}


def test_receiver_reports_and_empty_lines_before_a_request_are_passed_over() -> None:
    report = interleaved(b"OPTIONS * RTSP/1.0\r\n\r\n" + bytes(30_000), channel=1)
    assert read(report + report + b"\r\n" + b"PLAY /a RTSP/1.0\r\n\r\n").method == "PLAY"


def test_the_body_of_a_request_is_passed_over() -> None:
    sent = b"GET_PARAMETER /a RTSP/1.0\r\nContent-Length: 5\r\n\r\nx\r\n\r\nPLAY /a RTSP/1.0\r\n\r\n"
    assert read(sent).method == "GET_PARAMETER"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"PLAY RTSP/1.0\r\n\r\n",
        b"\x00\xff\xfe garbage \r\n\r\n",
        b"PLAY /a RTSP/1.0\r\nno colon\r\n\r\n",
        b"PLAY /a RTSP/1.0\r\nContent-Length: -1\r\n\r\n",
        b"PLAY /a RTSP/1.0\r\nContent-Length: 999999999\r\n\r\n",
        b"PLAY rtsp://[::1/a RTSP/1.0\r\n\r\n",
        b"PLAY /a RTSP/1.0\r\nX: " + b"x" * 2 * MAX_HEAD_BYTES,
    ],
    ids=lambda sent: repr(sent[:40]),
)
def test_what_is_no_request_is_said_to_be_none(sent: bytes) -> None:
    with pytest.raises(BadRequestError, match=r"expected|over|no URL"):
        read(sent)


def test_a_wrong_url_is_told_without_its_password() -> None:
    with pytest.raises(BadRequestError) as caught:
        path_of("rtsp://me:secret@[::1/a")
    assert "secret" not in str(caught.value)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_an_error_of_ours(sent: bytes) -> None:
    with contextlib.suppress(BadRequestError, asyncio.IncompleteReadError):
        read(sent)


def test_a_response_has_its_sequence_number_and_the_length_of_its_body() -> None:
    sent = response(200, cseq="7", headers=[("A", "b"), ("A", "c")], body="hé")
    assert sent == b"RTSP/1.0 200 OK\r\nCSeq: 7\r\nA: b\r\nA: c\r\nContent-Length: 3\r\n\r\nh\xc3\xa9"
    assert response(404, cseq=None) == b"RTSP/1.0 404 Not Found\r\n\r\n"


# --- logins

LOGIN = Login("viewer", "pass:word")


def asking(authorization: str, *, method: str = "DESCRIBE") -> Request:
    return Request(method, "rtsp://h/a", "a", "RTSP/1.0", {"authorization": authorization})


def basic(text: str) -> Request:
    return asking("Basic " + base64.b64encode(text.encode()).decode())


def digest(nonce: str, *, user: str = "viewer", known: str = "pass:word", uri: str = "rtsp://h/a") -> Request:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    answer = md5(f"{md5(f'{user}:simulated camera:{known}')}:{nonce}:{md5(f'DESCRIBE:{uri}')}")
    return asking(
        f'Digest username="{user}", realm="simulated camera", nonce="{nonce}", uri="{uri}", response="{answer}"'
    )


def test_basic_and_digest_admit_who_knows_the_password() -> None:
    nonce = new_nonce()
    assert LOGIN.admits(basic("viewer:pass:word"), nonce=nonce)
    assert LOGIN.admits(digest(nonce), nonce=nonce)
    assert LOGIN.admits(digest(nonce, uri="/a/"), nonce=nonce)  # GStreamer's way to write it


def test_everybody_else_is_kept_out() -> None:
    nonce = new_nonce()
    wrong = [
        Request("DESCRIBE", "rtsp://h/a", "a", "RTSP/1.0", {}),
        basic("viewer:wrong"),
        basic("viewer"),
        asking("Basic not base64!"),
        asking("Basic"),
        asking("Bearer x"),
        asking("Digest"),
        digest(nonce, known="wrong"),
        digest(nonce, user="other"),
        digest(new_nonce()),
        digest(nonce, uri="rtsp://h/b"),
        asking(digest(nonce).headers["authorization"], method="PLAY"),
    ]
    assert [LOGIN.admits(request, nonce=nonce) for request in wrong] == [False] * len(wrong)


def test_a_login_shows_no_password_and_a_challenge_offers_both_ways() -> None:
    assert "pass:word" not in repr(LOGIN)
    assert [challenge.split()[0] for challenge in challenges("n")] == ["Digest", "Basic"]


# --- packets


def test_a_sender_report_says_when_a_picture_was_taken() -> None:
    at_ns = 1_700_000_000_250_000_000
    report = sender_report(ssrc=5, at_ns=at_ns, timestamp=2**32 + 9, packets=3, octets=700, name="cam")
    version, kind, words, ssrc, seconds, fraction, timestamp, packets, octets = struct.unpack("!BBHIIIIII", report[:28])
    assert (version, kind, words, ssrc, timestamp, packets, octets) == (0x80, 200, 6, 5, 9, 3, 700)
    assert (seconds - 2_208_988_800, fraction) == (1_700_000_000, 2**30)


@pytest.mark.parametrize("name", ["", "a", "ab", "cam", "cam1", "ü" * 300])
def test_a_report_is_whole_words_with_the_sources_name(name: str) -> None:
    description = sender_report(ssrc=5, at_ns=0, timestamp=0, packets=0, octets=0, name=name)[28:]
    kind, words, ssrc = struct.unpack("!xBHI", description[:8])
    assert (kind, ssrc, len(description)) == (202, 5, 4 * (words + 1))
    length = description[9]
    assert description[10 : 10 + length] == name.encode()[:255]
    assert set(description[10 + length :]) == {0}


def test_farewell_and_framing() -> None:
    assert bye(ssrc=5).hex() == "81cb000100000005"
    assert interleaved(b"abc", channel=3) == b"$\x03\x00\x03abc"
    packet = rtp_packet(b"", payload_type=96, sequence=0, timestamp=0, ssrc=0, completes_picture=False)
    assert packet.hex() == "806000000000000000000000"


# --- the frame clock


@given(
    st.integers(0, 10_000_000),
    st.sampled_from([0.5, 5.0, 7.0, 10.0, 12.5, 24000 / 1001, 25.0, 29.97, 30000 / 1001, 60.0]),
    st.integers(0, 2**62),
)
def test_a_pictures_capture_time_leads_back_to_it(index: int, fps: float, start_at_ns: int) -> None:
    clock = FrameClock(start_at_ns)
    at_ns = clock.captured_at_ns(index, fps=fps)
    assert clock.index_at(at_ns, fps=fps) == index
    assert clock.index_at(at_ns - 1, fps=fps) == index - 1


def test_an_hour_of_pictures_does_not_drift() -> None:
    assert FrameClock(0).captured_at_ns(30000, fps=30000 / 1001) == 1001 * 10**9


# --- the encoder


@pytest.mark.parametrize(
    ("width", "height", "fps"), [(0, 2, 5), (3, 2, 5), (2, 3, 5), (2, 2, 0), (2, 2, 121), (2, 2, float("nan"))]
)
def test_a_size_or_rate_that_cannot_be_coded_is_refused(width: int, height: int, fps: float) -> None:
    with pytest.raises(DataError, match="expected"):
        Coding("h264", width, height, fps)


def test_a_picture_of_another_size_is_refused() -> None:
    with (
        Encoder(Coding("h264", 160, 120, 10)) as encoder,
        pytest.raises(DataError, match=r"\(240, 320, 3\), expected \(120, 160, 3\)"),
    ):
        encoder.encode(NumberedPictures(size=(320, 240)).picture(1), keyframe=False)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_the_first_picture_each_tenth_and_those_asked_for_are_keyframes(codec) -> None:
    source = NumberedPictures()
    with Encoder(Coding(codec, 160, 120, 10)) as encoder:
        coded = [encoder.encode(source.picture(index), keyframe=index == 4) for index in range(16)]
        assert len(encoder.parameter_sets) == {"h264": 2, "hevc": 3}[codec]
    assert [index for index, picture in enumerate(coded) if picture.keyframe] == [0, 4, 14]
    assert all(0 < len(payload) <= 1400 - 12 for picture in coded for payload in picture.payloads)


# --- faults


def test_a_fault_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="no fault 'fire'; expected one of drop, stall"):
        Fault("fire")
    for wrong in ({"share": 0.0}, {"share": 1.5}, {"share": float("nan")}, {"scale": 0.0}, {"scale": 9.0}):
        with pytest.raises(ConfigError, match="expected above 0"):
            Fault("slow", **wrong)


def test_every_kind_has_a_default() -> None:
    assert all(0 < Fault(kind).part <= 1 for kind in FAULT_KINDS)
