"""Secrets by name: `{NAME}` in a URL stands for an environment variable."""

import re
import urllib.parse
from collections.abc import Callable, Mapping

PLACEHOLDER = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")


def fill_secrets(text: str, environment: Mapping[str, str], *, missing: Callable[[str], str]) -> str:
    """`text` with each `{NAME}` (capitals) replaced from `environment`, or by what `missing` gives for a name.

    In the user, password and query of a URL the value is percent-encoded.

    >>> fill_secrets("rtsp://{U}@10.0.0.5/sub", {"U": "a/b"}, missing=KeyError)
    'rtsp://a%2Fb@10.0.0.5/sub'
    """
    is_url = "://" in text
    authority_start = text.find("://") + 3
    userinfo_end = text.rfind("@", 0, _first(text, "/?#", authority_start)) if is_url else -1
    query_start = _first(text, "?", authority_start) if is_url else len(text)

    def secret(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environment:
            return missing(name)
        encoded = match.start() < userinfo_end or match.start() > query_start
        return urllib.parse.quote(environment[name], safe="") if encoded else environment[name]

    return PLACEHOLDER.sub(secret, text)


def _first(text: str, characters: str, start: int) -> int:
    """Where the first of `characters` stands from `start` on; the text's length if none does."""
    return min((place for place in (text.find(one, start) for one in characters) if place >= 0), default=len(text))
