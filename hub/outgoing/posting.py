"""One message to one webhook."""

import base64
import http.client
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from hub.outgoing.signing import key_of, signature
from passerby import __version__
from passerby.config.outgoing import WebhookSettings
from passerby.errors import ConfigError

TIMEOUT_S = 10.0
_READ_BYTES = 4096
_MAY_PASS = frozenset({401, 403, 404, 407, 408, 421, 423, 425, 429})
"""Refusals for which no message is at fault: a wrong token, a receiver that is not set up yet, too many at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of it."""

    taken: bool
    again: bool
    """It was not taken, and may be if it is sent again."""
    words: str
    """For a person: `204 in 12 ms`; without the address."""


class Mailbox:
    """Where a webhook's messages go. Each is sent over a connection of its own. Thread-safe.

    `folder` is where relative paths of the settings begin. Raises ConfigError where the settings do not hold.
    """

    def __init__(self, settings: WebhookSettings, *, folder: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._address = urlsplit(settings.url)
        self._secret = settings.secret
        self._timeout_s = timeout_s
        where = f"webhook {settings.name}"
        if not settings.url.startswith(("http://", "https://")):
            raise ConfigError(f"{where}: its url is none; expected http:// or https://")
        if not (settings.url.isascii() and settings.url.isprintable()) or " " in settings.url:
            raise ConfigError(f"{where}: its url holds a blank or a letter beyond ASCII; write it as %20 and the like")
        try:
            self._port = self._address.port
            if self._secret is not None:
                key_of(self._secret)
        except ValueError:
            raise ConfigError(f"{where}: the port of its url is none; expected 1 to 65535") from None
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None
        self._tls = trusting(settings.ca_cert, folder=folder, where=where) if self._address.scheme == "https" else None

    def post(self, body: bytes, *, message_id: str, now_s: float) -> Answer:
        """Send it, and wait for the answer."""
        began = time.monotonic()
        connection = self._connection()
        try:
            connection.request("POST", _target(self._address), body, self._headers(body, message_id, int(now_s)))
            answer = connection.getresponse()
            answer.read(_READ_BYTES)
            status = answer.status
        except (OSError, ValueError, http.client.HTTPException) as error:  # ValueError: no such name can be looked up
            return Answer(taken=False, again=True, words=reason_of(error))
        finally:
            connection.close()
        words = f"{status} in {1000 * (time.monotonic() - began):.0f} ms"
        if 200 <= status < 300:
            return Answer(taken=True, again=False, words=words)
        if 300 <= status < 400:
            return Answer(taken=False, again=True, words=f"{words}: it sends elsewhere, which is not followed")
        return Answer(taken=False, again=status >= 500 or status in _MAY_PASS, words=words)

    def _connection(self) -> http.client.HTTPConnection:
        host = self._address.hostname or ""
        if self._tls is None:
            return http.client.HTTPConnection(host, self._port, timeout=self._timeout_s)
        return http.client.HTTPSConnection(host, self._port, timeout=self._timeout_s, context=self._tls)

    def _headers(self, body: bytes, message_id: str, at_s: int) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"passerby/{__version__}",
            "webhook-id": message_id,
            "webhook-timestamp": str(at_s),
        }
        if self._secret is not None:
            headers["webhook-signature"] = signature(body, message_id=message_id, at_s=at_s, secret=self._secret)
        if self._address.username is not None:
            login = f"{unquote(self._address.username)}:{unquote(self._address.password or '')}"
            headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        return headers


def trusting(ca_cert: Path | None, *, folder: Path, where: str) -> ssl.SSLContext:
    """TLS that believes these certificates, or those that the machine does. Raises ConfigError."""
    if ca_cert is None:
        return ssl.create_default_context()
    file = folder / ca_cert.expanduser()
    try:
        return ssl.create_default_context(cafile=str(file))
    except OSError as error:  # ssl.SSLError is one
        reason = "no certificate (PEM) in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigError(f"{where}: ca_cert {file}: {reason}") from error


def reason_of(error: Exception) -> str:
    """Why nobody was reached, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return (error.strerror or str(error) or type(error).__name__).lower()
    if isinstance(error, ValueError):
        return "its host's name is none"
    return f"no HTTP: {type(error).__name__}"


def _target(address: SplitResult) -> str:
    return (address.path or "/") + (f"?{address.query}" if address.query else "")
