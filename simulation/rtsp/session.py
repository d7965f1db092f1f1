"""The RTSP conversation with one client, and the pictures between its lines (RFC 2326)."""

import asyncio
import re
import secrets
import socket
import time
from collections.abc import Mapping, Sequence

from passerby.errors import SourceEndedError
from simulation.rtsp.coding import Coding
from simulation.rtsp.description import TRACK
from simulation.rtsp.login import Login, challenges, new_nonce
from simulation.rtsp.packets import interleaved
from simulation.rtsp.requests import BadRequestError, Request, read_request, response
from simulation.rtsp.stream import Stream

MAX_UNSENT_BYTES = 512 * 1024
"""A client that is so far behind gets no picture until it has caught up and a keyframe comes."""

_SEND_BUFFER_BYTES = 128 * 1024
"""The system's own buffer; what is in it is sent however old it is."""

_SESSION_TIMEOUT_S = 60
_SILENCE_S = 1.5 * _SESSION_TIMEOUT_S
"""A client that says nothing for so long, not even that it is alive, has gone."""

_STUCK_S = 30.0
"""A client that takes nothing for so long is given up."""

_DESCRIBE_S = 10.0

_CHANNELS = re.compile(r"interleaved=(\d{1,3})(?:-(\d{1,3}))?")
_METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "TEARDOWN")


