"""A real MQTT broker is told who is where, whatever becomes of it, of us, or of the cameras."""

import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.outgoing.broker import Broker
from hub.outgoing.collecting import Now
from hub.outgoing.condition import Conditions
from hub.outgoing.news import AssociationNews, CameraNews, Draft
from hub.outgoing.outbox import Outbox
from hub.outgoing.presence import People
from hub.outgoing.trying import try_all
from hub.records import EventKind
from passerby.config import MqttSettings, Site
from passerby.config.outgoing import MQTT_NAME, NEWS_KINDS
from passerby.errors import ConfigError
from passerby.ids import CameraId
from tests.hub.outgoing.receiving import PASSWORD, USER, broker_at, free_port, kept_at, listening, until
from tests.hub.outgoing.test_posting import certificate

HALL, YARD = CameraId("hall"), CameraId("yard.2")


def settings(port: int, **more: Any) -> MqttSettings:
    return MqttSettings(host="127.0.0.1", port=port, **{"user": USER, "password": PASSWORD, **more})


def camera(name: CameraId, *, online: bool = True) -> CameraNews:
    return CameraNews(
        camera=name, online=online, state="live" if online else "waiting", detail="", fps=4.96 if online else 0.0,
        expected_fps=5.0, health="excellent" if online else None,
    )  # fmt: skip


def now(*cameras: CameraNews, people: int = 0) -> Now:
    return Now(People(site=people, cameras=dict.fromkeys((HALL, YARD), people)), {one.camera: one for one in cameras})


def link(number: int, *, identity: int = 1) -> Draft:
    news = AssociationNews(
        event=number, what=EventKind.LINKED, identity=identity, other_identity=None, tracklet=number, tracklets=(),
        camera=HALL, probability=0.99, by="hub", evidence="",
    )  # fmt: skip
    return Draft(kind="association", at_ns=0, news=news)


@contextlib.contextmanager
def telling(box: Path, wanted: MqttSettings) -> Iterator[tuple[Broker, Outbox, Conditions]]:
    conditions = Conditions([MQTT_NAME], now_ns=0)
    with Outbox(box) as outbox:
        outbox.serve({MQTT_NAME: NEWS_KINDS})
        with Broker(wanted, outbox, site="plaza", folder=box, conditions=conditions, first_pause_s=0.05) as broker:
            yield broker, outbox, conditions


def test_the_broker_keeps_what_is_true_and_passes_on_what_happens(tmp_path: Path) -> None:
    port = free_port()
    kept = {
        "passerby/available": b"online",
        "passerby/people": b"3",
        "passerby/hall/status": b"online",
        "passerby/hall/fps": b"5.0",
        "passerby/hall/people": b"3",
        "passerby/hall/details": b'{"state":"live","detail":"","health":"excellent","expected_fps":5.0}',
        "passerby/yard.2/status": b"offline",
        "passerby/yard.2/fps": b"0.0",
        "passerby/yard.2/people": b"None",
        "passerby/yard.2/details": b'{"state":"waiting","detail":"","health":null,"expected_fps":5.0}',
    }
    with broker_at(port, folder=tmp_path), listening(port) as heard:
        with telling(tmp_path, settings(port)) as (broker, outbox, _):
            broker.show(now(camera(HALL), camera(YARD, online=False), people=2), hub=True)
            until(lambda: heard.latest("passerby/available") == b"online", "that it is there")
            broker.show(now(camera(HALL), camera(YARD, online=False), people=3), hub=True)
            until(lambda: heard.latest("passerby/people") == b"3", "the next count")
            outbox.put([link(17, identity=4)], facts={})
            until(lambda: outbox.standing(MQTT_NAME).delivered == 1, "the acknowledgement")
            until(lambda: kept_at(port, "passerby/#") == kept, "what is true, kept")
            until(lambda: bool(heard.told("passerby/identities/4")), "the person's own topic")
        until(lambda: heard.latest("passerby/available") == b"offline", "the leave")
    (association,) = heard.told("passerby/associations")
    assert (association["kind"], association["news"]["identity"]) == ("association", 4)
    assert heard.told("passerby/identities/4") == [association]


def test_home_assistant_is_told_of_a_site_and_its_cameras_and_again_when_it_starts(tmp_path: Path) -> None:
    port = free_port()
    with (
        broker_at(port, folder=tmp_path),
        telling(tmp_path, settings(port, prefix="home/passerby")) as (broker, _, _),
        listening(port, "homeassistant/#") as heard,
    ):
        broker.show(now(camera(HALL), camera(YARD)), hub=True)
        topic = "homeassistant/device/home-passerby-yard_d2/config"
        until(lambda: heard.latest(topic) is not None, "the last device")
        devices = {name: json.loads(payload) for name, payload, _ in heard.messages}
        heard.messages.clear()
        broker._connection.say("homeassistant/status", b"online", retain=False)
        until(lambda: heard.latest(topic) is not None, "the same again")
    assert sorted(devices) == [
        "homeassistant/device/home-passerby-hall/config",
        topic,
        "homeassistant/device/home-passerby/config",
    ]
    site = devices["homeassistant/device/home-passerby/config"]
    assert site["device"]["identifiers"] == ["home-passerby"]
    assert site["components"]["people"]["state_topic"] == "home/passerby/people"
    yard = devices[topic]
    assert (yard["device"]["name"], yard["device"]["via_device"]) == ("yard.2", "home-passerby")
    parts = [part for device in devices.values() for part in device["components"].values()]
    ids = [part["unique_id"] for part in parts]
    assert len(set(ids)) == len(ids) == 2 + 2 * 3
    assert {part["platform"] for part in parts} == {"sensor", "binary_sensor", "event"}
    assert {part["availability_topic"] for part in parts} == {"home/passerby/available"}
    assert all(device["origin"]["name"] == "Passerby" for device in devices.values())


