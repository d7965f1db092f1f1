"""RTSP messages as they stand on the connection (RFC 2326)."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from passerby.errors import DataError
from passerby.redaction import redact

MAX_HEAD_BYTES = 16_384
MAX_BODY_BYTES = 65_536

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "RTSP Version Not Supported",
    551: "Option Not Supported",
}


class BadRequestError(DataError):
    """Bytes that are no RTSP request."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `headers` has lower-case names. Its body, which no method here needs, has been passed over."""

    method: str
    url: str
    path: str
    """Of the URL, see `path_of`."""
    version: str
    headers: Mapping[str, str]


def path_of(url: str) -> str:
    """The path of an absolute or relative URL without the slashes around it; empty for `*`.

    Raises BadRequestError when it is no URL.

    >>> path_of("rtsp://10.0.0.5:554/hall%201/"), path_of("/hall"), path_of("*")
    ('hall 1', 'hall', '')
    """
    try:
        return "" if url == "*" else unquote(urlsplit(url).path).strip("/")
    except ValueError as error:
        raise BadRequestError(f"{redact(url[:80])!r} is no URL") from error


async def read_request(reader: asyncio.StreamReader) -> Request:
    """The next request; receiver reports and whatever else comes interleaved is passed over.

    Raises BadRequestError for anything else, asyncio.IncompleteReadError at the connection's end.
    """
    while True:
        first = await reader.readexactly(1)
        if first == b"$":
            header = await reader.readexactly(3)
            await reader.readexactly(int.from_bytes(header[1:], "big"))
        elif first not in b"\r\n":
            break
    try:
        head = first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise BadRequestError(f"the head of a request is over {MAX_HEAD_BYTES} bytes") from error
    request = _parse(head.decode("utf-8", errors="replace"))
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY_BYTES:
        raise BadRequestError(f"Content-Length is {length[:20]!r}, expected a number up to {MAX_BODY_BYTES}")
    await reader.readexactly(int(length))
    return request


def response(status: int, *, cseq: str | None, headers: Iterable[tuple[str, str]] = (), body: str = "") -> bytes:
    """A response as bytes; a header may come several times."""
    lines = [f"RTSP/1.0 {status} {_REASONS[status]}"]
    if cseq is not None:
        lines.append(f"CSeq: {cseq}")
    lines += [f"{name}: {value}" for name, value in headers]
    content = body.encode()
    if content:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def _parse(head: str) -> Request:
    start, *lines = head.rstrip("\r\n").split("\r\n")
    words = start.split(" ")
    if len(words) != 3 or not words[2].startswith("RTSP/"):
        raise BadRequestError(f"{redact(start[:80])!r} does not begin a request, expected METHOD URL RTSP/1.0")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequestError(f"{name[:20]!r} is no header, expected NAME: VALUE")
        headers[name.strip().lower()] = value.strip()
    return Request(words[0], words[1], path_of(words[1]), words[2], headers)
