"""What is wished of a camera, from the command line's options to settings as in the site file."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from passerby.errors import ConfigError

_HOST = re.compile(r"(?:rtsp://)?(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?/?")


def settings_of(
    *,
    fps: float | None,
    zones: Sequence[str] | None,
    masks: Sequence[str] | None,
    others: Sequence[str] | None,
    transport: str | None = None,
) -> dict[str, Any]:
    """The settings that were given. Raises ConfigError for what is none."""
    settings: dict[str, Any] = {}
    for word in others or ():
        key, equals, text = word.partition("=")
        if not equals:
            raise ConfigError(f"--set {word}: expected KEY=VALUE, as min_person_height=80")
        try:
            settings[key.strip()] = yaml.safe_load(text)
        except yaml.YAMLError:
            raise ConfigError(f"--set {key}: the value is not YAML") from None
    if fps is not None:
        settings["fps"] = fps
    if transport is not None:
        settings["rtsp_transport"] = transport
    for key, polygons in (("zones", zones), ("masks", masks)):
        if polygons:
            settings[key] = [polygon(text) for text in polygons if text != "none"]
    return settings


def polygon(text: str) -> list[list[float]]:
    """Corners out of `X,Y X,Y X,Y ...`, fractions of width and height. Raises ConfigError.

    >>> polygon("0,0.5 1,0.5 1,1")
    [[0.0, 0.5], [1.0, 0.5], [1.0, 1.0]]
    """
    try:
        corners = [[float(number) for number in corner.split(",")] for corner in text.split()]
    except ValueError:
        corners = []
    if len(corners) < 3 or any(len(corner) != 2 for corner in corners):
        raise ConfigError(f"{text!r} is no polygon; expected three corners at least, as '0,0.5 1,0.5 1,1 0,1'")
    return corners


def host_of(where: str) -> tuple[str, int | None] | None:
    """(host, port or None) where only a host was given, and no path; None for a URL, a file or a folder.

    >>> host_of("10.0.0.5"), host_of("rtsp://cam-3.lan:8554/"), host_of("rtsp://10.0.0.5/sub")
    (('10.0.0.5', None), ('cam-3.lan', 8554), None)
    """
    return None if Path(where).exists() else named_host(where)


def named_host(where: str) -> tuple[str, int | None] | None:
    """The same where no file is meant.

    >>> named_host("[fe80::1]:554"), named_host("10.0.0.5/sub")
    (('[fe80::1]', 554), None)
    """
    match = _HOST.fullmatch(where)
    if match is None:
        return None
    return match.group("host"), int(match.group("port")) if match.group("port") else None


def login_of(user: str | None, *, password_stdin: bool) -> tuple[str, str] | None:
    """User and password; the password is a line of standard input. Raises ConfigError unless both are given."""
    if user is None and not password_stdin:
        return None
    if user is None or not password_stdin:
        raise ConfigError("give both --user NAME and --password-stdin, which reads the password from standard input")
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise ConfigError("--password-stdin: standard input has no line with a password")
    return user, password