def test_a_camera_that_is_no_more_leaves_nothing_behind_also_over_a_restart(tmp_path: Path) -> None:
    port = free_port()
    with broker_at(port, folder=tmp_path):
        with telling(tmp_path, settings(port)) as (broker, _, _), listening(port) as heard:
            broker.show(now(camera(HALL), camera(YARD)), hub=True)
            until(lambda: heard.latest("passerby/available") == b"online", "both cameras")
        with telling(tmp_path, settings(port, discovery="")) as (broker, _, _), listening(port) as heard:
            broker.show(now(camera(HALL)), hub=True)
            until(lambda: heard.latest("passerby/available") == b"online", "one camera")
            wanted = {f"passerby/hall/{name}" for name in ("status", "fps", "people", "details")}
            wanted |= {"passerby/available", "passerby/people"}
            until(lambda: kept_at(port).keys() == wanted, "one camera alone")


def test_without_a_hub_nothing_is_said_to_be_available(tmp_path: Path) -> None:
    port = free_port()
    with (
        broker_at(port, folder=tmp_path),
        telling(tmp_path, settings(port)) as (broker, _, _),
        listening(port, "passerby/available") as heard,
    ):
        broker.show(now(camera(HALL)), hub=False)
        until(lambda: heard.latest("passerby/available") == b"offline", "that no hub works")
        broker.show(now(camera(HALL)), hub=True)
        until(lambda: heard.latest("passerby/available") == b"online", "that one does")


_TELLER = """
import sys, threading
from pathlib import Path
from tests.hub.outgoing.test_broker import HALL, camera, now, settings, telling
with telling(Path(sys.argv[1]), settings(int(sys.argv[2]))) as (broker, _, _):
    broker.show(now(camera(HALL)), hub=True)
    threading.Event().wait()
"""


def test_when_we_are_killed_the_broker_says_so(tmp_path: Path) -> None:
    port = free_port()
    tree = Path(__file__).parents[3]
    with broker_at(port, folder=tmp_path), listening(port, "passerby/available") as heard:
        with subprocess.Popen([sys.executable, "-c", _TELLER, str(tmp_path), str(port)], cwd=tree) as process:
            until(lambda: heard.latest("passerby/available") == b"online", "that it is there")
            process.kill()
        until(lambda: heard.latest("passerby/available") == b"offline", "the will")


def test_a_broker_that_goes_and_comes_back_is_told_everything_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "passerby.notify")
    port = free_port()
    with telling(tmp_path, settings(port)) as (broker, outbox, conditions):
        broker.show(now(camera(HALL), people=1), hub=True)
        outbox.put([link(1)], facts={})
        until(lambda: conditions.all()[MQTT_NAME].state == "away", "that nobody is there")
        for number in (1, 2):
            with broker_at(port, folder=tmp_path), listening(port) as heard:
                until(lambda: heard.latest("passerby/people") == b"1", "the count")
                until(lambda n=number: outbox.standing(MQTT_NAME).delivered == n, "the link")  # type: ignore[misc]
            until(lambda: conditions.all()[MQTT_NAME].state == "away", "that it is gone")
            outbox.put([link(number + 1)], facts={})
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "mqtt cannot be told: connection refused; tried again until it can"
    assert [line.split(":")[0].split(",")[0] for line in said] == [
        "mqtt cannot be told", "mqtt is told again", "mqtt cannot be told", "mqtt is told again", "mqtt cannot be told",
    ]  # fmt: skip


def test_a_test_says_plainly_what_is_wrong(tmp_path: Path) -> None:
    port = free_port()

    def trial(wanted: MqttSettings) -> tuple[bool, str]:
        (found,) = try_all(Site(site="plaza", data=tmp_path, cameras={}, mqtt=wanted), folder=tmp_path)
        return found.taken, found.words

    assert trial(settings(port)) == (False, "connection refused")
    with broker_at(port, folder=tmp_path), listening(port, "passerby/test") as heard:
        assert trial(settings(port))[0]
        until(lambda: [one["kind"] for one in heard.told("passerby/test")] == ["test"], "the test")
        taken, words = trial(settings(port, user="nobody"))
        assert not taken
        assert "wrong user or password" in words
        taken, words = trial(settings(port, tls=True))
        assert not taken


def test_tls_believes_the_certificate_that_is_named_and_no_other(tmp_path: Path) -> None:
    port = free_port()
    file = certificate(tmp_path)
    with broker_at(port, folder=tmp_path, certificate=file):
        for wanted, expected in (
            (settings(port, tls=True, ca_cert=file), "at passerby/test in "),
            (settings(port, tls=True), "its certificate is not believed: self-signed certificate"),
        ):
            (found,) = try_all(Site(site="plaza", data=tmp_path, cameras={}, mqtt=wanted), folder=tmp_path)
            assert found.words.startswith(expected)
    with pytest.raises(ConfigError, match=r"mqtt: ca_cert .*gone\.pem: No such file"):
        list(
            try_all(
                Site(site="a", data=tmp_path, cameras={}, mqtt=settings(port, tls=True, ca_cert=Path("gone.pem"))),
                folder=tmp_path,
            )
        )
