"""A day at the desk: a real hub and a real edge, cameras attached while they run, and what an operator does then."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from hub.access.records import Role
from hub.access.store import AccessStore
from passerby.adaptation.job import JobBook
from simulation.rtsp import RtspServer
from tests.dashboard.looking import Looker
from tests.dashboard.site import address_of
from tests.hub.api.serving import PASSWORD
from tests.system.loops import busy_loop
from tests.system.processes import TREE, LiveSite

PATIENCE_S = 60
"""In which a camera is connected, people in it are recognized, and networks are loaded, on a busy machine too."""

MOST_PICTURES = 8

T = TypeVar("T")


@dataclass(frozen=True)
class Desk:
    """Where the pages of a running site are, what its cameras show, and who may come in."""

    address: str
    url: str
    data: Path

    @contextmanager
    def sits(self, browser: Browser, name: str) -> Iterator[Looker]:
        """Somebody signs in, and goes; nothing may have been complained about."""
        with Looker(browser, self.address) as look:
            look.page.goto(f"{self.address}/login")
            look.page.get_by_label("Name").fill(name)
            look.page.get_by_label("Password").fill(PASSWORD)
            look.page.keyboard.press("Enter")
            look.page.wait_for_selector(".rail")
            yield look
            assert look.complaints == []

    @contextmanager
    def as_program(self, look: Looker) -> Iterator[httpx.Client]:
        """The interface, by the session of a browser."""
        cookies = {one["name"]: one["value"] for one in look.page.context.cookies()}
        with httpx.Client(base_url=f"{self.address}/api/v1", cookies=cookies, timeout=30) as client:
            client.headers["X-CSRF-Token"] = client.get("/session").json()["csrf"]
            yield client


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    settings = {
        "models": {"detector": "passerby-sim-detector", "reid": "passerby-sim-reid"},
        "defaults": {"fps": 4, "min_person_height": 40},
        "edge": {"threads": 1},
        "cameras": {},
    }
    with (
        RtspServer({"film": busy_loop("02-cafe", begin_s=66)}) as server,
        LiveSite(tmp_path_factory.mktemp("flow"), TREE / "configs" / "embedded", settings) as site,
    ):
        with AccessStore(site.data) as access:
            for name, role in (("ada", Role.ADMIN), ("otto", Role.OPERATOR), ("vera", Role.VIEWER)):
                access.add_user(name, PASSWORD, role=role)
        site.start("hub")
        site.start("edge")
        web = site.start("web", "--listen", "127.0.0.1:0")
        expect.set_options(timeout=1000 * PATIENCE_S)
        yield Desk(address_of(web), f"rtsp://127.0.0.1:{server.port}/film", site.data)
        expect.set_options(timeout=None)


def attach(desk: Desk, look: Looker, name: str) -> None:
    """By the page, where it is looked at first."""
    page = look.at("/cameras/attach")
    page.get_by_label("URL or host").fill(desk.url)
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("#answer")).to_contain_text("640 x 360")
    assert look.barriers() == []
    page.locator("input[name=name]").fill(name)
    page.get_by_role("button", name="Attach", exact=True).click()
    page.wait_for_url("**/cameras")
    expect(page.locator(".toast")).to_contain_text(f"{name}: saved")


def test_a_day_at_the_desk(browser: Browser, desk: Desk, tmp_path: Path) -> None:
    with desk.sits(browser, "ada") as ada:
        attach(desk, ada, "door")
        _see_it(ada.at("/"), "door")
        assert ada.barriers() == []
        known = ada.page.locator("#feed > *")
        expect(known.first).to_be_visible()
        page = ada.at("/cameras")
        page.get_by_role("button", name="Remove…").click()
        page.get_by_role("button", name="Remove", exact=True).click()
        expect(page.locator(".camera-row")).to_have_count(0)
        attach(desk, ada, "yard")
        _see_it(ada.at("/"), "yard")
        expect(ada.page.locator("#feed .link", has_text="yard").first).to_be_visible()
        with desk.as_program(ada) as program:
            _seen_by_both(ada, program)
            _stop_watching(ada, program)
    with desk.sits(browser, "otto") as otto:
        with desk.as_program(otto) as program:
            person = _seen_by_both(otto, program)
            _correct(otto, person)
            pictures = _pictures_of(person, program, folder=tmp_path)
        _search(otto, pictures[0], person)
        _enroll(otto, pictures)
        _adapt(otto, desk.data)
    with desk.sits(browser, "vera") as vera:
        _refused(desk, vera, pictures[0], person)


def _see_it(page: Page, camera: str) -> None:
    live = page.get_by_alt_text(f"Live picture of {camera}")
    expect(live).to_be_visible()
    size = live.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert size == [640, 360]


def _seen_by_both(look: Looker, program: httpx.Client) -> int:
    """The number of whoever was seen most of those whom both cameras have seen, once there is one."""

    def found() -> int:
        people = program.get("/identities", params={"camera": "yard"}).json()["items"]
        both = [person for person in people if {"door", "yard"} <= set(person["cameras"])]
        return max(both, key=lambda person: (person["tracklets"], person["id"]), default={"id": 0})["id"]

    return _once(look, found)


def _stop_watching(look: Looker, program: httpx.Client) -> None:
    """The camera is paused: once every sighting has ended nothing moves any more but by an operator's hand."""
    page = look.at("/cameras")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".camera-row")).to_contain_text("paused")
    _once(look, lambda: not any(one["open"] for one in program.get("/tracklets").json()["items"]))


