"""One message to one webhook: what is sent, how it is signed, and what each answer means."""

import base64
import hashlib
import hmac
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hub.outgoing.posting import Answer, Mailbox
from passerby.config import WebhookSettings
from passerby.errors import ConfigError
from tests.hub.outgoing.receiving import Receiver, free_port, receiving

SECRET = "sixteen letters at least"  # noqa: S105 - of receivers that live for one test
BODY = b'{"id":"box-1"}'


def mailbox(url: str, *, folder: Path = Path(), timeout_s: float = 5.0, **more: Any) -> Mailbox:
    return Mailbox(WebhookSettings(name="alarm", url=url, **more), folder=folder, timeout_s=timeout_s)


def post(box: Mailbox) -> Answer:
    return box.post(BODY, message_id="box-1", now_s=1_700_000_000.9)


def certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 with its key behind it, and the key alone beside it."""
    file, key = folder / "broker.pem", folder / "broker.key"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(file),
        ],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    (folder / "both.pem").write_bytes(key.read_bytes() + file.read_bytes())
    return file


@pytest.mark.parametrize("secret", [SECRET, "whsec_" + base64.b64encode(b"any bytes at all").decode()])
def test_a_receiver_can_tell_from_whom_it_is_and_when(secret: str) -> None:
    with receiving(Receiver()) as receiver:
        answer = post(mailbox(receiver.url, secret=secret))
    (got,) = receiver.posts
    assert answer.taken
    assert answer.words.startswith("204 in ")
    assert (got.path, got.body, got.headers["Content-Type"]) == ("/hook?token=very-secret", BODY, "application/json")
    assert (got.headers["webhook-id"], got.headers["webhook-timestamp"]) == ("box-1", "1700000000")
    key = b"any bytes at all" if secret.startswith("whsec_") else secret.encode()
    expected = hmac.new(key, b"box-1.1700000000." + BODY, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"


def test_without_a_secret_there_is_no_signature_and_a_login_of_the_address_is_sent() -> None:
    with receiving(Receiver()) as receiver:
        assert post(mailbox(f"http://me:p%40ss@127.0.0.1:{receiver.port}")).taken
    (got,) = receiver.posts
    assert got.headers["webhook-signature"] is None
    assert got.headers["Authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()
    assert got.path == "/"


@pytest.mark.parametrize(
    ("status", "taken", "again"),
    [
        (200, True, False), (202, True, False), (302, False, True), (400, False, False), (401, False, True),
        (404, False, True), (410, False, False), (422, False, False), (429, False, True), (500, False, True),
        (503, False, True),
    ],
)  # fmt: skip
def test_an_answer_says_whether_to_send_it_again(status: int, taken: bool, again: bool) -> None:
    with receiving(Receiver(status=status, headers={"Location": "http://127.0.0.1:9/"})) as receiver:
        answer = post(mailbox(receiver.url))
    assert (answer.taken, answer.again) == (taken, again)
    assert str(status) in answer.words
    assert len(receiver.posts) == 1  # nothing is followed


def test_a_host_that_nobody_can_be_called_has_not_taken_it() -> None:
    answer = post(mailbox(f"http://{'a' * 70}.example/x"))
    assert (answer.taken, answer.again, answer.words) == (False, True, "its host's name is none")


def test_nobody_there_is_said_and_tried_again() -> None:
    answer = post(mailbox(f"http://127.0.0.1:{free_port()}/x"))
    assert (answer.taken, answer.again, answer.words) == (False, True, "connection refused")


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 2000000 OK\r\n\r\n"])
def test_whoever_speaks_no_http_has_not_taken_it(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            there, _ = server.accept()
            with there:
                there.recv(65536)
                there.sendall(said)

        thread = threading.Thread(target=talk)
        thread.start()
        answer = post(mailbox(f"http://127.0.0.1:{server.getsockname()[1]}"))
        thread.join()
    assert (answer.taken, answer.again) == (False, True)


def test_whoever_says_nothing_is_waited_for_no_longer_than_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        answer = post(mailbox(f"http://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.2))
        assert time.monotonic() - began < 5
    assert (answer.again, answer.words) == (True, "no answer in time")


def test_tls_believes_the_certificate_that_is_named_and_no_other(tmp_path: Path) -> None:
    certificate(tmp_path)
    with receiving(Receiver(), certificate=tmp_path / "both.pem") as receiver:
        answer = post(mailbox(receiver.url))
        assert (answer.taken, answer.words) == (False, "its certificate is not believed: self-signed certificate")
        assert post(mailbox(receiver.url, ca_cert=Path("broker.pem"), folder=tmp_path)).taken


@pytest.mark.parametrize(
    ("url", "more", "expected"),
    [
        ("http://a:99999/x", {}, "webhook alarm: the port of its url is none"),
        ("http://a/ü", {}, "webhook alarm: its url holds a blank or a letter beyond ASCII"),
        ("{HOOK}", {}, "webhook alarm: its url is none; expected http:// or"),
        ("http://a/x", {"secret": "%%%%"}, "webhook alarm: the secret has 4 letters; expected 16"),
        ("http://a/x", {"secret": "whsec_%%%%%%%%%%%"}, "webhook alarm: the secret begins with whsec_, and is no"),
        ("https://a/x", {"ca_cert": Path("gone.pem")}, "gone.pem: No such file"),
        ("https://a/x", {"ca_cert": Path("empty.pem")}, "empty.pem: no certificate"),
    ],
)
def test_settings_that_cannot_hold_are_one_clear_line(
    tmp_path: Path, url: str, more: dict[str, Any], expected: str
) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=expected) as caught:
        mailbox(url, folder=tmp_path, **more)
    assert "%%%" not in str(caught.value)
