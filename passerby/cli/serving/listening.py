"""Where the web process listens, and whether it may."""

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

from passerby.config import WebSettings
from passerby.errors import ConfigError, TransportError

_BACKLOG = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An address that is listened at; `port` 0 is any free one."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: str | None = None
    """The address of the proxy before it, whose word about who asks is taken."""
    login: bool = True

    @property
    def is_loopback(self) -> bool:
        """Whether this machine alone reaches it."""
        return is_loopback(self.host)

    def url(self, port: int) -> str:
        """For a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        shown = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - it is compared, not bound
        return f"{'http' if self.certificate is None else 'https'}://{shown}:{port}"


def place_of(settings: WebSettings, *, folder: Path, login: bool = True) -> Place:
    """The place that is meant; relative files are in `folder`. Raises ConfigError where it would not be safe."""
    host, port = address_of(settings.listen)
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise ConfigError("TLS needs both: a certificate (--tls-cert) and its key (--tls-key)")
    files = [None if file is None else folder / file.expanduser() for file in (settings.tls_cert, settings.tls_key)]
    for file in files:
        if file is not None and not file.is_file():
            raise ConfigError(f"{file}: no such file; TLS needs a certificate and its key, both as PEM")
    place = Place(
        host=host,
        port=port,
        certificate=files[0],
        key=files[1],
        behind_proxy=settings.behind_proxy,
        login=login,
    )
    if not login and (not place.is_loopback or place.behind_proxy is not None):
        raise ConfigError(f"--no-login is for this machine alone, and would be open to others at {settings.listen}")
    if not place.is_loopback and place.certificate is None and place.behind_proxy is None:
        raise ConfigError(
            f"{settings.listen} is reached by other machines, to which passwords would go unencrypted; give --tls-cert "
            "and --tls-key, or --behind-proxy ADDRESS if a proxy does TLS, or listen at 127.0.0.1"
        )
    return place


def address_of(listen: str) -> tuple[str, int]:
    """Host and port. Raises ConfigError.

    >>> address_of("127.0.0.1:8600"), address_of("[::1]:0")
    (('127.0.0.1', 8600), ('::1', 0))
    """
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port[:6]) > 65535:
        raise ConfigError(f"--listen is {listen!r}, expected HOST:PORT, as 127.0.0.1:8600")
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether this machine alone reaches it.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0"), is_loopback("camera-pc")
    (True, True, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen_at(place: Place) -> socket.socket:
    """A socket that listens there. Raises TransportError."""
    try:
        family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        return socket.create_server((place.host, place.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise TransportError(
            f"cannot listen at {place.host}:{place.port}: {error.strerror or error}; choose another address, "
            "--listen 127.0.0.1:8601"
        ) from error