class _Refusal(Exception):  # noqa: N818 - an answer, not a failure
    """Answer with this status and these headers."""

    def __init__(self, status: int, *headers: tuple[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


class Session:
    """One connection: one client, which plays at most one stream. RTP comes over the same connection only."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        streams: Mapping[str, Stream],
        login: Login | None,
    ) -> None:
        self.coding: Coding | None = None
        self._reader = reader
        self._writer = writer
        self._transport = writer.transport
        self._streams = streams
        self._login = login
        self._nonce = new_nonce()
        self._session_id: str | None = None
        self._stream: Stream | None = None
        self._channel = 0
        self._needs_keyframe = True
        self._needs_report = True
        self._behind_since: float | None = None
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)

    async def converse(self) -> None:
        """Answer requests until the client leaves, says nothing for 90 s, or makes no sense."""
        try:
            while not self._transport.is_closing():
                request = await asyncio.wait_for(read_request(self._reader), _SILENCE_S)
                await self._answer(request)
                await asyncio.wait_for(self._writer.drain(), _STUCK_S)
        except BadRequestError:
            self._writer.write(response(400, cseq=None))
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            self._transport.abort()  # it has gone, or it takes nothing: what is unsent stays so
        finally:
            self._leave()
            self._writer.close()

    # --- what the stream asks of a viewer

    def show(self, packets: Sequence[bytes], *, report: bytes, report_due: bool, keyframe: bool) -> bool:
        """Send a picture; False if it was left out because earlier ones still wait to be sent."""
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._needs_keyframe = True
            self._fall_behind()
            return False
        if self._needs_keyframe and not keyframe:
            return self._behind_since is None
        self._needs_keyframe, self._behind_since = False, None
        framed = [interleaved(packet, channel=self._channel) for packet in packets]
        if report_due or self._needs_report:
            framed.insert(0, interleaved(report, channel=self._channel + 1))
            self._needs_report = False
        self._transport.write(b"".join(framed))
        return True

    def disturb(self, noise: bytes) -> None:
        """Send bytes that belong to nothing."""
        if noise and self._transport.get_write_buffer_size() <= MAX_UNSENT_BYTES:
            self._transport.write(noise)

    def hang_up(self, *, farewell: bytes | None) -> None:
        """End the connection: after the farewell, or without a word."""
        if farewell is None:
            self._transport.abort()
        else:
            self._transport.write(interleaved(farewell, channel=self._channel + 1))
            self._transport.close()

    def _fall_behind(self) -> None:
        now = time.monotonic()
        if self._behind_since is None:
            self._behind_since = now
        elif now - self._behind_since > _STUCK_S:
            self._transport.abort()

    # --- the conversation

    async def _answer(self, request: Request) -> None:
        cseq = request.headers.get("cseq")
        try:
            stream = self._admit(request)
            if stream is not None and stream.fault is not None and stream.fault.kind == "drop":
                self._transport.abort()
                return
            headers, body = await self._result(request, stream)
        except _Refusal as refusal:
            self._writer.write(response(refusal.status, cseq=cseq, headers=refusal.headers))
            return
        if self._session_id is not None:
            headers = [*headers, ("Session", f"{self._session_id};timeout={_SESSION_TIMEOUT_S}")]
        self._writer.write(response(200, cseq=cseq, headers=headers, body=body))
        if request.method == "PLAY" and stream is not None:
            self._needs_keyframe = self._needs_report = True
            stream.add(self)  # after the answer, so that no picture comes before it
        elif request.method == "TEARDOWN":
            self._transport.close()

    def _admit(self, request: Request) -> Stream | None:
        """The stream that the request names; None for OPTIONS of the server as a whole. Raises _Refusal."""
        if not request.version.startswith("RTSP/1."):
            raise _Refusal(505)
        if "require" in request.headers:
            raise _Refusal(551, ("Unsupported", request.headers["require"]))
        stream = self._streams.get(request.path.removesuffix(f"/{TRACK}"))
        if request.method == "OPTIONS":
            return stream
        locked_out = stream is not None and stream.fault is not None and stream.fault.kind == "wrong-password"
        if locked_out or (self._login is not None and not self._login.admits(request, nonce=self._nonce)):
            raise _Refusal(401, *(("WWW-Authenticate", challenge) for challenge in challenges(self._nonce)))
        if stream is None:
            raise _Refusal(404)
        if stream.failed:
            raise _Refusal(503)
        if request.headers.get("session", self._session_id or "").partition(";")[0] != (self._session_id or ""):
            raise _Refusal(454)
        return stream

    async def _result(self, request: Request, stream: Stream | None) -> tuple[list[tuple[str, str]], str]:
        """Do what is asked: headers and body of the answer. Raises _Refusal."""
        headers: list[tuple[str, str]] = []
        body = ""
        match request.method, stream:
            case "OPTIONS", _:
                headers.append(("Public", ", ".join(_METHODS)))
            case "DESCRIBE", Stream():
                headers, body = await self._describe(request, stream)
            case "SETUP", Stream():
                headers.append(("Transport", self._set_up(request, stream)))
            case "PLAY", Stream():
                self._require_set_up(stream)
                headers.append(("Range", "npt=now-"))
            case "PAUSE", Stream():
                self._require_set_up(stream)
                stream.remove(self)
            case "GET_PARAMETER", _:
                pass  # asked by clients only to say that they are alive
            case "TEARDOWN", _:
                self._leave()
            case _:
                raise _Refusal(501, ("Public", ", ".join(_METHODS)))
        return headers, body

    async def _describe(self, request: Request, stream: Stream) -> tuple[list[tuple[str, str]], str]:
        try:
            description = await stream.description(timeout_s=_DESCRIBE_S)
        except (TimeoutError, SourceEndedError):
            raise _Refusal(503) from None
        self.coding = description.coding
        base = request.url.partition("?")[0].rstrip("/")
        headers = [("Content-Type", "application/sdp"), ("Content-Base", f"{base}/")]
        return headers, description.sdp(stream.name)

    def _set_up(self, request: Request, stream: Stream) -> str:
        """Keep the client's channels; the Transport header of the answer."""
        offers = request.headers.get("transport", "").split(",")
        offer = next((offer for offer in offers if offer.strip().upper().startswith("RTP/AVP/TCP")), None)
        if offer is None:
            raise _Refusal(461)  # UDP: a simulated site needs no open ports
        if self._stream is not None and self._stream is not stream:
            raise _Refusal(455)
        channels = _CHANNELS.search(offer)
        channel = int(channels.group(1)) if channels else 0
        if channel > 254:
            raise _Refusal(461)
        self._channel = channel
        self._stream = stream
        self._session_id = self._session_id or secrets.token_hex(8)
        return f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"

    def _require_set_up(self, stream: Stream) -> None:
        if self._stream is not stream:
            raise _Refusal(455)

    def _leave(self) -> None:
        if self._stream is not None:
            self._stream.remove(self)
            self._stream = None
