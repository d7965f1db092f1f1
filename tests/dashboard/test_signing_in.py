"""Who may see and do what, with users and their sessions."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from hub.access.records import Role
from hub.access.store import AccessStore
from passerby.ids import CameraId
from tests.dashboard.looking import Looker
from tests.dashboard.site import web
from tests.hub.api.serving import PASSWORD


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[tuple[str, str]]:
    """The address of pages behind a login, and the path at which the first administrator comes in."""
    with web(folder) as (address, process):
        deadline = time.monotonic() + 10.0
        while (found := re.search(r"open \S+?(/setup\?word=\S+) to", process.log())) is None:
            assert time.monotonic() < deadline, process.log()
            time.sleep(0.05)
        yield address, found[1]


def sign_in(look: Looker, name: str, path: str) -> None:
    """By the form to which a page leads."""
    page = look.page
    page.goto(look.address + path)
    assert "/login?next=" in page.url
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".rail")
    assert page.url == look.address + path


def answer_late(route: Route) -> None:
    """The server is done, and the page hears of it later: the server has forgotten the page by then."""
    answer = route.fetch()
    time.sleep(2.0)
    route.fulfill(response=answer)


def test_the_first_administrator_comes_in_by_the_link_and_goes(browser: Browser, guarded: tuple[str, str]) -> None:
    address, setup = guarded
    with Looker(browser, address) as look:
        page = look.page
        page.goto(address + setup)
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        assert look.barriers() == []
        page.get_by_role("button", name="Begin").click()
        expect(page.locator("h1")).to_have_text("Live")
        look.at("/system")
        expect(page.locator("#page")).to_contain_text("Audit")
        page.route("**/api/v1/session", answer_late)
        page.get_by_title("Sign out").click()
        page.wait_for_url("**/login")
        page.goto(address + "/identities")
        assert "/login?next=/identities" in page.url
        assert look.complaints == []


def test_a_wrong_password_is_told(browser: Browser, guarded: tuple[str, str]) -> None:
    with Looker(browser, guarded[0]) as look:
        look.page.goto(guarded[0] + "/login")
        look.page.get_by_label("Name").fill("ada")
        look.page.get_by_label("Password").fill("something else")
        look.page.keyboard.press("Enter")
        expect(look.page.get_by_role("alert")).to_contain_text("no such user, or another password")


def test_a_viewer_looks_and_an_operator_of_one_camera_sees_that_alone(
    browser: Browser, guarded: tuple[str, str], folder: Path
) -> None:
    with AccessStore(folder / "data") as access:
        access.add_user("vera", PASSWORD, role=Role.VIEWER)
        access.add_user("lena", PASSWORD, role=Role.OPERATOR, cameras=[CameraId("lobby")])
    with Looker(browser, guarded[0]) as look:
        sign_in(look, "vera", "/person/1")
        expect(look.page.locator("#page")).to_contain_text("hall")
        expect(look.page.get_by_role("button", name="Rename")).to_have_count(0)
        expect(look.page.locator(".rail")).not_to_contain_text("Enrolment")
        look.at("/enrolment")
        expect(look.page.locator("#page")).to_contain_text("Not for your role")
        look.page.evaluate("emitEvent('do', { do: 'undo', event: '2' })")
        expect(look.page.locator(".toast")).to_contain_text("takes operator")
        assert look.complaints == []
    with Looker(browser, guarded[0]) as look:
        sign_in(look, "lena", "/person/1")
        expect(look.page.locator(".shots figure")).to_have_count(1)
        expect(look.page.locator("#page")).not_to_contain_text("hall")
        look.at("/person/2")
        expect(look.page.locator("#page")).to_contain_text("Nobody has this number")
        for path in ("/enrolment", "/site"):
            look.at(path)
            expect(look.page.locator("#page")).to_contain_text("of which you see some cameras alone")
            look.page.evaluate("emitEvent('do', { do: 'remove', name: 'Ann' })")
        expect(look.page.locator(".rail")).not_to_contain_text("Enrolment")
        look.at("/search")
        said = {"csrf": look.page.locator("input[name=csrf]").first.input_value(), "name": "Ann"}
        for what, status in (("search", 200), ("enroll", 403), ("verify", 403), ("identify", 403)):
            assert look.page.request.post(f"{guarded[0]}/looking/{what}", multipart=said).status == status
        look.at("/")
        expect(look.page.locator(".camera")).to_have_count(1)
        expect(look.page.locator("#feed")).not_to_contain_text("hall")
        assert look.complaints == []
        assert look.page.request.get(guarded[0] + "/pictures/3/best.jpg").status == 404
        assert look.page.request.get(guarded[0] + "/pictures/1/best.jpg").status == 200
        for path in ("/live-pictures?camera=lobby&camera=hall", "/live-pictures/hall", "/live-pictures?camera=.."):
            assert look.page.request.get(guarded[0] + path).status == 404


def test_a_stranger_gets_nothing(browser: Browser, guarded: tuple[str, str]) -> None:
    with Looker(browser, guarded[0]) as look:
        private = ("/pictures/1/best.jpg", "/timeline-bars?since=0&until=1", "/timeline-tracklet/1")
        for path in (*private, "/live-pictures?camera=hall", "/live-pictures/hall"):
            assert look.page.request.get(guarded[0] + path).status == 401
        assert (
            look.page.request.get(guarded[0] + "/api/v1/nothing").headers["content-type"] == "application/problem+json"
        )
        assert (
            "There is no such page"
            in look.page.request.get(guarded[0] + "/nothing", headers={"Accept": "text/html"}).text()
        )
        assert look.page.request.post(guarded[0] + "/looking/search", multipart={"name": "x"}).status == 401


def test_a_token_is_made_shown_once_and_revoked(browser: Browser, guarded: tuple[str, str], folder: Path) -> None:
    with AccessStore(folder / "data") as access:
        access.add_user("tom", PASSWORD, role=Role.OPERATOR)
    with Looker(browser, guarded[0]) as look:
        sign_in(look, "tom", "/system")
        page = look.page
        expect(page.get_by_role("button", name="Add a user")).to_have_count(0)
        page.get_by_role("button", name="Make a token").click()
        expect(page.locator("#make-token option")).to_have_text(["viewer", "operator"])
        page.locator("#make-token input[name=name]").fill("prometheus")
        page.keyboard.press("Enter")
        word = page.locator(".made .code").last.text_content()
        authorization = {"Authorization": f"Bearer {word}"}
        assert page.request.get(f"{guarded[0]}/metrics", headers=authorization).status == 200
        assert look.barriers() == []
        look.at("/system")
        assert str(word) not in page.content()
        page.get_by_role("button", name="Revoke").click()
        expect(page.locator("#tokens")).to_contain_text("No tokens")
        assert page.request.get(f"{guarded[0]}/metrics", headers=authorization).status == 401
        assert look.complaints == []


def test_ones_own_password_is_changed_by_who_knows_it(browser: Browser, guarded: tuple[str, str], folder: Path) -> None:
    with AccessStore(folder / "data") as access:
        access.add_user("pam", PASSWORD, role=Role.VIEWER)
        with Looker(browser, guarded[0]) as look:
            sign_in(look, "pam", "/system")
            page = look.page
            page.get_by_role("button", name="Change password").click()
            for old, said in (("something else", "the old password is another"), (PASSWORD, None)):
                for name, text in (("old", old), ("new", "another long word"), ("again", "another long word")):
                    page.locator(f"#own-password input[name={name}]").fill(text)
                page.keyboard.press("Enter")
                if said is not None:
                    expect(page.locator("#own-password [role=alert]")).to_have_text(said)
            expect(page.locator(".toast")).to_contain_text("Your password is changed")
            look.at("/system")  # the session goes on
        assert access.is_password_of("pam", "another long word")
        assert [one.action for one in access.audit.entries(actor="pam", action="users.")] == ["users.password"]


def test_who_is_disabled_is_not_let_in_until_they_are_enabled(
    browser: Browser, guarded: tuple[str, str], folder: Path
) -> None:
    with AccessStore(folder / "data") as access:
        for name, role in (("ann", Role.ADMIN), ("dora", Role.VIEWER)):
            access.add_user(name, PASSWORD, role=role)
        with Looker(browser, guarded[0]) as look:
            sign_in(look, "ann", "/system")
            page = look.page
            for wanted in (True, False):
                page.locator("tr", has=page.locator("td", has_text="dora")).get_by_role(
                    "button", name="Change…"
                ).click()
                dialog = page.locator("#user-dora")
                dialog.get_by_label("Disabled").set_checked(wanted)
                dialog.get_by_label("yard").set_checked(wanted)
                dialog.get_by_role("button", name="Save").click()
                expect(page.locator("tr", has_text="dora").locator(".tag", has_text="disabled")).to_have_count(
                    int(wanted)
                )
                assert access.is_password_of("dora", PASSWORD) is not wanted
                dora = access.user("dora")
                assert dora is not None
                assert (dora.disabled, dora.cameras) == (wanted, frozenset({CameraId("yard")}) if wanted else None)
            assert look.complaints == []
