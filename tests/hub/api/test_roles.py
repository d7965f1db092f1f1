"""Every route lets in whoever has its role, and nobody else; whoever sees some cameras sees nothing of the others."""

from collections.abc import Iterator

import httpx
import pytest

from hub.access.records import Role
from hub.api import make_api
from hub.services import Services
from tests.hub.api.serving import HALL, fill, served, services_of, token_of

ROLES = {
    ("GET", "/api/v1/session"): "viewer",
    ("POST", "/api/v1/session"): None,
    ("DELETE", "/api/v1/session"): "viewer",
    ("POST", "/api/v1/setup"): None,
    ("PUT", "/api/v1/session/password"): "viewer",
    ("GET", "/api/v1/cameras"): "viewer",
    ("POST", "/api/v1/cameras"): "admin",
    ("GET", "/api/v1/cameras/{camera}"): "viewer",
    ("PUT", "/api/v1/cameras/{camera}"): "admin",
    ("PATCH", "/api/v1/cameras/{camera}"): "admin",
    ("DELETE", "/api/v1/cameras/{camera}"): "admin",
    ("GET", "/api/v1/cameras/{camera}/proposals"): "admin",
    ("GET", "/api/v1/cameras/{camera}/snapshot"): "viewer",
    ("GET", "/api/v1/cameras/{camera}/live"): "viewer",
    ("GET", "/api/v1/cameras/{camera}/people"): "viewer",
    ("GET", "/api/v1/cameras/{camera}/settings"): "admin",
    ("POST", "/api/v1/cameras/probe"): "admin",
    ("GET", "/api/v1/tracklets"): "viewer",
    ("GET", "/api/v1/tracklets/{number}"): "viewer",
    ("GET", "/api/v1/tracklets/{number}/path"): "viewer",
    ("GET", "/api/v1/tracklets/{number}/crops"): "viewer",
    ("GET", "/api/v1/tracklets/{number}/crop"): "viewer",
    ("GET", "/api/v1/tracklets/{number}/crops/{crop}"): "viewer",
    ("GET", "/api/v1/identities"): "viewer",
    ("GET", "/api/v1/identities/{number}"): "viewer",
    ("DELETE", "/api/v1/identities/{number}"): "admin",
    ("GET", "/api/v1/identities/{number}/timeline"): "viewer",
    ("GET", "/api/v1/identities/{number}/crop"): "viewer",
    ("POST", "/api/v1/identities/{number}/merge"): "operator",
    ("POST", "/api/v1/identities/{number}/split"): "operator",
    ("POST", "/api/v1/identities/{number}/reject"): "operator",
    ("PUT", "/api/v1/identities/{number}/name"): "operator",
    ("POST", "/api/v1/events/{number}/undo"): "operator",
    ("GET", "/api/v1/candidates"): "viewer",
    ("POST", "/api/v1/candidates/{number}/answer"): "operator",
    ("GET", "/api/v1/events"): "viewer",
    ("GET", "/api/v1/associations"): "viewer",
    ("GET", "/api/v1/events/stream"): "viewer",
    ("GET", "/api/v1/events/{number}"): "viewer",
    ("GET", "/api/v1/associations/{number}/evidence"): "viewer",
    ("POST", "/api/v1/search"): "operator",
    ("GET", "/api/v1/enrolments"): "viewer",
    ("POST", "/api/v1/enrolments"): "operator",
    ("DELETE", "/api/v1/enrolments/{name}"): "operator",
    ("GET", "/api/v1/enrolments/{name}/picture"): "viewer",
    ("POST", "/api/v1/enrolments/{name}/verify"): "operator",
    ("POST", "/api/v1/identify"): "operator",
    ("GET", "/api/v1/topology"): "viewer",
    ("PUT", "/api/v1/topology/{before}/{after}"): "operator",
    ("GET", "/api/v1/calibration"): "viewer",
    ("GET", "/api/v1/normalization"): "viewer",
    ("POST", "/api/v1/normalization/{camera}/reset"): "operator",
    ("GET", "/api/v1/adaptations"): "viewer",
    ("POST", "/api/v1/adaptations"): "operator",
    ("GET", "/api/v1/adaptations/schedule"): "viewer",
    ("PATCH", "/api/v1/adaptations/schedule"): "operator",
    ("DELETE", "/api/v1/adaptations/schedule"): "operator",
    ("GET", "/api/v1/adaptations/{number}"): "viewer",
    ("GET", "/api/v1/adaptations/{number}/stream"): "viewer",
    ("POST", "/api/v1/adaptations/{number}/cancel"): "operator",
    ("GET", "/api/v1/adaptations/{number}/compare"): "viewer",
    ("POST", "/api/v1/adaptations/{number}/promote"): "admin",
    ("POST", "/api/v1/models/rollback"): "admin",
    ("GET", "/api/v1/exports/tracks.zip"): "operator",
    ("GET", "/api/v1/exports/events.jsonl"): "operator",
    ("GET", "/api/v1/exports/events.parquet"): "operator",
    ("GET", "/api/v1/exports/tracklets.jsonl"): "operator",
    ("GET", "/api/v1/exports/tracklets.parquet"): "operator",
    ("GET", "/api/v1/exports/embeddings.jsonl"): "operator",
    ("GET", "/api/v1/exports/embeddings.parquet"): "operator",
    ("GET", "/api/v1/films"): "operator",
    ("POST", "/api/v1/films"): "operator",
    ("GET", "/api/v1/films/{film_id}"): "operator",
    ("DELETE", "/api/v1/films/{film_id}"): "operator",
    ("GET", "/api/v1/films/{film_id}/frames/{number}"): "operator",
    ("POST", "/api/v1/films/{film_id}/enroll"): "operator",
    ("POST", "/api/v1/films/{film_id}/verify"): "operator",
    ("POST", "/api/v1/films/{film_id}/identify"): "operator",
    ("GET", "/api/v1/viewings"): "operator",
    ("GET", "/api/v1/viewings/{number}"): "operator",
    ("GET", "/api/v1/viewings/{number}/stream"): "operator",
    ("POST", "/api/v1/viewings/{number}/cancel"): "operator",
    ("GET", "/api/v1/viewings/{number}/people/{person}/crops/{crop}"): "operator",
    ("GET", "/api/v1/users"): "admin",
    ("POST", "/api/v1/users"): "admin",
    ("PUT", "/api/v1/users/{name}"): "admin",
    ("DELETE", "/api/v1/users/{name}"): "admin",
    ("PUT", "/api/v1/users/{name}/password"): "admin",
    ("GET", "/api/v1/tokens"): "viewer",
    ("POST", "/api/v1/tokens"): "viewer",
    ("DELETE", "/api/v1/tokens/{number}"): "viewer",
    ("GET", "/api/v1/audit"): "admin",
    ("GET", "/api/v1/notifications"): "viewer",
    ("POST", "/api/v1/notifications/test"): "admin",
    ("GET", "/api/v1/retention"): "viewer",
    ("GET", "/api/v1/queues"): "viewer",
    ("GET", "/healthz"): None,
    ("GET", "/readyz"): None,
    ("GET", "/metrics"): "viewer",
}

