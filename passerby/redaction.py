"""Passwords never leave: every URL that is printed, logged or answered goes through here."""

import re

_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)\S*@")
NAMED_SECRET = re.compile(r"(?i)(?P<key>[?&;/_](?:[a-z_]*(?:pass|pwd|token|secret|auth|key)[a-z_]*)=)[^&\s'\"#]+")
"""Mostly in the query; some recorders have it in the path: rtsp://HOST/user=NAME_password=WORD_channel=1."""


def redact(text: str) -> str:
    """`text` with the user and password of every URL in it, and secrets in queries and paths, replaced by `***`.

    >>> redact("cannot open rtsp://admin:p@ss@10.0.0.5/sub?token=abc&x=1")
    'cannot open rtsp://***@10.0.0.5/sub?token=***&x=1'
    """
    return NAMED_SECRET.sub(r"\g<key>***", _USERINFO.sub(r"\g<scheme>***@", text))
