"""Who is told, by way of the REST interface: how they are, and a test that says plainly whether it arrives."""

import time
from pathlib import Path

import httpx

from hub.api import make_api
from hub.outgoing.condition import Condition
from hub.outgoing.outbox import Standing
from hub.outgoing.report import Report, report_of, write_report
from passerby.cli.serving.telling import trial_of
from passerby.config import Site, WebhookSettings
from tests.hub.api.serving import fill, served, services_of, token_of
from tests.hub.outgoing.receiving import Receiver, free_port, receiving

SECRET = "sixteen letters at least"  # noqa: S105 - of receivers that live for one test


def report(data: Path, *, now_ns: int) -> Report:
    made = report_of(
        {"alarm": "10.0.0.2:8443"},
        {"alarm": Condition(state="away", since_ns=5 * 10**9, reason="connection refused")},
        {"alarm": Standing(delivered=3, dropped=1, waiting=7)},
        now_ns=now_ns,
    )
    write_report(data, made)
    return made


def test_who_is_away_and_why_is_said_also_to_prometheus(tmp_path: Path) -> None:
    fill(tmp_path)
    services = services_of(tmp_path, users=["vera"])
    with served(make_api(services)) as address, httpx.Client(base_url=address, timeout=30) as vera:
        vera.headers.update(token_of(services, "vera"))
        assert vera.get("/api/v1/notifications").json() == []
        report(tmp_path, now_ns=time.time_ns())
        assert vera.get("/api/v1/notifications").json() == [
            {
                "name": "alarm",
                "host": "10.0.0.2:8443",
                "state": "away",
                "since": "1970-01-01T00:00:05Z",
                "reason": "connection refused",
                "delivered": 3,
                "waiting": 7,
                "dropped": 1,
            }
        ]
        figures = vera.get("/metrics").text
        assert 'passerby_told_up{receiver="alarm"} 0.0' in figures
        assert 'passerby_told_dropped_total{receiver="alarm"} 1.0' in figures
    services.close()


def test_a_test_is_sent_and_on_record_and_shows_no_secret(tmp_path: Path) -> None:
    fill(tmp_path)
    with receiving(Receiver()) as receiver:
        site = Site(
            site="test",
            data=tmp_path,
            cameras={},
            webhooks=[
                WebhookSettings(name="alarm", url=receiver.url, secret=SECRET),
                WebhookSettings(name="gone", url=f"http://127.0.0.1:{free_port()}/very-secret"),
            ],
        )
        services = services_of(tmp_path, users=["ada"], try_telling=trial_of(site, folder=tmp_path))
        with served(make_api(services)) as address, httpx.Client(base_url=f"{address}/api/v1", timeout=30) as ada:
            ada.headers.update(token_of(services, "ada"))
            answer = ada.post("/notifications/test")
            last = ada.get("/audit").json()["items"][0]
    assert [(one["name"], one["taken"]) for one in answer.json()] == [("alarm", True), ("gone", False)]
    assert answer.json()[1]["detail"] == "connection refused"
    assert "secret" not in answer.text
    assert last["action"] == "notifications.test"
    services.close()


def test_where_nobody_is_to_be_told_or_a_secret_is_missing_that_is_said(tmp_path: Path) -> None:
    fill(tmp_path)
    site = Site(site="test", data=tmp_path, cameras={}, webhooks=[WebhookSettings(name="alarm", url="http://a/{HOOK}")])
    assert trial_of(Site(site="test", data=tmp_path, cameras={}), folder=tmp_path) is None
    services = services_of(tmp_path, users=["ada"], try_telling=trial_of(site, folder=tmp_path))
    with served(make_api(services)) as address, httpx.Client(base_url=f"{address}/api/v1", timeout=30) as ada:
        ada.headers.update(token_of(services, "ada"))
        answer = ada.post("/notifications/test")
        assert answer.status_code == 422
        assert answer.json()["detail"] == "webhook alarm: url needs the environment variable HOOK, which is not set"
        services.try_telling = None
        assert ada.post("/notifications/test").status_code == 404
    services.close()
