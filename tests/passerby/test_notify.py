"""`passerby notify` as somebody runs it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from passerby.cli.notify import app
from passerby.cli.up import command as up
from passerby.config import MqttSettings, load_site
from passerby.config.outgoing import require_secrets, tells_anybody
from passerby.errors import ConfigError
from tests.hub.api.serving import fill
from tests.hub.outgoing.receiving import PASSWORD, USER, Receiver, broker_at, free_port, listening, receiving, until

TREE = Path(__file__).parents[2]
SECRET = "whsec_AAAAAAAAAAAAAAAAAAAAAAAA"  # noqa: S105 - of receivers that live for one test


def site_file(folder: Path, text: str) -> Path:
    file = folder / "site.yaml"
    file.write_text(f"site: plaza\ndata: data\ncameras: {{hall: {{url: 'rtsp://{{CAM_PASS}}@10.0.0.5/a'}}}}\n{text}")
    return file


def notify(*arguments: str, **variables: str) -> Any:
    return CliRunner().invoke(app, arguments, env=variables)


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_site(site_file(folder, text), secrets="left", environment={})
    return str(caught.value)


def test_nobody_is_told_unless_the_site_file_says_so(tmp_path: Path) -> None:
    site = load_site(site_file(tmp_path, ""), secrets="left")
    assert (site.mqtt, site.webhooks, tells_anybody(site)) == (MqttSettings(), [], False)
    done = notify("run", "--config", str(site_file(tmp_path, "")))
    assert isinstance(done.exception, ConfigError)
    assert "nobody is to be told; name an MQTT broker under `mqtt`, or `webhooks`" in str(done.exception)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mqtt: {hots: a}", "unknown key 'hots' in mqtt; did you mean 'host'?"),
        ("mqtt: {host: a, prefix: 'a/#'}", "site.yaml:4: mqtt.prefix is 'a/#': expected `str` matching regex"),
        ("mqtt: {host: a, password: 12345678}", "mqtt.password is not what it should be: expected `str | null`, got"),
        ("webhooks: [{name: a, url: 'ftp://me:12345678@b'}]", "webhooks[0].url is not what it should be: expected"),
        ("webhooks: ['https://b/12345678']", "webhooks[0] is not what it should be, expected keys with values"),
        ("webhooks: [{url: 'https://b/12345678'}]", "webhooks[0] has no `name`"),
        (
            "webhooks: [{name: a, url: 'https://b', kinds: [links]}]",
            "webhooks[0].kinds is ['links']: expected one of assoc",
        ),
        ("webhooks: [{name: mqtt, url: 'https://b'}]", "site.yaml:4: webhooks: the name 'mqtt' is taken"),
        (
            "webhooks:\n- {name: a, url: 'https://b'}\n- {name: a, url: 'https://c'}",
            "site.yaml:6: webhooks: the name 'a' is taken; give each another one",
        ),
    ],
)
def test_a_mistake_is_one_line_that_holds_no_secret(tmp_path: Path, text: str, expected: str) -> None:
    said = mistake(tmp_path, text)
    assert expected in said
    assert "12345678" not in said


def test_secrets_come_from_the_environment_and_only_who_tells_needs_them(tmp_path: Path) -> None:
    file = site_file(
        tmp_path,
        "mqtt: {host: a, password: '{MQTT_PASS}'}\n"
        "webhooks: [{name: b, url: 'https://c/{HOOK}', secret: '{SIGN_WITH}'}]\n",
    )
    left = load_site(file, environment={"CAM_PASS": "x"})  # as an edge reads it
    with pytest.raises(ConfigError, match="mqtt: password needs the environment variable MQTT_PASS, which is not set"):
        require_secrets(left)
    known = {"CAM_PASS": "x", "MQTT_PASS": "m:/@", "HOOK": "h", "SIGN_WITH": SECRET}
    site = load_site(file, environment=known)
    require_secrets(site)
    assert (site.mqtt.password, site.webhooks[0].url, site.webhooks[0].secret) == ("m:/@", "https://c/h", SECRET)
    assert not any(word in repr(site.mqtt) + repr(site.webhooks) for word in ("m:/@", "/h", SECRET))


def test_a_site_does_not_start_while_a_secret_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAM_PASS", "x")
    file = site_file(tmp_path, "webhooks: [{name: a, url: '{NO_SUCH_HOOK}'}]")
    with pytest.raises(ConfigError, match="webhook a: url needs the environment variable NO_SUCH_HOOK"):
        up(config=file, until_ended=False, web=False)
    assert not (tmp_path / "data").exists()


@pytest.mark.system
def test_from_the_site_file_to_who_is_told(tmp_path: Path) -> None:
    port = free_port()
    with receiving(Receiver()) as receiver, broker_at(port, folder=tmp_path), listening(port, "here/#") as heard:
        file = site_file(
            tmp_path,
            f"mqtt: {{host: 127.0.0.1, port: {port}, user: {USER}, password: '{{MQTT_PASS}}', prefix: here}}\n"
            f"webhooks: [{{name: alarm, url: '{receiver.url}', secret: '{{SIGN_WITH}}'}}]\n",
        )

        def told() -> list[tuple[str, int, str]]:
            listed = json.loads(notify("status", "--config", str(file), "--json").stdout)
            return [(one["name"], one["delivered"], one["state"]) for one in listed]

        secrets = {"MQTT_PASS": PASSWORD, "SIGN_WITH": SECRET}
        tried = notify("test", "--config", str(file), **secrets)
        assert tried.exit_code == 0, tried.output
        assert [line.split(", ")[0] for line in tried.stdout.splitlines()] == ["mqtt: taken", "alarm: taken"]
        receiver.status = 500
        tried = notify("test", "--config", str(file), "--json", **secrets)
        assert tried.exit_code == 1
        assert [one["taken"] for one in json.loads(tried.stdout)] == [True, False]
        receiver.status = 204
        arguments = [sys.executable, "-m", "passerby", "notify", "run", "--config", str(file)]
        environment = {**os.environ, "PYTHONPATH": str(TREE), **secrets}
        with subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE, text=True) as process:
            try:
                until((tmp_path / "data" / "live" / "outgoing.json").exists, "its report")
                fill(tmp_path / "data")
                until(lambda: len(receiver.posts) == 2 + 4, "three links and a candidate, after the tests")
                until(lambda: len(heard.told("here/associations")) == 3, "the same at the broker")
                until(lambda: told() == [("mqtt", 4, "ok"), ("alarm", 4, "ok")], "the same in the report")
                shown = notify("status", "--config", str(file))
                process.send_signal(signal.SIGINT)
                _, log = process.communicate(timeout=20)
            finally:
                process.kill()
        assert process.returncode == 0
    assert f"127.0.0.1:{port}" in shown.stdout
    assert "webhook alarm:" in log
    everything = log + shown.output + tried.output
    assert not any(word in everything for word in (PASSWORD, SECRET, "very-secret", "Traceback"))
