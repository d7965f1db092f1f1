"""What the interface tells of a site: pages, times, crops, health, figures, errors, and what comes as it happens."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime

import httpx
import pytest

from hub.api import make_api
from hub.corrections.acts import Rename
from hub.health import health_grade
from hub.services import Services
from passerby.ids import IdentityId
from tests.hub.api.serving import crop, fill, served, services_of, token_of


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    data = tmp_path_factory.mktemp("site")
    fill(data)
    made = services_of(data, users=["ada", "vera"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(services: Services) -> Iterator[str]:
    with served(make_api(services)) as found:
        yield found


@pytest.fixture
def ada(services: Services, address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{address}/api/v1", headers=token_of(services, "ada"), timeout=30) as client:
        yield client


def test_pages_are_followed_to_the_end_and_nothing_is_told_twice(ada: httpx.Client) -> None:
    assert ada.get("/identities/1").status_code == 200  # which is put down
    for path in ("/tracklets", "/identities", "/events", "/audit"):
        ids, cursor = [], None
        for _ in range(50):
            page = ada.get(path, params={"limit": 1, **({"cursor": cursor} if cursor else {})}).json()
            ids += [one["id"] for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert ids == sorted(set(ids), reverse=True), path
        assert ids, path


def test_what_is_kept_how_long_and_since_when_is_told(ada: httpx.Client) -> None:
    told = ada.get("/retention").json()
    assert (told["crops_days"], told["tracklets_days"], told["audit_days"]) == (90, 365, 730)
    assert told["data_bytes"] >= told["database_bytes"] + told["crops_bytes"] > told["crops_bytes"] > 0
    assert told["oldest_tracklet_at"] == told["oldest_crops_at"] == "2023-11-14T22:14:00Z"


@pytest.mark.parametrize("cursor", ["x", "MTI", "LTE=", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", "%00", "ß"])
def test_a_cursor_that_was_never_given_is_refused(ada: httpx.Client, cursor: str) -> None:
    answer = ada.get("/tracklets", params={"cursor": cursor})
    assert answer.status_code == 422
    assert "cursor" in answer.json()["detail"]


def test_people_are_found_by_camera_time_and_name(ada: httpx.Client) -> None:
    def found(**asked: str) -> list[int]:
        return [one["id"] for one in ada.get("/identities", params=asked).json()["items"]]

    assert found() == [2, 1]
    assert found(camera="hall") == [1]
    assert found(**{"from": "2023-11-14T22:13:45Z"}) == [1]
    assert found(to="2023-11-14T23:13:21+01:00") == [1]
    assert ada.put("/identities/2/name", json={"name": "Thomas 50%_x"}).status_code == 200
    assert found(name="THOMAS") == [2]
    assert found(name="%_") == [2]
    assert found(name="_") == [2]
    assert found(name="nobody") == []
    backwards = ada.get("/identities", params={"from": "2024-01-01T00:00:00Z", "to": "2023-01-01T00:00:00Z"})
    assert backwards.status_code == 422
    assert ada.get("/identities", params={"from": "2024-01-01T00:00:00"}).status_code == 422  # of which zone?


def test_a_timeline_has_sightings_in_order_and_decisions(ada: httpx.Client) -> None:
    told = ada.get("/identities/1/timeline").json()
    assert [(one["id"], one["camera"]) for one in told["tracklets"]] == [(1, "hall"), (3, "lobby")]
    assert told["events"][0]["kind"] == "created"
    started = datetime.fromisoformat(told["tracklets"][0]["started_at"])
    assert started.isoformat() == "2023-11-14T22:13:20+00:00"


def test_crops_are_pictures_and_say_so(ada: httpx.Client) -> None:
    answer = ada.get("/tracklets/1/crops/1")
    assert answer.content == crop(10)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ada.get("/tracklets/1/crops/77").status_code == 404
    assert ada.get("/identities/2/crop").content == crop(30)
    assert ada.get("/cameras/lobby/snapshot").headers["x-picture"] == "crop"


def test_evidence_names_the_crops_most_alike(ada: httpx.Client) -> None:
    linked = next(one for one in ada.get("/associations").json()["items"] if one["kind"] == "linked")
    told = ada.get(f"/associations/{linked['id']}/evidence").json()
    assert 0 < told["evidence"]["probability"] <= 1
    assert "appearance" in told["evidence"]["terms"]
    for part in ("tracklet_crop", "other_crop"):
        assert ada.get(f"/{told[part]}").status_code in (200, 404)


def test_an_error_is_a_problem_and_names_what_is_wrong(ada: httpx.Client, address: str) -> None:
    wrong = ada.get("/tracklets", params={"limit": 100_000})
    assert wrong.headers["content-type"] == "application/problem+json"
    assert wrong.json()["errors"][0]["where"] == "query.limit"
    for answer in (ada.get("/nothing"), httpx.get(f"{address}/nothing"), ada.patch("/cameras")):
        told = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert told["status"] == answer.status_code


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/identities/1/name", b'{"name": "\\ud800"}'),
        ("/identities/1/name", b'{"name": "a\\u0000b"}'),
        ("/identities/1/name", b"[" * 100_000),
        ("/identities/1/name", b'{"name": ' + b"9" * 5000 + b"}"),
        ("/topology/hall/lobby", b'{"transit": [NaN, 1]}'),
        ("/topology/hall/lobby", b'{"transit": [9, 1]}'),
        ("/topology/hall/hall", b'{"never": true}'),
        ("/identities/99999999999999999999/name", b'{"name": "a"}'),
        ("/users/vera", b'{"role": "king"}'),
        ("/users/ada", b'{"role": "admin", "cameras": ["hall"]}'),
    ],
)
def test_bodies_that_mean_nothing_are_refused(ada: httpx.Client, path: str, body: bytes) -> None:
    answer = ada.put(path, content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_health_and_figures(services: Services, address: str) -> None:
    assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{address}/readyz").json() == {"status": "ok", "hub": False}
    assert httpx.get(f"{address}/metrics").status_code == 401
    told = httpx.get(f"{address}/metrics", headers=token_of(services, "vera")).text
    assert "passerby_gallery_tracklets 3.0" in told
    assert 'passerby_decisions_total{by="hub",kind="created"} 2.0' in told
    assert "identity=" not in told


@pytest.mark.parametrize(
    ("fps", "reconnects", "stalls", "grade"),
    [
        (5.0, 0, 0, "excellent"),
        (4.5, 0, 4, "excellent"),
        (4.4, 0, 0, "fair"),
        (5.0, 1, 0, "fair"),
        (5.0, 0, 5, "fair"),
        (3.0, 2, 50, "fair"),
        (3.0, 3, 0, "poor"),
        (2.9, 0, 0, "poor"),
        (0.09, 0, 0, "unusable"),
        (0.9, 11, 101, "unusable"),
        (0.9, 11, 100, "poor"),
    ],
)
def test_a_camera_is_graded_by_its_frames_reconnects_and_stalls(
    fps: float, reconnects: int, stalls: int, grade: str
) -> None:
    told = health_grade(achieved_fps=fps, expected_fps=5.0, reconnects=reconnects, stalls=stalls, hours=1.0)
    assert told == grade


def test_a_stream_tells_what_happens_and_goes_on_where_it_was(services: Services, ada: httpx.Client) -> None:
    last = services.reader().last_event_id()
    told: list[tuple[str, dict[str, object]]] = []
    watching = threading.Event()

    def watch() -> None:
        with ada.stream("GET", "/events/stream", params={"most": 1}) as stream:
            lines: dict[str, str] = {}
            for line in stream.iter_lines():
                watching.set()
                name, _, value = line.partition(": ")
                lines[name] = value
                if not line and "data" in lines:
                    told.append((lines["id"], json.loads(lines["data"])))

    thread = threading.Thread(target=watch)
    thread.start()
    assert watching.wait(10)
    services.correct(Rename(identity=IdentityId(1), name="Ann"), actor="ada")
    thread.join(20)
    assert [(number, event["kind"]) for number, event in told] == [(str(last + 1), "renamed")]
    again = ada.get("/events/stream", params={"most": 1}, headers={"Last-Event-ID": str(last)}).text
    assert f"id: {last + 1}\nevent: renamed\n" in again
    assert "Ann" not in again
