"""From coded pictures to the RTP and RTCP packets of one stream, and what a fault does to them on the way."""

import secrets
import zlib

import numpy as np

from simulation.rtsp.coding import CLOCK_RATE, PAYLOAD_TYPE, CodedPicture
from simulation.rtsp.faults import Fault
from simulation.rtsp.packets import SECOND_NS, bye, rtp_packet, sender_report

_REPORT_INTERVAL_NS = SECOND_NS


class RtpSender:
    """Numbers and stamps the packets of one stream; all its clients get the same ones.

    The time stamps follow the capture times, so that pictures left out leave a gap in time. Chance is seeded by the
    stream's name.
    """

    def __init__(self, name: str, *, fps: float) -> None:
        self._name = name
        self._fps = fps
        self._random = np.random.default_rng(zlib.crc32(name.encode()))
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(16)
        self._timestamp_base = secrets.randbits(32)
        self._reported_at_ns = 0
        self.packets = 0
        self.octets = 0

    def picture(self, coded: CodedPicture, *, index: int, fault: Fault | None) -> list[bytes]:
        """The RTP packets of picture `index`, as loss and garbage leave them."""
        timestamp = self._timestamp(index)
        packets = []
        for number, payload in enumerate(coded.payloads, 1):
            self._sequence += 1
            hit = fault is not None and fault.kind in ("loss", "garbage") and self._random.random() < fault.part
            if hit and fault is not None and fault.kind == "loss":
                continue
            packet = rtp_packet(
                self._random.bytes(len(payload)) if hit else payload,
                payload_type=PAYLOAD_TYPE,
                sequence=self._sequence,
                timestamp=timestamp,
                ssrc=self._ssrc,
                completes_picture=number == len(coded.payloads),
            )
            packets.append(packet)
            self.octets += len(payload)
        self.packets += len(packets)
        return packets

    def report(self, *, index: int, captured_at_ns: int, fault: Fault | None) -> bytes:
        """The sender report that says when picture `index` was taken."""
        jump_s = fault.jump_s if fault is not None and fault.kind == "clock-jump" else 0.0
        return sender_report(
            ssrc=self._ssrc,
            at_ns=captured_at_ns + int(jump_s * SECOND_NS),
            timestamp=self._timestamp(index),
            packets=self.packets,
            octets=self.octets,
            name=self._name,
        )

    def is_report_due(self, captured_at_ns: int) -> bool:
        """Whether everybody gets a report with this picture: once a second."""
        if captured_at_ns - self._reported_at_ns < _REPORT_INTERVAL_NS:
            return False
        self._reported_at_ns = captured_at_ns
        return True

    def report_soon(self) -> None:
        """The next picture comes with a report."""
        self._reported_at_ns = 0

    def noise(self, fault: Fault | None, *, size: int) -> bytes:
        """Random bytes that belong to no packet; none unless the fault says so."""
        if fault is None or fault.kind != "noise" or self._random.random() >= fault.part:
            return b""
        return self._random.bytes(size)

    def farewell(self) -> bytes:
        """The last packet of a session that ends in order."""
        return bye(ssrc=self._ssrc)

    def _timestamp(self, index: int) -> int:
        return self._timestamp_base + round(index * CLOCK_RATE / self._fps)
