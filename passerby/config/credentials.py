"""A camera's URL and its secrets, apart from each other and together again."""

import re
import urllib.parse
from collections.abc import Mapping

from passerby.config.secrets import PLACEHOLDER
from passerby.errors import ConfigError
from passerby.redaction import NAMED_SECRET, redact


def taken_apart(url: str, environment: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The URL with a `{NAME}` for each secret, and the secrets by name, as they are given: not percent-encoded.

    Secrets are user and password, values in query and path whose key says so (`token=`), and each `{NAME}` that
    stands in the URL already, which `environment` must have. A path of a file has none. Raises ConfigError.

    >>> taken_apart("rtsp://admin:a%2Fb@10.0.0.5/sub", {})
    ('rtsp://{CAMERA_USER}:{CAMERA_PASSWORD}@10.0.0.5/sub', {'CAMERA_USER': 'admin', 'CAMERA_PASSWORD': 'a/b'})
    """
    secrets = {}
    for name in PLACEHOLDER.findall(url):
        if name not in environment:
            raise ConfigError(f"the URL needs the environment variable {name}, which is not set")
        secrets[name] = environment[name]
    if "://" not in url:
        return url, secrets
    scheme, userinfo, rest = _split(url)

    def apart(text: str, name: str) -> str:
        if not text or PLACEHOLDER.fullmatch(text):
            return text
        secrets[name] = urllib.parse.unquote(text)
        return f"{{{name}}}"

    login = ""
    if userinfo is not None:
        user, colon, password = userinfo.partition(":")
        login = f"{apart(user, 'CAMERA_USER')}{colon}{apart(password, 'CAMERA_PASSWORD')}@"
    query_start = rest.find("?")

    def named(match: re.Match[str]) -> str:
        value = match.group(0)[len(match.group("key")) :]
        if PLACEHOLDER.fullmatch(value):
            return match.group(0)
        name = f"CAMERA_SECRET_{len(secrets)}"
        in_query = -1 < query_start <= match.start()
        secrets[name] = urllib.parse.unquote(value) if in_query else value
        return f"{match.group('key')}{{{name}}}"

    return f"{scheme}://{login}{NAMED_SECRET.sub(named, rest)}", secrets


def with_login(url: str, user: str, password: str) -> str:
    """The URL with this user and password, in place of any that it has. Raises ConfigError where it takes none.

    >>> with_login("rtsp://10.0.0.5/sub", "admin", "a/b")
    'rtsp://admin:a%2Fb@10.0.0.5/sub'
    """
    if "://" not in url:
        raise ConfigError(f"{url}: a file has no user and password; expected rtsp:// or http(s)://")
    scheme, _, rest = _split(url)
    return f"{scheme}://{urllib.parse.quote(user, safe='')}:{urllib.parse.quote(password, safe='')}@{rest}"


def _split(url: str) -> tuple[str, str | None, str]:
    """(scheme, user and password or None, what follows)."""
    if any(letter.isspace() for letter in url):
        raise ConfigError("the URL holds a blank; write it as %20")
    scheme, _, rest = url.partition("://")
    end = min((place for place in map(rest.find, "/?#") if place >= 0), default=len(rest))
    at = rest.rfind("@", 0, end)
    if "@" in rest[end:]:
        raise ConfigError(
            f"{redact(url)}: an @ after the host's name; in a password write / as %2F, ? as %3F and # as %23, "
            "elsewhere @ as %40"
        )
    return scheme, rest[:at] if at >= 0 else None, rest[at + 1 :]
