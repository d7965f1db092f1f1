"""Every page in a real browser: it opens without a complaint, can be read, and fits a tablet."""

import re
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, expect

from hub.outgoing.report import ReceiverReport, Report, write_report
from hub.queues import EdgeQueue, HubQueue, Queues, write_queues
from passerby.ids import CameraId, EdgeId
from passerby.messages import Backlog
from tests.dashboard.looking import Looker
from tests.dashboard.site import RED, hub_of
from tests.hub.people import EDGE, Sender, at, seen

PAGES = {
    "/": "Live",
    "/identities": "Identities",
    "/person/1": "Person 1",
    "/event/2": "Event 2",
    "/timeline": "Timeline",
    "/timeline?tracklet=2": "Timeline",
    "/review": "Review",
    "/review?unsure=1": "Review",
    "/search": "Search",
    "/enrolment": "Enrolment",
    "/enrolment?tab=verify": "Verification",
    "/enrolment?tab=identify": "Identification",
    "/site": "Site",
    "/adaptation": "Adaptation",
    "/cameras": "Cameras",
    "/cameras/attach": "Attach a camera",
    "/camera/hall": "hall",
    "/camera/none": "none",
    "/system": "System",
    "/person/99": "Person 99",
    "/event/99": "Event 99",
    "/adaptation/99": "Adaptation",
}


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1024)])
def test_every_page_opens_can_be_read_and_fits(browser: Browser, address: str, theme: str, width: int) -> None:
    with Looker(browser, address, theme="dark" if theme == "dark" else "light", width=width) as look:
        for path, title in PAGES.items():
            page = look.at(path)
            expect(page.locator("h1")).to_have_text(title)
            assert look.barriers() == [], path
            assert look.beyond_the_edge() <= 0, path
            assert look.complaints == [], path


def test_the_check_finds_what_is_hard_to_read_or_has_no_name(look: Looker) -> None:
    page = look.at("/site")
    page.evaluate(
        "document.getElementById('page').insertAdjacentHTML('beforeend', "
        '\'<p style="color:#999;background:#aaa">grey on grey</p><button style="width:24px"></button>\')'
    )
    assert {one.split(":")[0] for one in look.barriers()} == {"color-contrast", "button-name"}


def test_a_link_reaches_an_open_page(browser: Browser, address: str, folder: Path) -> None:
    with Looker(browser, address) as look, hub_of(folder / "data") as hub:
        page = look.at("/")
        shown = page.locator("#feed > *")
        before = shown.count()
        page.wait_for_timeout(400)  # until the shared look at the database goes on
        sender = Sender(boot_id=type(Sender().boot_id)(bytes([7] * 16)))
        update = seen(1, "yard", tracklet=50, begin_s=60, end_s=62, final=True, crops=RED)
        hub.ingest(sender.send(update), now_ns=at(62))
        expect(shown).to_have_count(before + 1)
        expect(shown.first).to_contain_text("Person 1")
        expect(shown.first.locator("img")).to_have_count(2)
        assert look.complaints == []


def test_the_timeline_shows_pictures_of_what_is_clicked(look: Looker) -> None:
    page = look.at("/timeline?tracklet=2")
    expect(page.locator("#chosen")).to_contain_text("Person 1")
    expect(page.locator("#chosen img").first).to_be_visible()
    page.get_by_role("button", name="By person").click()
    expect(page.get_by_role("button", name="By person")).to_have_attribute("aria-pressed", "true")


def test_people_are_found_as_one_types(look: Looker) -> None:
    page = look.at("/identities")
    expect(page.locator("#found")).to_have_text(re.compile("people"))
    page.keyboard.press("/")
    page.keyboard.type("2")
    expect(page.locator(".person")).to_have_count(1)
    expect(page.locator("#found")).to_have_text("1 person")
    page.get_by_label("Name or number").fill("nobody of that name")
    expect(page.locator("#people")).to_contain_text("Nobody found")