USERS = {"vera": Role.VIEWER, "otto": Role.OPERATOR, "ada": Role.ADMIN}

SCOPED = {
    # lena sees the lobby alone: person 1 by tracklet 3, person 2 by tracklet 2. Tracklet 1 is of the hall.
    "identities/1": 200,
    "identities/1/timeline": 200,
    "identities/1/crop": 200,
    "identities?camera=hall": 200,
    "tracklets/1": 404,
    "tracklets/1/path": 404,
    "tracklets/1/crops": 404,
    "tracklets/1/crop": 404,
    "tracklets/1/crops/1": 404,
    "tracklets/3": 200,
    "tracklets/3/crops/1": 200,
    "events/1": 404,
    "associations/1/evidence": 404,
    "cameras/hall": 404,
    "cameras/hall/snapshot": 404,
    "cameras/hall/live": 404,
    "cameras/hall/people": 404,
    "cameras/lobby/snapshot": 200,
    "enrolments": 403,
    "calibration": 403,
    "retention": 403,
    "adaptations": 403,
    "adaptations/schedule": 403,
    "notifications": 403,
    "exports/events.jsonl": 403,
    "exports/events.parquet": 403,
    "exports/tracklets.jsonl": 200,
    "exports/tracklets.parquet": 200,
    "exports/embeddings.jsonl": 200,
    "exports/tracks.zip": 200,
    "films": 403,
    "viewings": 403,
    "topology": 200,
    "normalization": 200,
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    data = tmp_path_factory.mktemp("site")
    fill(data)
    made = services_of(data)
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(services: Services) -> Iterator[str]:
    with served(make_api(services)) as found:
        yield found


def test_the_table_is_that_of_the_description(services: Services) -> None:
    paths = make_api(services).openapi()["paths"]
    stated = {(m.upper(), path): o.get("x-role") for path, all_ in paths.items() for m, o in all_.items()}
    assert stated == ROLES


def test_every_route_lets_in_whoever_has_its_role_and_nobody_else(services: Services, address: str) -> None:
    tokens = {name: token_of(services, name) for name in USERS}
    nobody = {"Authorization": "Bearer pby_nobody"}
    with httpx.Client(base_url=address, timeout=30) as client:
        for (method, path), least in ROLES.items():
            if least is None or path.endswith("/exports/tracks.zip") or (method, path[-8:]) == ("DELETE", "/session"):
                continue
            url = path.format(
                camera="none", number=999_999, crop=1, name="nobody", before="a", after="b", film_id="f", person=1
            )
            url += "?after=0&most=1" if path.endswith("events/stream") else ""
            assert client.request(method, url).status_code == 401, (method, path)
            assert client.request(method, url, headers=nobody).status_code == 401, (method, path)
            for name, role in USERS.items():
                answer = client.request(method, url, headers=tokens[name])
                may = role.covers(Role(least))
                told = f"{method} {path} as {role}: {answer.status_code} {answer.text[:200]}"
                assert may == (f"this is for {least}s" not in answer.text), told
                assert answer.status_code < 500, told
                assert may or answer.status_code == 403, told


@pytest.mark.parametrize(("path", "status"), SCOPED.items())
def test_who_sees_some_cameras_sees_nothing_of_the_others(
    services: Services, address: str, path: str, status: int
) -> None:
    answer = httpx.get(f"{address}/api/v1/{path}", headers=token_of(services, "lena"), timeout=30)
    assert answer.status_code == status, answer.text
    assert HALL.encode() not in answer.content or status == 404
    if status == 200 and path == "identities?camera=hall":
        assert answer.json()["items"] == []


def test_lists_have_what_is_seen_alone(services: Services, address: str) -> None:
    with httpx.Client(base_url=f"{address}/api/v1", headers=token_of(services, "lena"), timeout=30) as lena:
        assert [one["id"] for one in lena.get("/cameras").json()] == ["lobby"]
        assert [one["id"] for one in lena.get("/tracklets").json()["items"]] == [3, 2]
        people = {one["id"]: one for one in lena.get("/identities").json()["items"]}
        assert {number: (one["tracklets"], one["cameras"]) for number, one in people.items()} == {
            1: (1, ["lobby"]),
            2: (1, ["lobby"]),
        }
        assert all(one["camera"] == "lobby" for one in lena.get("/events").json()["items"])
        streamed = lena.get("/events/stream", params={"after": 0, "most": 2}).text
        assert "hall" not in streamed
        assert '"camera": "lobby"' in streamed


def test_who_sees_some_cameras_corrects_nothing_of_the_others(services: Services, address: str) -> None:
    with httpx.Client(base_url=f"{address}/api/v1", headers=token_of(services, "lena"), timeout=30) as lena:
        assert lena.post("/identities/1/split", json={"tracklets": [1]}).status_code == 404
        assert lena.post("/identities/2/reject", json={"tracklet": 1}).status_code == 404
        assert lena.post("/events/1/undo").status_code == 404
        assert lena.post("/events/2/undo", json={"whole": True}).status_code == 403
        assert lena.put("/topology/hall/lobby", json={"never": True}).status_code == 404
        assert lena.post("/normalization/hall/reset").status_code == 404
