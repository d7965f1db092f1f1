"""No password survives redaction, and everything else does."""

import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.redaction import redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("no address here", "no address here"),
        ("rtsp://10.0.0.5:554/sub", "rtsp://10.0.0.5:554/sub"),
        ("rtsp://admin:secret@10.0.0.5/sub", "rtsp://***@10.0.0.5/sub"),
        ("rtsp://admin@10.0.0.5/sub", "rtsp://***@10.0.0.5/sub"),
        ("RTSPS://a:b@h", "RTSPS://***@h"),
        ("rtsp://a:p@ss@h/x", "rtsp://***@h/x"),
        ("rtsp://a:p/ss?w#d@h/x", "rtsp://***@h/x"),
        ("rtsp://a:p'ss\"w@h/x", "rtsp://***@h/x"),
        ("'rtsp://a:b@h/x': refused, then http://c:d@i/y", "'rtsp://***@h/x': refused, then http://***@i/y"),
        ("http://h/x?user=a&password=b&n=1", "http://h/x?user=a&password=***&n=1"),
        ("http://h/x?Api_Key=b", "http://h/x?Api_Key=***"),
        ("rtsp://h/user=ann_password=tlJwpbo6_channel=1.sdp?real", "rtsp://h/user=ann_password=***"),
        ("rtsp://h/user=ann&password=tlJwpbo6&channel=1", "rtsp://h/user=ann&password=***&channel=1"),
        ("rtsp://h/live;pwd=tlJwpbo6", "rtsp://h/live;pwd=***"),
        ("http://h/x?access_token=b#end", "http://h/x?access_token=***#end"),
        ("postgresql+psycopg://a:b@db/plaza", "postgresql+psycopg://***@db/plaza"),
        ("write to me@example.org", "write to me@example.org"),
    ],
)
def test_users_passwords_and_secret_parameters_are_starred(text: str, expected: str) -> None:
    assert redact(text) == expected
    assert redact(expected) == expected


@given(st.text(st.characters(exclude_categories=["Z", "C"]), min_size=8, max_size=40))
def test_whatever_the_password_is_it_does_not_survive(password: str) -> None:
    password = f"Xx{password}xX"
    for written in (password, urllib.parse.quote(password, safe="")):
        assert written not in redact(f"cannot open rtsp://admin:{written}@camera.local/sub: refused")
