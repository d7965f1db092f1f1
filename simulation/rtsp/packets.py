"""RTP and RTCP packets, and their frames on an RTSP connection (RFC 3550; RFC 2326 section 10.12)."""

import struct

SECOND_NS = 1_000_000_000

_RTP = struct.Struct("!BBHII")
_SENDER_REPORT = struct.Struct("!BBHIIIIII")
_CHUNK = struct.Struct("!BBHI")
_VERSION_2 = 0x80
_MARKER = 0x80
_NTP_MINUS_UNIX_S = 2_208_988_800
"""NTP counts from 1900."""

_SENDER_REPORT_TYPE, _DESCRIPTION_TYPE, _BYE_TYPE = 200, 202, 203
_CNAME = 1


def rtp_packet(
    payload: bytes, *, payload_type: int, sequence: int, timestamp: int, ssrc: int, completes_picture: bool
) -> bytes:
    """An RTP packet; `sequence` and `timestamp` are taken modulo their 16 and 32 bits.

    >>> rtp_packet(b"x", payload_type=96, sequence=65537, timestamp=2**32, ssrc=7, completes_picture=True).hex()
    '80e00001000000000000000778'
    """
    second = payload_type | (_MARKER if completes_picture else 0)
    return _RTP.pack(_VERSION_2, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def sender_report(*, ssrc: int, at_ns: int, timestamp: int, packets: int, octets: int, name: str) -> bytes:
    """What the picture with RTP time stamp `timestamp` has to do with the time of day: it was taken at `at_ns`
    (Unix nanoseconds). With the source's name, as RFC 3550 section 6.1 wants it."""
    seconds, rest_ns = divmod(at_ns, SECOND_NS)
    report = _SENDER_REPORT.pack(
        _VERSION_2,
        _SENDER_REPORT_TYPE,
        _SENDER_REPORT.size // 4 - 1,
        ssrc,
        (seconds + _NTP_MINUS_UNIX_S) & 0xFFFFFFFF,
        (rest_ns << 32) // SECOND_NS,
        timestamp & 0xFFFFFFFF,
        packets & 0xFFFFFFFF,
        octets & 0xFFFFFFFF,
    )
    encoded = name.encode()[:255]
    items = struct.pack("!BB", _CNAME, len(encoded)) + encoded
    items += bytes(4 - len(items) % 4)  # at least one zero ends the list
    return report + _CHUNK.pack(_VERSION_2 | 1, _DESCRIPTION_TYPE, 1 + len(items) // 4, ssrc) + items


def bye(*, ssrc: int) -> bytes:
    """The stream is over."""
    return _CHUNK.pack(_VERSION_2 | 1, _BYE_TYPE, 1, ssrc)


def interleaved(packet: bytes, *, channel: int) -> bytes:
    """The packet as it stands between RTSP messages on a TCP connection."""
    return struct.pack("!cBH", b"$", channel, len(packet)) + packet
