"""Webhooks from a hub's decisions to the receivers' sockets, whoever is away or stops in between."""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hub.outgoing.report import ReceiverReport, read_report
from hub.outgoing.running import tell_all
from hub.site_hub import Hub
from passerby.config import MqttSettings, Site, WebhookSettings
from passerby.errors import ConfigError, StoreError
from tests.hub.api.serving import HALL, LOBBY, fill
from tests.hub.outgoing.receiving import Receiver, free_port, receiving, until
from tests.hub.people import Sender, at, seen

SECRET = "sixteen letters at least"  # noqa: S105 - of receivers that live for one test


def site_of(data: Path, *webhooks: WebhookSettings, mqtt: MqttSettings | None = None) -> Site:
    return Site(site="plaza", data=data, cameras={}, webhooks=list(webhooks), mqtt=mqtt or MqttSettings())


@contextlib.contextmanager
def telling(site: Site, *, folder: Path = Path()) -> Iterator[None]:
    """`passerby notify run`, in a thread, with short pauses."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            tell_all(site, folder=folder, cameras=lambda: [HALL, LOBBY], stop=stop, first_pause_s=0.05)
        except BaseException as error:
            failures.append(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        until(lambda: bool(read_report(site.data, now_ns=time.time_ns())) or not thread.is_alive(), "its first report")
        yield
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    assert not failures


def report(site: Site, name: str) -> ReceiverReport:
    found = {one.name: one for one in read_report(site.data, now_ns=time.time_ns())}
    return found[name]


def somebody(data: Path, *, person: int, seq: int) -> None:
    """Somebody new in the hall."""
    with Hub.open(data) as hub:
        update = seen(person, "hall", tracklet=100 + seq, begin_s=50 + 10 * seq, end_s=52 + 10 * seq, final=True)
        hub.ingest(Sender(seq=seq).send(update), now_ns=at(53 + 10 * seq))
        hub.tick(now_ns=at(54 + 10 * seq))


def test_everybody_is_told_what_they_want_to_know_as_it_is_decided(tmp_path: Path) -> None:
    with receiving(Receiver()) as wanting, receiving(Receiver()) as other:
        site = site_of(
            tmp_path,
            WebhookSettings(name="alarm", url=wanting.url, secret=SECRET, kinds=("association",)),
            WebhookSettings(name="health", url=other.url, kinds=("camera",)),
        )
        with telling(site):
            fill(tmp_path)
            until(lambda: len(wanting.posts) == 3, "the links")
            until(lambda: report(site, "alarm").delivered == 3, "the report of it")
    assert [(one["news"]["what"], one["news"]["identity"]) for one in wanting.taken()] == [
        ("created", 1), ("created", 2), ("linked", 1),
    ]  # fmt: skip
    assert {one["site"] for one in wanting.taken()} == {"plaza"}
    assert all(post.headers["webhook-signature"] for post in wanting.posts)
    assert other.posts == []
    assert report(site, "alarm").host == f"127.0.0.1:{wanting.port}"


def test_a_receiver_that_is_away_keeps_nobody_waiting_and_misses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "passerby.notify")
    port = free_port()
    with receiving(Receiver()) as there:
        site = site_of(
            tmp_path,
            WebhookSettings(name="away", url=f"http://127.0.0.1:{port}/hook?token=very-secret", kinds=("association",)),
            WebhookSettings(name="there", url=there.url, kinds=("association",)),
        )
        with telling(site):
            fill(tmp_path)
            until(lambda: len(there.posts) == 3, "the links, at who is there")
            until(lambda: report(site, "away").state == "away", "the report that it is away")
            assert (report(site, "away").reason, report(site, "away").waiting) == ("connection refused", 3)
            with receiving(Receiver(), port=port) as late:
                until(lambda: len(late.posts) == 3, "the links, at who was away")
                until(lambda: report(site, "away").state == "ok", "the report that it is back")
    assert [one["news"] for one in late.taken()] == [one["news"] for one in there.taken()]
    said = [record.getMessage() for record in caplog.records]
    assert [line for line in said if "cannot be told" in line] == [
        "away cannot be told: connection refused; tried again until it can"
    ]
    assert sum("away is told again" in line for line in said) == 1
    assert "very-secret" not in caplog.text


def test_after_a_restart_nothing_is_missed_nor_told_again(tmp_path: Path) -> None:
    with receiving(Receiver()) as receiver:
        site = site_of(tmp_path, WebhookSettings(name="alarm", url=receiver.url, kinds=("association",)))
        with telling(site):
            fill(tmp_path)
            until(lambda: report(site, "alarm").delivered == 3, "the first links")
        somebody(tmp_path, person=7, seq=4)
        with telling(site):
            until(lambda: len(receiver.posts) == 4, "who came meanwhile")
            somebody(tmp_path, person=8, seq=5)
            until(lambda: len(receiver.posts) == 5, "who came after")
    ids = [post.headers["webhook-id"] for post in receiver.posts]
    assert len(set(ids)) == 5
    assert ids == [one["id"] for one in receiver.taken()]


def test_what_a_receiver_refuses_is_counted_and_does_not_hold_up_the_rest(tmp_path: Path) -> None:
    with receiving(Receiver(status=422)) as receiver:
        site = site_of(tmp_path, WebhookSettings(name="alarm", url=receiver.url, kinds=("association",)))
        with telling(site):
            fill(tmp_path)
            until(lambda: report(site, "alarm").dropped == 3, "the count of what was refused")
            receiver.status = 204
            somebody(tmp_path, person=7, seq=4)
            until(lambda: report(site, "alarm").delivered == 1, "what it takes")
    assert len(receiver.posts) == 4


def test_one_process_tells_and_a_second_one_is_refused(tmp_path: Path) -> None:
    with receiving(Receiver()) as receiver:
        site = site_of(tmp_path, WebhookSettings(name="alarm", url=receiver.url))
        with telling(site), pytest.raises(StoreError, match="another `passerby notify run`"):
            tell_all(site, folder=tmp_path, cameras=list, stop=threading.Event())
    broken = msgspec.structs.replace(site.webhooks[0], url="https://a", ca_cert=Path("gone.pem"))
    with pytest.raises(ConfigError, match="No such file"):
        tell_all(site_of(tmp_path, broken), folder=tmp_path, cameras=list, stop=threading.Event())


def test_a_report_is_worth_nothing_once_nobody_writes_it(tmp_path: Path) -> None:
    assert read_report(tmp_path, now_ns=0) == ()
    with receiving(Receiver()) as receiver:
        site = site_of(tmp_path, WebhookSettings(name="alarm", url=receiver.url))
        with telling(site):
            assert [one.name for one in read_report(tmp_path, now_ns=time.time_ns())] == ["alarm"]
    assert read_report(tmp_path, now_ns=time.time_ns() + 60 * 10**9) == ()
