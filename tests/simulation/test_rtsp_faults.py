"""Each fault, seen by an edge's own source: what it says while the fault lasts, and that it recovers by itself."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import time_ns

import av
import pytest

from edge.frames import Frame
from passerby.errors import SourceEndedError, SourceError, SourceTimeoutError, SourceUnauthorizedError
from simulation.rtsp import Fault, RtspServer
from tests.simulation.numbered import NumberedPictures, Watching, number_of, wait_until

SECONDS = 2.5
RECOVERY_S = 5.0

FAULTS = {
    "drop": Fault("drop"),
    "stall": Fault("stall"),
    "garbage": Fault("garbage", share=0.3),
    "rubbish": Fault("garbage", share=1.0),
    "noise": Fault("noise"),
    "slow": Fault("slow"),
    "locked": Fault("wrong-password"),
    "codec": Fault("codec"),
    "size": Fault("size"),
    "clock": Fault("clock-jump"),
    "loss": Fault("loss", share=0.2),
}
"""Stream -> what happens to it."""


@dataclass(frozen=True)
class Suffered:
    """The pictures taken while a stream had its fault (not those that were still on their way), and all errors until
    it had recovered."""

    frames: list[Frame]
    errors: list[SourceError]
    recovered: list[Frame]

    @property
    def kinds(self) -> set[type[SourceError]]:
        return {type(error) for error in self.errors}


@pytest.fixture(scope="module")
def server() -> Iterator[RtspServer]:
    with RtspServer({name: NumberedPictures() for name in FAULTS}, login=("viewer", "secret")) as running:
        yield running


@pytest.fixture(scope="module")
def suffered(server: RtspServer) -> dict[str, Suffered]:
    """Every stream with its fault for two and a half seconds, at the same time."""

    def suffer(name: str) -> Suffered:
        # A lost keyframe costs a second of pictures, and several in a row may be lost: that must not look like a stall.
        patience_s = 4.0 if name in ("garbage", "loss", "slow") else 1.0
        with Watching(server.url(name), timeout_s=patience_s) as watching:
            watching.wait_for_frames(3)
            frames, errors = len(watching.frames), len(watching.errors)
            began_at_ns = time_ns()
            server.fault(name, FAULTS[name], seconds=SECONDS)
            wait_until(lambda: name not in server.faults(), "the fault is over", timeout_s=SECONDS + 5)
            during = [frame for frame in watching.frames[frames:] if frame.captured_at_ns >= began_at_ns]
            settled = len(watching.frames)
            wait_until(
                lambda: sum(is_right(server, name, frame) for frame in watching.frames[settled:]) >= 3,
                f"{name} has recovered",
                timeout_s=RECOVERY_S,
            )
            return Suffered(during, watching.errors[errors:], watching.frames[settled:])

    with ThreadPoolExecutor(len(FAULTS)) as pool:
        return dict(zip(FAULTS, pool.map(suffer, FAULTS), strict=True))


def is_right(server: RtspServer, name: str, frame: Frame) -> bool:
    """Whether a frame shows the picture that was taken at its capture time."""
    return number_of(frame.image) == server.index_at(name, frame.captured_at_ns) % 2**16


def test_drop_ends_the_connection_and_every_new_one(suffered: dict[str, Suffered]) -> None:
    seen = suffered["drop"]
    assert len(seen.frames) <= 2
    assert isinstance(seen.errors[0], SourceEndedError)
    assert len(seen.errors) > 3


def test_stall_is_a_timeout(suffered: dict[str, Suffered]) -> None:
    seen = suffered["stall"]
    assert len(seen.frames) <= 2
    assert seen.kinds == {SourceTimeoutError}


def test_some_garbage_and_some_loss_cost_pictures_but_no_connection(suffered: dict[str, Suffered]) -> None:
    for name in ("garbage", "loss"):
        assert 0 < len(suffered[name].frames) < 24
        assert not suffered[name].errors


def test_nothing_but_garbage_shows_nothing_right(suffered: dict[str, Suffered], server: RtspServer) -> None:
    seen = suffered["rubbish"]
    assert sum(is_right(server, "rubbish", frame) for frame in seen.frames) <= 3
    assert seen.kinds <= {SourceTimeoutError}


def test_noise_between_packets_ends_with_a_new_connection(suffered: dict[str, Suffered]) -> None:
    assert suffered["noise"].errors


def test_slow_is_fewer_pictures_each_at_its_right_time(suffered: dict[str, Suffered], server: RtspServer) -> None:
    seen = suffered["slow"]
    assert 3 <= len(seen.frames) <= 8
    assert all(is_right(server, "slow", frame) for frame in seen.frames)
    assert not seen.errors


def test_a_wrong_password_is_said_until_it_is_right_again(suffered: dict[str, Suffered]) -> None:
    seen = suffered["locked"]
    assert len(seen.frames) <= 2
    assert isinstance(seen.errors[0], SourceEndedError)
    assert {type(error) for error in seen.errors[1:]} == {SourceUnauthorizedError}
    assert "secret" not in "".join(map(str, seen.errors))


def test_another_codec_cannot_be_decoded_until_one_asks_anew(suffered: dict[str, Suffered]) -> None:
    seen = suffered["codec"]
    assert len(seen.frames) <= 2
    assert isinstance(seen.errors[0], SourceTimeoutError)


def test_another_size_comes_within_the_same_connection(suffered: dict[str, Suffered], server: RtspServer) -> None:
    seen = suffered["size"]
    assert not seen.errors
    assert (60, 80, 3) in {frame.image.shape for frame in seen.frames}
    assert seen.recovered[-1].image.shape == (120, 160, 3)
    assert all(is_right(server, "size", frame) for frame in seen.frames)


def test_a_jumping_clock_is_not_believed(suffered: dict[str, Suffered], server: RtspServer) -> None:
    seen = suffered["clock"]
    assert not seen.errors
    assert "host" in {frame.clock.source for frame in seen.frames}
    assert seen.recovered[-1].clock.source == "rtcp"
    for frame in seen.frames:
        taken_at_ns = server.captured_at_ns("clock", number_of(frame.image))
        assert abs(frame.captured_at_ns - taken_at_ns) < frame.clock.error_ns + 10**8


def test_who_was_told_of_the_other_codec_must_ask_again_when_it_has_gone(server: RtspServer) -> None:
    server.fault("codec", Fault("codec"))
    with av.open(server.url("codec"), options={"rtsp_transport": "tcp"}, timeout=10) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
        assert next(container.decode(video=0)).width == 160
        server.heal("codec")
        for _ in container.demux(video=0):
            pass  # ends, since the camera ends it


def test_a_fault_replaces_the_one_before_and_can_be_healed_early(server: RtspServer) -> None:
    with Watching(server.url("slow"), timeout_s=3.0) as watching:
        watching.wait_for_frames(2)
        server.fault("slow", Fault("stall"), seconds=0.3)
        server.fault("slow", Fault("slow"), seconds=60)
        watching.wait_for_frames(2)  # half a second apart: the end of the stall has not ended it
        assert server.faults() == {"slow": Fault("slow")}
        server.heal("slow")
        server.heal("slow")
        assert server.faults() == {}
        watching.wait_for_frames(5, timeout_s=3.0)


def test_a_fault_of_one_camera_is_no_other_cameras(server: RtspServer) -> None:
    with Watching(server.url("loss"), timeout_s=3.0) as watching:
        watching.wait_for_frames(2)
        for name in ("drop", "stall", "locked", "codec"):
            server.fault(name, FAULTS[name], seconds=0.5)
        watching.wait_for_frames(8)
        assert not watching.errors
        wait_until(lambda: not server.faults(), "the faults are over")
