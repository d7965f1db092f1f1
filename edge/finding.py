"""A camera's stream found by its host alone: the paths that makers are known to use, tried one after another."""

import socket
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from edge.sources import open_source
from passerby.config import CameraSettings
from passerby.errors import SourceError, SourceRefusedError, SourceTimeoutError, SourceUnauthorizedError
from passerby.ids import CameraId

RTSP_PORT = 554
_CONNECT_TIMEOUT_S = 4.0
_OPEN_TIMEOUT_S = 4.0
_MOST_TIMEOUTS = 2
_CAMERA = CameraId("search")


@dataclass(frozen=True, slots=True)
class KnownPath:
    """Where cameras of some makers have their small stream, and their large one."""

    makers: str
    path: str
    main: str


KNOWN_PATHS = (
    KnownPath("Hikvision, Annke, LTS", "/Streaming/Channels/102", "/Streaming/Channels/101"),
    KnownPath("Dahua, Amcrest, Lorex", "/cam/realmonitor?channel=1&subtype=1", "/cam/realmonitor?channel=1&subtype=0"),
    KnownPath("Axis", "/axis-media/media.amp", "/axis-media/media.amp"),
    KnownPath("Reolink", "/h264Preview_01_sub", "/h264Preview_01_main"),
    KnownPath("Reolink, newer", "/Preview_01_sub", "/Preview_01_main"),
    KnownPath("Uniview", "/media/video2", "/media/video1"),
    KnownPath("TP-Link Tapo and VIGI", "/stream2", "/stream1"),
    KnownPath("Hanwha, Samsung Wisenet", "/profile3/media.smp", "/profile2/media.smp"),
    KnownPath("Bosch", "/rtsp_tunnel?inst=2", "/rtsp_tunnel?inst=1"),
    KnownPath("Vivotek", "/live2.sdp", "/live.sdp"),
    KnownPath("Foscam", "/videoSub", "/videoMain"),
    KnownPath("Hikvision before 2012", "/h264/ch1/sub/av_stream", "/h264/ch1/main/av_stream"),
    KnownPath("Yoosee and others", "/onvif2", "/onvif1"),
    KnownPath("many with a HiSilicon chip", "/12", "/11"),
)
"""As the makers' own pages give them. Hikvision and Dahua: the RTSP pages of their network cameras' manuals; Axis:
VAPIX, "Video streaming over RTSP"; Reolink: "What is RTSP"; Uniview, TP-Link, Hanwha, Bosch, Vivotek, Foscam: the
support article on RTSP of each. The last two are what such cameras are commonly found to have."""


@dataclass(frozen=True, slots=True)
class FoundStream:
    """A stream that answered; the URLs carry the login."""

    known: KnownPath
    url: str
    main_url: str


def find_stream(
    host: str,
    *,
    port: int = RTSP_PORT,
    login: tuple[str, str] | None = None,
    transport: Literal["tcp", "udp"] = "tcp",
    tell: Callable[[KnownPath], None] = lambda _: None,
) -> FoundStream:
    """The first of KNOWN_PATHS that `host` answers to; `tell` hears of each before it is tried.

    Raises SourceRefusedError where nobody listens or no path fits, SourceTimeoutError, and SourceUnauthorizedError at
    the first refused login: cameras lock an account after some wrong attempts.
    """
    _must_listen(host, port)
    timeouts = 0
    for found in _candidates(host, port, login):
        tell(found.known)
        settings = CameraSettings(url=found.url, rtsp_transport=transport, open_timeout_s=_OPEN_TIMEOUT_S)
        try:
            with open_source(_CAMERA, settings, realtime=False):
                return found
        except SourceUnauthorizedError:
            raise SourceUnauthorizedError(
                f"{host}:{port}: the camera refuses the user or password"
                if login
                else f"{host}:{port}: the camera wants a user and a password; give --user and --password-stdin"
            ) from None
        except SourceTimeoutError:
            timeouts += 1
            if timeouts == _MOST_TIMEOUTS:
                raise SourceTimeoutError(f"{host}:{port}: something listens there, but sends no video") from None
        except SourceError:
            continue
    raise SourceRefusedError(
        f"{host}:{port}: none of the {len(KNOWN_PATHS)} known paths leads to a stream; give the URL, rtsp://HOST/PATH"
    )


def _candidates(host: str, port: int, login: tuple[str, str] | None) -> Iterator[FoundStream]:
    userinfo = "" if login is None else ":".join(urllib.parse.quote(word, safe="") for word in login) + "@"
    place = host if port == RTSP_PORT else f"{host}:{port}"
    for known in KNOWN_PATHS:
        base = f"rtsp://{userinfo}{place}"
        yield FoundStream(known, f"{base}{known.path}", f"{base}{known.main}")


def _must_listen(host: str, port: int) -> None:
    try:
        socket.create_connection((host.strip("[]"), port), timeout=_CONNECT_TIMEOUT_S).close()
    except TimeoutError:
        raise SourceTimeoutError(f"{host}:{port}: no answer within {_CONNECT_TIMEOUT_S:g} s") from None
    except socket.gaierror:
        raise SourceRefusedError(f"{host}: no such file, and no host of that name") from None
    except OSError as error:
        raise SourceRefusedError(f"{host}:{port}: nobody listens there ({error.strerror})") from None
