"""FFmpeg's errors as ours. This is the one door through which they pass, because theirs carry the whole URL.

PyAV keeps FFmpeg's log lines to itself unless somebody asks for them; they carry the URL too, so nobody here does.
"""

import av
import av.error
import av.logging

from passerby.errors import (
    SourceEndedError,
    SourceError,
    SourceRefusedError,
    SourceTimeoutError,
    SourceUnauthorizedError,
)
from passerby.redaction import redact

av.logging.set_level(None)

_NEARLY = 0.9

_KINDS: tuple[tuple[tuple[type[BaseException], ...], type[SourceError], str], ...] = (
    (
        (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError),
        SourceUnauthorizedError,
        "the camera refuses the user or password",
    ),
    (
        (TimeoutError, av.error.ExitError, BlockingIOError),
        SourceTimeoutError,
        "nothing came in time",
    ),
    ((EOFError,), SourceEndedError, "the stream is over"),
    (
        (ConnectionResetError, ConnectionAbortedError, BrokenPipeError),
        SourceEndedError,
        "the connection broke",
    ),
    ((ConnectionRefusedError,), SourceRefusedError, "nobody listens there"),
    ((av.error.HTTPNotFoundError,), SourceRefusedError, "the camera has no such path"),
    ((av.error.HTTPClientError, av.error.HTTPServerError), SourceRefusedError, "the camera answers with an error"),
    ((FileNotFoundError, NotADirectoryError), SourceRefusedError, "no such file"),
    ((PermissionError,), SourceRefusedError, "no permission to read it"),
    ((av.error.InvalidDataError,), SourceError, "not a video that FFmpeg can read"),
    ((OSError,), SourceRefusedError, "it cannot be reached"),
)
"""First match wins. AVERROR_EXIT is what FFmpeg makes of our interrupt callback, that is of a time-out."""


def source_error(url: str, error: BaseException, *, waited_s: float, timeout_s: float, connected: bool) -> SourceError:
    """The SourceError for what PyAV or the system raised on `url` after `waited_s`, without a password in it.

    Raise it outside the `except` block, so that the original with its URL is not even its context. An interrupted
    RTSP handshake is "invalid data" to FFmpeg; only the time it took shows what it was.
    """
    reason = redact(str(getattr(error, "strerror", None) or type(error).__name__))
    if waited_s >= _NEARLY * timeout_s and not isinstance(error, av.error.HTTPError | av.error.HTTPClientError):
        return SourceTimeoutError(f"{redact(url)}: nothing came in time: gave up after {waited_s:.1f} s")
    if connected and isinstance(error, OSError):
        return SourceEndedError(f"{redact(url)}: the connection broke ({reason})")
    if isinstance(error, av.error.InvalidDataError) and url.lower().startswith("rtsp"):
        return SourceEndedError(f"{redact(url)}: the camera broke off before it sent a picture ({reason})")
    for kinds, ours, words in _KINDS:
        if isinstance(error, kinds):
            return ours(f"{redact(url)}: {words} ({reason})")
    return SourceError(f"{redact(url)}: {reason}")


def stream_end(url: str, *, waited_s: float, timeout_s: float) -> SourceError:
    """The SourceError for a live stream that is over by FFmpeg's word, which is its word for a read time-out too."""
    if waited_s >= _NEARLY * timeout_s:
        return SourceTimeoutError(f"{redact(url)}: nothing came in time: gave up after {waited_s:.1f} s")
    return SourceEndedError(f"{redact(url)}: the camera ended the stream")


def decoding_error(url: str, error: BaseException) -> SourceError:
    """The SourceError for what a decoder raised; as `source_error`, to be raised outside the `except` block."""
    reason = redact(str(getattr(error, "strerror", None) or type(error).__name__))
    return SourceError(f"{redact(url)}: its video cannot be decoded ({reason})")
