"""From pictures to RTP payloads: FFmpeg encodes and splits, through PyAV."""

from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Any, Literal, TypeAlias

import av
from av.video.frame import PictureType

from passerby.arrays import Image
from passerby.errors import DataError

Codec: TypeAlias = Literal["h264", "hevc"]

PAYLOAD_TYPE = 96
CLOCK_RATE = 90_000
MAX_PACKET_BYTES = 1400
"""RTP packets that would fit UDP over Ethernet, as cameras make them for every transport."""

_HEADER_BYTES = 12
_KEYFRAME_INTERVAL_S = 1.0
"""What a client that lost a picture waits for at most; costs about a fifth more bits than 2 s."""

_MAX_BITS_PER_PIXEL = 0.5
"""Bound of the bit rate: noise would otherwise cost without limit at constant quality."""

_ENCODERS: dict[Codec, tuple[str, dict[str, str]]] = {
    "h264": ("libx264", {"preset": "superfast", "tune": "zerolatency", "crf": "24", "sc_threshold": "0"}),
    "hevc": (
        "libx265",
        {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "crf": "28",
            "x265-params": "pools=none:frame-threads=1:log-level=none:repeat-headers=1:bframes=0:scenecut=0",
        },
    ),
}


@dataclass(frozen=True, slots=True)
class Coding:
    """How a stream is coded. Clients learn it from the session description; a change needs a new encoder."""

    codec: Codec
    width: int
    height: int
    fps: float

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0 or self.width % 2 or self.height % 2:
            raise DataError(f"pictures are {self.width}x{self.height}, expected an even width and height above 0")
        if not 0 < self.fps <= 120:
            raise DataError(f"fps is {self.fps}, expected above 0 and at most 120")


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """The RTP payloads of one picture, in order; a keyframe can be decoded without any picture before it."""

    payloads: tuple[bytes, ...]
    keyframe: bool


class Encoder:
    """One stream's encoder: low delay, no B-frames, a keyframe each second, parameter sets before each keyframe.

    One thread: a site has many cameras, and pictures of 640x360 take 3 ms. Not thread-safe. Close it.
    """

    def __init__(self, coding: Coding) -> None:
        self.coding = coding
        self._writes = _Writes()
        # FFmpeg's own RTCP reports are left out: they tell its own clock, not when the picture was taken.
        self._muxer = av.open(
            self._writes,
            "w",
            format="rtp",
            options={"packetsize": str(MAX_PACKET_BYTES), "payload_type": str(PAYLOAD_TYPE), "rtpflags": "+skip_rtcp"},
        )
        self._stream = _add_stream(self._muxer, coding)
        self._encoded = 0
        self.parameter_sets: tuple[bytes, ...] = ()
        """The NAL units (VPS,) SPS, PPS of the last keyframe, without start codes; empty before the first."""

    def __enter__(self) -> "Encoder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the encoder."""
        self._muxer.close()

    def encode(self, image: Image, *, keyframe: bool) -> CodedPicture:
        """Encode the next picture, (height, width, 3) uint8 BGR; `keyframe` asks for one.

        Raises DataError when the picture has another size.
        """
        if image.shape != (self.coding.height, self.coding.width, 3):
            raise DataError(f"picture has shape {image.shape}, expected ({self.coding.height}, {self.coding.width}, 3)")
        frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p", threads=1)
        frame.pts = self._encoded
        frame.pict_type = PictureType.I if keyframe or self._encoded == 0 else PictureType.NONE
        self._encoded += 1
        is_keyframe = False
        for packet in self._stream.encode(frame):
            if packet.is_keyframe:
                is_keyframe = True
                self.parameter_sets = tuple(_parameter_sets(bytes(packet), self.coding.codec))
            self._muxer.mux(packet)
        return CodedPicture(tuple(packet[_HEADER_BYTES:] for packet in self._writes.take()), is_keyframe)


def _add_stream(muxer: Any, coding: Coding) -> Any:
    """The muxer's video stream with its encoder."""
    name, options = _ENCODERS[coding.codec]
    rate = Fraction(coding.fps).limit_denominator(1001)
    bits_per_second = int(coding.width * coding.height * coding.fps * _MAX_BITS_PER_PIXEL)
    bounds = {"maxrate": str(bits_per_second), "bufsize": str(bits_per_second)}
    stream = muxer.add_stream(name, rate=rate, options={**options, **bounds, "forced-idr": "1"})
    stream.width, stream.height, stream.pix_fmt = coding.width, coding.height, "yuv420p"
    context = stream.codec_context
    context.gop_size = max(1, round(coding.fps * _KEYFRAME_INTERVAL_S))
    context.max_b_frames, context.thread_count = 0, 1
    context.time_base = 1 / rate
    return stream


class _Writes:
    """A file for FFmpeg's RTP muxer, which writes one packet at a time."""

    def __init__(self) -> None:
        self._packets: list[bytes] = []

    def write(self, packet: bytes) -> int:
        self._packets.append(bytes(packet))
        return len(packet)

    def take(self) -> list[bytes]:
        packets, self._packets = self._packets, []
        return packets


_PARAMETER_SET_TYPES: dict[Codec, tuple[int, ...]] = {"h264": (7, 8), "hevc": (32, 33, 34)}


def _parameter_sets(access_unit: bytes, codec: Codec) -> list[bytes]:
    """The first parameter set of each type in an access unit of Annex B form (start codes 00 00 01)."""
    found: dict[int, bytes] = {}
    for unit in access_unit.split(b"\x00\x00\x01"):
        if unit:
            found.setdefault(unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F, unit.rstrip(b"\x00"))
    return [found[kind] for kind in _PARAMETER_SET_TYPES[codec]]
