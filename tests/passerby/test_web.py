"""`passerby web` and `passerby users` as somebody runs them: real processes beside a real hub."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from hub.access.store import AccessStore
from passerby.cli.serving.greeting import greet
from passerby.cli.serving.listening import address_of, listen_at, place_of
from passerby.cli.users import app
from passerby.config import WebSettings, load_site
from passerby.errors import ConfigError, DataError, TransportError
from tests.hub.api.serving import fill

TREE = Path(__file__).parents[2]
WORD = "quite a long word"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "site.yaml"
    file.write_text(
        "site: test\ndata: data\nhub: {listen: 'tcp://127.0.0.1:*'}\nweb: {listen: '127.0.0.1:0'}\n"
        "cameras: {hall: {url: 'rtsp://{CAM_USER}:{CAM_PASS}@10.0.0.5/sub'}, lobby: {url: lobby.mp4}}\n"
    )
    return file


@contextlib.contextmanager
def running(*arguments: str, said: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A process that has said `said`, with its lines so far."""
    environment = {**os.environ, "PYTHONPATH": str(TREE), "PYTHONUNBUFFERED": "1", **variables}
    process = subprocess.Popen(
        [sys.executable, "-m", "passerby", *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            lines: list[str] = []
            assert process.stdout is not None
            while not any(said in line for line in lines):
                lines.append(process.stdout.readline())
                assert lines[-1], "".join(lines)
            yield process, lines
        finally:
            if process.poll() is None:
                process.kill()


def command(*arguments: str, stdin: str = "") -> Any:
    return CliRunner().invoke(app, arguments, input=stdin)


def when_everybody_has_expired(client: httpx.Client) -> int:
    """The last event, once the hub has seen how long ago all of it was."""
    deadline = time.monotonic() + 30
    while client.get("/identities").json()["items"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return int(client.get("/events").json()["items"][0]["id"])


@pytest.mark.system
def test_an_operator_corrects_by_way_of_the_web_while_the_hub_works(site: Path) -> None:
    fill(site.parent / "data")
    secrets = {"CAM_USER": "u", "CAM_PASS": "p"}
    with (
        running("hub", "--config", str(site), said="listens at", **secrets) as (hub, _),
        running("web", "--config", str(site), said="make the first administrator") as (web, lines),
    ):
        link = next(line for line in lines if line.startswith("open ")).split()[1]
        address, _, word = link.partition("/setup?word=")
        with httpx.Client(base_url=f"{address}/api/v1", timeout=30) as ada:
            me = ada.post("/setup", json={"word": word, "name": "ada", "password": WORD}).json()
            ada.headers["X-CSRF-Token"] = me["csrf"]
            assert httpx.get(f"{address}/readyz").json()["hub"] is True
            last = when_everybody_has_expired(ada)
            done = ada.post("/identities/1/merge", json={"absorbed": 2}).json()
            assert done["first_event"] == last + 1
            told = ada.get("/events/stream", params={"after": last, "most": 1}).text
            assert "event: merged" in told
            assert ada.post(f"/events/{last + 1}/undo").status_code == 200
            assert ada.post("/identities/1/merge", json={"absorbed": 1}).status_code == 409
            assert ada.get("/identities/2").json()["merged_into"] is None
            assert ada.get("/tracklets/1/crops/1").headers["content-type"] == "image/jpeg"
            web.send_signal(signal.SIGINT)
            assert web.wait(20) == 0
        hub.send_signal(signal.SIGINT)
        assert hub.wait(20) == 0
    everything = "".join(lines)
    assert "Traceback" not in everything
    assert WORD not in everything


@pytest.mark.system
def test_it_ends_with_whoever_started_it_and_open_streams_do_not_keep_it(site: Path) -> None:
    fill(site.parent / "data")
    arguments = ("web", "--config", str(site), "--no-login")
    with running(*arguments, said="serves test", PASSERBY_STOP_WITH_STDIN="1") as (web, lines):
        address = next(line for line in lines if "serves" in line).split("at ")[1].split(",")[0].strip()
        with httpx.stream("GET", f"{address}/api/v1/events/stream", timeout=30) as stream:
            assert next(stream.iter_lines()) == "retry: 2000"
            assert web.stdin is not None
            web.stdin.close()
            assert web.wait(20) == 0


def test_users_are_managed_by_command(site: Path) -> None:
    config = ("--config", str(site))
    added = command("add", "vera", "--camera", "hall", "--password-stdin", *config, stdin=f"{WORD}\n")
    assert (added.exit_code, added.stdout) == (0, "vera: viewer, sees hall\n")
    token = command("token", "vera", "--name", "prometheus", *config)
    with AccessStore(site.parent / "data") as access:
        found = access.who_has_token(token.stdout.strip())
        assert found is not None
        assert (found.name, sorted(found.cameras or ())) == ("vera", ["hall"])
        assert access.is_password_of("vera", WORD)
        assert {one.action for one in access.audit.entries()} == {"users.add", "tokens.add"}
    listed = json.loads(command("list", "--json", *config).stdout)
    assert [(one["name"], one["role"], len(one["tokens"])) for one in listed] == [("vera", "viewer", 1)]
    for arguments, error in (
        (("remove", "nobody"), "there is no user 'nobody'"),
        (("disable", "nobody"), "there is no user 'nobody'"),
        (("add", "eve", "--password-stdin"), "a password of 3 characters"),
        (("add", "eve"), "use --password-stdin"),
        (("token", "vera", "--role", "admin"), "cannot be admin"),
    ):
        done = command(*arguments, *config, stdin="123\n")
        assert isinstance(done.exception, DataError)
        assert error in str(done.exception)
    assert command("disable", "vera", *config).stdout == "vera: disabled\n"
    assert "viewer, disabled" in command("list", *config).stdout
    with AccessStore(site.parent / "data") as access:
        assert access.who_has_token(token.stdout.strip()) is None
        assert access.audit.entries(limit=1)[0].detail == "disabled"
    assert command("enable", "vera", *config).stdout == "vera: enabled\n"
    with AccessStore(site.parent / "data") as access:
        found = access.who_has_token(token.stdout.strip())
        assert found is not None
        assert sorted(found.cameras or ()) == ["hall"]
    assert command("token", "vera", "--revoke", "1", *config).exit_code == 0
    assert command("remove", "vera", *config).exit_code == 0
    assert "vera" not in command("list", *config).stdout


def test_the_address_of_the_first_administrator_is_said_until_there_is_one(site: Path) -> None:
    told = greet(load_site(site, secrets="left"), site)
    assert "/setup?word=" in told
    with AccessStore(site.parent / "data") as access:
        access.set_up(told.split("word=")[1].split()[0], "ada", WORD)
    assert greet(load_site(site, secrets="left"), site) == "open http://127.0.0.1:0"


@pytest.mark.parametrize(
    ("settings", "login", "error"),
    [
        ({"listen": "0.0.0.0:8600"}, True, "unencrypted"),
        ({"listen": "[::]:8600"}, True, "unencrypted"),
        ({"listen": "camera-pc:8600"}, True, "unencrypted"),
        ({"listen": "0.0.0.0:8600", "behind_proxy": "10.0.0.1"}, False, "for this machine alone"),
        ({"listen": "127.0.0.1:8600", "behind_proxy": "127.0.0.1"}, False, "for this machine alone"),
        ({"listen": "127.0.0.1:8600", "tls_cert": Path("a.pem")}, True, "needs both"),
        ({"listen": "127.0.0.1:8600", "tls_cert": Path("a.pem"), "tls_key": Path("b.pem")}, True, "no such file"),
        ({"listen": "127.0.0.1:99999"}, True, "HOST:PORT"),
    ],
)
def test_what_would_be_open_to_others_is_refused(
    tmp_path: Path, settings: dict[str, object], login: bool, error: str
) -> None:
    with pytest.raises(ConfigError, match=error):
        place_of(WebSettings(**settings), folder=tmp_path, login=login)  # type: ignore[arg-type]


def test_this_machine_or_a_proxy_or_tls_is_not_refused(tmp_path: Path) -> None:
    for name in ("a.pem", "b.pem"):
        (tmp_path / name).touch()
    tls = WebSettings(listen="0.0.0.0:1", tls_cert=Path("a.pem"), tls_key=Path("b.pem"))
    assert place_of(tls, folder=tmp_path).url(443) == "https://127.0.0.1:443"
    assert place_of(WebSettings(listen="10.0.0.2:1", behind_proxy="10.0.0.1"), folder=tmp_path).login
    assert place_of(WebSettings(listen="[::1]:1"), folder=tmp_path, login=False).url(1) == "http://[::1]:1"


def test_an_address_that_is_taken_is_said(tmp_path: Path) -> None:
    with listen_at(place_of(WebSettings(listen="127.0.0.1:0"), folder=tmp_path)) as first:
        taken = WebSettings(listen=f"127.0.0.1:{first.getsockname()[1]}")
        with pytest.raises(TransportError, match="cannot listen at"):
            listen_at(place_of(taken, folder=tmp_path))
    with pytest.raises(ConfigError, match="HOST:PORT"):
        address_of("8600")
