"""What a client is told of a stream before it plays (SDP, RFC 4566)."""

import base64
from dataclasses import dataclass

from simulation.rtsp.coding import CLOCK_RATE, PAYLOAD_TYPE, Codec, Coding

TRACK = "trackID=0"
"""The one medium of a stream, as SETUP names it."""

_NAMES: dict[Codec, str] = {"h264": "H264", "hevc": "H265"}


@dataclass(frozen=True, slots=True)
class Description:
    """What a client must know to decode the stream: `parameter_sets` are NAL units without start codes."""

    coding: Coding
    parameter_sets: tuple[bytes, ...]

    def sdp(self, name: str) -> str:
        """The session description of the stream called `name`."""
        codec = self.coding.codec
        lines = [
            "v=0",
            "o=- 1 1 IN IP4 0.0.0.0",
            f"s={name}",
            "t=0 0",
            "a=control:*",
            "a=range:npt=now-",
            f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
            "c=IN IP4 0.0.0.0",
            f"a=rtpmap:{PAYLOAD_TYPE} {_NAMES[codec]}/{CLOCK_RATE}",
            f"a=fmtp:{PAYLOAD_TYPE} {_format_parameters(codec, self.parameter_sets)}",
            f"a=framerate:{self.coding.fps:g}",
            f"a=control:{TRACK}",
        ]
        return "\r\n".join([*lines, ""])


def _format_parameters(codec: Codec, parameter_sets: tuple[bytes, ...]) -> str:
    """RFC 6184 section 8.1 for H.264, RFC 7798 section 7.1 for H.265."""
    sets = [base64.b64encode(unit).decode() for unit in parameter_sets]
    if codec == "hevc":
        names = ("sprop-vps", "sprop-sps", "sprop-pps")
        return ";".join(f"{name}={value}" for name, value in zip(names, sets, strict=True))
    profile_level = parameter_sets[0][1:4].hex().upper()
    return f"packetization-mode=1;profile-level-id={profile_level};sprop-parameter-sets={','.join(sets)}"