def _once(look: Looker, found: Callable[[], T]) -> T:
    """What is found, once it is something."""
    deadline = time.monotonic() + PATIENCE_S
    while not (one := found()):
        assert time.monotonic() < deadline
        look.page.wait_for_timeout(250)
    return one


def _pictures_of(person: int, program: httpx.Client, *, folder: Path) -> list[Path]:
    """The best crops of a person, as files, the best one first. One picture alone tells a young site too little."""
    sightings = program.get("/tracklets", params={"identity": person}).json()["items"]
    crops = [
        (crop["quality"], f"/tracklets/{one['id']}/crops/{crop['id']}")
        for one in sightings
        for crop in program.get(f"/tracklets/{one['id']}/crops").json()
    ]
    files = []
    for number, (_, address) in enumerate(sorted(crops, reverse=True)[:MOST_PICTURES]):
        files.append(folder / f"who-{number}.jpg")
        files[-1].write_bytes(program.get(address).raise_for_status().content)
    return files


def _correct(look: Looker, person: int) -> None:
    """Somebody is taken apart and put together again."""
    page = look.at("/identities")
    page.get_by_label("Camera").select_option("yard")
    page.locator(f'.person[href="/person/{person}"]').click()
    page.wait_for_url(re.compile(r"/person/\d+"))
    sighting = page.locator(".shots input").first
    number = sighting.input_value()
    sighting.check()
    page.get_by_role("button", name="Together somebody else").click()
    expect(page.locator(f'.shots input[value="{number}"]')).to_have_count(0)
    look.undo()
    expect(page.locator(f'.shots input[value="{number}"]')).to_have_count(1)


def _search(look: Looker, picture: Path, person: int) -> None:
    page = look.at("/search")
    page.get_by_label("It is cut out").check()
    page.get_by_label("A picture").set_input_files(picture)
    # Not always first: a fragment of the same person may look more like it.
    expect(page.locator("#answer .rank", has_text=f"Person {person}").first).to_be_visible()
    assert look.barriers() == []


def _enroll(look: Looker, pictures: Sequence[Path]) -> None:
    """By several pictures, by which they are compared too; each of two pictures is said to show whoever it is."""
    for tab, button, brought in (
        ("enroll", "Enroll", pictures),
        ("verify", "Compare", pictures),
        ("identify", "Identify", pictures[:2]),
    ):
        page = look.at(f"/enrolment?tab={tab}")
        if tab == "enroll":
            page.get_by_label("Name").fill("Grace")
        page.get_by_label("It is cut out").check()
        page.get_by_label("Pictures").set_input_files(brought)
        page.get_by_role("button", name=button, exact=True).click()
        heading = page.locator("#answer h2")
        if tab == "identify":
            expect(page.locator("#answer section")).to_have_count(2)
            for one in page.locator("#answer section").all():
                expect(one.locator(".rank").first).to_contain_text("Grace")
        else:
            expect(heading).to_have_text("Grace is enrolled" if tab == "enroll" else "This is Grace")
        assert look.barriers() == [], tab


def _adapt(look: Looker, data: Path) -> None:
    """Asked for and cancelled. Another one is being done: who is this quick is not overtaken by too little data."""
    page = look.at("/adaptation")
    with JobBook(data).doing():
        page.get_by_role("button", name="Start…").click()
        page.get_by_label("Minutes of learning").fill("5")
        assert look.barriers() == []
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.locator("#job-now")).to_be_visible()
        page.get_by_role("button", name="Cancel…").click()
        page.evaluate("passerby.put('job-now', 'how far it is meanwhile')")
        page.get_by_role("button", name="Cancel it").click()
        expect(page.locator(".toast").last).to_contain_text("being cancelled")
        expect(page.locator("#job-now")).to_contain_text("Cancelling")
    expect(page.locator("#page table")).to_contain_text("cancelled")
    expect(page.get_by_role("button", name="Start…")).to_be_visible()


def _refused(desk: Desk, look: Looker, picture: Path, person: int) -> None:
    """What an operator may do is not offered to a viewer, and refused where they ask for it all the same."""
    for path in ("/search", "/enrolment"):
        expect(look.at(path).locator("#page")).to_contain_text("Not for your role")
    expect(look.at("/adaptation").get_by_role("button", name="Start…")).to_have_count(0)
    expect(look.at(f"/person/{person}").locator(".shots input")).to_have_count(0)
    sent = picture.read_bytes()
    with desk.as_program(look) as vera:
        refused = [
            vera.post("/search", files={"picture": sent}),
            vera.post("/enrolments", files={"pictures": sent}, data={"name": "Vera"}),
            vera.post("/adaptations", json={}),
            vera.put(f"/identities/{person}/name", json={"name": "Vera"}),
            vera.post("/cameras", json={"id": "mine", "settings": {"url": desk.url}}),
            vera.post(f"{desk.address}/looking/search", files={"file": sent}),
        ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
