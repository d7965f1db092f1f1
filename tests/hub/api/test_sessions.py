"""Logging in: sessions, tokens, attempts, the first administrator, and pages of other sites."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub.access.attempts import MOST_FAILURES
from hub.access.records import Role
from hub.access.store import AccessStore
from hub.api import make_api
from hub.services import Services
from tests.hub.api.serving import PASSWORD, blank_facts, blind, fill, log_in, served, services_of

OTHER_PASSWORD = "another long word"  # noqa: S105


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


def test_a_session_is_a_cookie_that_no_script_reads_and_no_other_site_sends(address: str) -> None:
    answer = httpx.post(f"{address}/api/v1/session", json={"name": "vera", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert answer.json()["role"] == "viewer"


def test_a_session_ends_when_one_logs_out(address: str) -> None:
    with log_in(address, "vera") as vera:
        cookie = vera.cookies["passerby_session"]
        assert vera.get("/session").json()["name"] == "vera"
        assert vera.delete("/session").status_code == 204
    gone = httpx.get(f"{address}/api/v1/session", headers={"Cookie": f"passerby_session={cookie}"})
    assert gone.status_code == 401
    assert gone.headers["content-type"] == "application/problem+json"


def test_a_change_by_session_needs_the_word_of_its_page(address: str) -> None:
    with log_in(address, "otto") as otto:
        word = otto.headers.pop("X-CSRF-Token")
        assert otto.put("/identities/2/name", json={"name": "Tom"}).status_code == 403
        assert otto.put("/identities/2/name", json={"name": "Tom"}, headers={"X-CSRF-Token": "x"}).status_code == 403
        named = otto.put("/identities/2/name", json={"name": "Tom"}, headers={"X-CSRF-Token": word})
        assert named.status_code == 200, named.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_a_page_of_another_site_changes_nothing(address: str, headers: dict[str, str], status: int) -> None:
    with log_in(address, "otto") as otto:
        answer = otto.put("/identities/2/name", json={"name": f"Tom {headers}"}, headers=headers)
        assert answer.status_code == status, answer.text
        mine = otto.put("/identities/2/name", json={"name": f"Tim {headers}"}, headers={"Origin": address})
        assert mine.status_code == 200, mine.text


def test_who_guesses_passwords_waits_and_is_on_record(services: Services, address: str) -> None:
    services.access.add_user("gwen", PASSWORD, role=Role.VIEWER)
    login = {"name": "gwen", "password": "a wrong guess"}
    with httpx.Client(base_url=f"{address}/api/v1", timeout=30) as client:
        said = [client.post("/session", json=login).status_code for _ in range(MOST_FAILURES + 1)]
        assert said == [401] * MOST_FAILURES + [429]
        right = client.post("/session", json={**login, "password": PASSWORD})
        assert right.status_code == 429
        assert int(right.headers["retry-after"]) > 60
    # Not to be in the way of the other tests, which come from the same address.
    services.access.attempts.forget("address 127.0.0.1")
    refused = services.access.audit.entries(actor="gwen", action="login.refused")
    assert len(refused) == MOST_FAILURES


def test_a_token_expires_and_is_worth_what_its_user_is(services: Services, address: str) -> None:
    access = services.access
    access.add_user("tess", PASSWORD, role=Role.OPERATOR)
    token, word = access.add_token("tess", "program", role=Role.OPERATOR, days=1)
    headers = {"Authorization": f"Bearer {word}"}
    assert httpx.get(f"{address}/api/v1/session", headers=headers).json()["role"] == "operator"
    assert access.who_has_token(word, now_ns=token.expires_at_ns - 1) is not None
    assert access.who_has_token(word, now_ns=token.expires_at_ns) is None
    access.change_user("tess", role=Role.VIEWER, cameras=None)
    assert httpx.get(f"{address}/api/v1/session", headers=headers).json()["role"] == "viewer"
    access.remove_user("tess")
    assert httpx.get(f"{address}/api/v1/session", headers=headers).status_code == 401


def test_a_token_is_made_by_session_alone_and_told_once(services: Services, address: str) -> None:
    with log_in(address, "vera") as vera:
        assert vera.post("/tokens", json={"name": "t", "role": "operator"}).status_code == 422
        made = vera.post("/tokens", json={"name": "t", "days": 2}).json()
        assert vera.get("/tokens").json()[0]["name"] == "t"
        assert made["token"] not in vera.get("/tokens").text
        by_token = {"Authorization": f"Bearer {made['token']}"}
        more = httpx.post(f"{address}/api/v1/tokens", json={"name": "u"}, headers=by_token)
        assert more.status_code == 403
        assert vera.delete(f"/tokens/{made['id']}").status_code == 204
        assert vera.delete(f"/tokens/{made['id']}").status_code == 404
    assert httpx.get(f"{address}/api/v1/session", headers=by_token).status_code == 401
    assert made["token"].encode() not in (services.data_dir / "access.sqlite").read_bytes()


def test_a_new_password_ends_the_other_sessions(services: Services, address: str) -> None:
    services.access.add_user("pia", PASSWORD, role=Role.VIEWER)
    with log_in(address, "pia") as one, log_in(address, "pia") as other:
        assert one.put("/session/password", json={"old": "wrong", "new": OTHER_PASSWORD}).status_code == 403
        assert one.put("/session/password", json={"old": PASSWORD, "new": "short"}).status_code == 422
        assert one.put("/session/password", json={"old": PASSWORD, "new": OTHER_PASSWORD}).status_code == 204
        assert one.get("/session").status_code == 200
        assert other.get("/session").status_code == 401
    with log_in(address, "pia", password=OTHER_PASSWORD) as again:
        assert again.get("/session").status_code == 200


def test_the_first_administrator_comes_in_by_a_link_that_works_once(tmp_path: Path) -> None:
    fill(tmp_path)
    made = Services(data_dir=tmp_path, facts=blank_facts(), access=AccessStore(tmp_path), eyes=blind)
    old, word = made.access.setup_word(), made.access.setup_word()
    with served(make_api(made)) as address, httpx.Client(base_url=f"{address}/api/v1", timeout=30) as client:
        first = {"name": "ada", "password": PASSWORD}
        assert client.post("/setup", json={**first, "word": old}).status_code == 422
        done = client.post("/setup", json={**first, "word": word})
        assert (done.status_code, done.json()["role"]) == (201, "admin")
        assert client.get("/users").json()[0]["name"] == "ada"
        assert client.post("/setup", json={**first, "name": "eve", "word": word}).status_code == 422
    assert made.access.setup_word() is None
    made.close()


def test_without_a_login_it_answers_this_machine_alone_and_its_own_pages(tmp_path: Path) -> None:
    fill(tmp_path)
    made = Services(data_dir=tmp_path, facts=blank_facts(), access=AccessStore(tmp_path), eyes=blind, login=False)
    with served(make_api(made)) as address:
        assert httpx.get(f"{address}/api/v1/session").json()["by"] == "local"
        assert httpx.get(f"{address}/api/v1/session", headers={"Host": "evil.example"}).status_code == 403
        name, evil = f"{address}/api/v1/identities/1/name", {"Origin": "https://evil.example"}
        assert httpx.put(name, json={"name": "x"}, headers=evil).status_code == 403
        assert httpx.put(name, json={"name": "x"}, timeout=30).status_code == 200
    made.close()


def test_what_was_done_is_on_record_without_names(services: Services, address: str) -> None:
    with log_in(address, "ada") as ada:
        assert ada.put("/identities/1/name", json={"name": "Zebedee Qux"}).status_code == 200
        ada.get("/identities/1")
        ada.get("/exports/events.jsonl")
        entries = ada.get("/audit", params={"actor": "ada", "limit": 200}).json()["items"]
    actions = {one["action"]: one["objects"] for one in entries}
    assert {"login", "correction.rename", "identities.view", "exports.events"} <= actions.keys()
    assert "identity:1" in actions["correction.rename"]
    assert "Zebedee" not in json.dumps(entries)
    assert b"Zebedee" not in (services.data_dir / "access.sqlite").read_bytes()


def test_a_session_ends_by_idleness_and_by_age(services: Services) -> None:
    hour_ns = 3600 * 10**9
    cookie, now_ns = services.access.begin_session("vera"), time.time_ns()
    assert services.access.who_has_cookie(cookie, now_ns=now_ns + 11 * hour_ns) is not None  # seen then
    assert services.access.who_has_cookie(cookie, now_ns=now_ns + 22 * hour_ns) is not None
    assert services.access.who_has_cookie(cookie, now_ns=now_ns + 35 * hour_ns) is None
    for hours in range(24, 168, 10):
        services.access.who_has_cookie(cookie, now_ns=now_ns + hours * hour_ns)
    assert services.access.who_has_cookie(cookie, now_ns=now_ns + 168 * hour_ns + 10**9) is None