def test_the_theme_is_chosen_and_remembered(look: Looker) -> None:
    page = look.at("/system")
    button = page.locator("[data-theme-button]")
    for theme in ("light", "dark"):
        button.click()
        expect(button).to_contain_text(theme)
    look.at("/")
    assert page.evaluate("document.documentElement.hasAttribute('data-dark')")


def test_what_waits_is_on_the_page_of_the_system_and_of_the_camera(look: Looker, folder: Path) -> None:
    def tell(*edges: EdgeQueue) -> None:
        hub = HubQueue(messages=0, size=0, waited_ns=None, undecided=2, undecided_ns=4 * 10**8, missing=3)
        # Words that grow old by nobody's renewing them would be gone before a busy machine has shown them.
        write_queues(folder / "data", Queues(at_ns=time.time_ns() + 600 * 10**9, hub=hub, edges=edges))

    late = Backlog(messages=1_234, size=5 << 20, waited_ns=95 * 10**9, refused=2)
    gate = EdgeQueue(
        edge_id=EDGE, cameras=(CameraId("hall"),), here=True, heard_ns=time.time_ns(), backlog=late, unsettled=0
    )
    tell(gate, replace(gate, edge_id=EdgeId("old"), backlog=None), replace(gate, edge_id=EdgeId("shed"), here=False))
    page = look.at("/system")
    section = page.locator("section", has_text="What waits")
    row = section.get_by_role("row", name=re.compile(f"^{EDGE} "))
    expect(row).to_contain_text("95 s behind")
    expect(row.get_by_role("cell")).to_have_text(
        [re.compile("hall"), "95 s behind", "1,234", "5.0 MiB", "95 s", "2", re.compile("ago")]
    )
    expect(section.get_by_role("row", name=re.compile("^old "))).to_contain_text("not known")
    expect(section.get_by_role("row", name=re.compile("^shed "))).to_contain_text("away")
    expect(section.get_by_role("row", name=re.compile("not yet decided"))).to_contain_text("2")
    expect(section).to_contain_text("3 never came")
    assert look.barriers() == []
    assert look.beyond_the_edge() <= 0
    tell(replace(gate, backlog=Backlog(messages=1, size=400, waited_ns=10**9)))
    expect(row).to_contain_text("up to date")
    state = look.at("/camera/hall").locator("#camera-now")
    expect(state).to_contain_text("1 message waits there, the oldest for 1 s")
    expect(state).to_contain_text("0 pairs mixed up where they crossed")
    assert look.barriers() == []
    (folder / "data" / "live" / "queues.json").unlink()
    expect(state).not_to_contain_text("waits there")
    expect(look.at("/system").locator("#queues-now")).to_contain_text("Not known")


def test_who_is_told_and_who_is_away_is_on_the_page_of_the_system(look: Looker, folder: Path) -> None:
    receivers = tuple(
        ReceiverReport(
            name=name, host="a-host-with-quite-a-long-name.example:8883", state=state, since_ns=at(0), reason=reason,
            delivered=12_345, dropped=1, waiting=7,
        )
        for name, state, reason in (("mqtt", "ok", ""), ("alarm", "away", "connection refused"))
    )  # fmt: skip
    write_report(folder / "data", Report(at_ns=time.time_ns(), receivers=receivers))
    page = look.at("/system")
    section = page.locator("section", has_text="Told by itself")
    expect(section.get_by_role("row", name=re.compile("alarm"))).to_contain_text("connection refused")
    assert look.barriers() == []
    assert look.beyond_the_edge() <= 0
    page.get_by_role("button", name="Send a test").click()
    tried = section.locator("#told-test li")
    expect(tried).to_have_text([re.compile("^taken alarm 204 in"), "not taken gone connection refused"])
    expect(section.get_by_role("button", name="Send a test")).to_be_enabled()
    expect(look.at("/system").get_by_role("row", name=re.compile("notifications.test"))).to_have_count(1)
    assert look.barriers() == []
