"""A camera is attached, changed and removed in the browser, and regions are drawn over its picture."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from passerby.config import CameraSettings, load_site
from passerby.config.attached import site_cameras
from passerby.config.attaching import attach, edit, remove
from passerby.ids import CameraId
from tests.dashboard.looking import Looker
from tests.edge.test_live import MjpegServer

DOOR, HALL = CameraId("door"), CameraId("hall")


@pytest.fixture
def mjpeg() -> Iterator[MjpegServer]:
    grey = cv2.imencode(".jpg", np.full((240, 320, 3), 90, np.uint8))[1].tobytes()
    server = MjpegServer([grey])
    yield server
    server.close()


def when(page: Page, folder: Path, happened: Callable[[CameraSettings], bool]) -> CameraSettings:
    """The hall's settings once that is so."""
    deadline = time.monotonic() + 15
    while not happened(hall := site_cameras(load_site(folder / "site.yaml"))[HALL]):
        assert time.monotonic() < deadline, hall
        page.wait_for_timeout(50)
    return hall


def test_a_camera_is_looked_at_attached_paused_and_removed(look: Looker, folder: Path, mjpeg: MjpegServer) -> None:
    page = look.at("/")
    page.get_by_role("link", name="Attach a camera").click()
    page.get_by_label("URL or host").fill("/etc/passwd")
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("#answer")).to_contain_text("no camera's URL")
    page.get_by_label("URL or host").fill(f"http://127.0.0.1:{mjpeg.port}/video")
    page.get_by_label("User").fill("ann")
    page.get_by_label("Password").fill("a word")
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("#answer")).to_contain_text("320 x 240", timeout=30_000)
    expect(page.locator("#answer")).to_contain_text("nobody was in the picture")
    assert look.barriers() == []
    page.locator("input[name=name]").fill("door")
    page.get_by_role("button", name="Attach", exact=True).click()
    page.wait_for_url("**/cameras")
    expect(page.locator(".toast")).to_contain_text("door: saved")
    assert "a word" not in page.content()
    door = page.locator(".camera-row", has_text="door")
    door.get_by_role("button", name="Pause").click()
    expect(door).to_contain_text("paused")
    assert not site_cameras(load_site(folder / "site.yaml"))[DOOR].enabled
    door.get_by_role("button", name="Remove…").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator(".camera-row")).to_have_count(3)


def test_open_pages_follow_what_is_attached_paused_and_removed_elsewhere(look: Looker, folder: Path) -> None:
    site = load_site(folder / "site.yaml")
    for path, row, shown in (("/", ".camera", "never reported"), ("/cameras", ".camera-row", "unknown")):
        page = look.at(path)
        expect(page.locator(row)).to_have_count(3)
        page.locator(row, has_text="hall").evaluate("it => { it.mine = 'as it was'; }")
        attach(site, DOOR, {"url": "rtsp://127.0.0.1:1/door"})
        expect(page.locator(row, has_text="door")).to_contain_text(shown)
        expect(page.locator(".head")).to_contain_text("4")
        assert look.barriers() == []
        if path == "/cameras":
            edit(site, DOOR, {"enabled": False}, login=None)
            expect(page.locator(row, has_text="door").get_by_role("button", name="Resume")).to_be_visible()
        remove(site, DOOR)
        expect(page.locator(row)).to_have_count(3)
        assert page.locator(row, has_text="hall").evaluate("it => it.mine") == "as it was"


def test_regions_are_drawn_dragged_and_saved(look: Looker, folder: Path) -> None:
    page = look.at("/camera/hall")
    frame = page.locator("region-view svg").bounding_box()
    assert frame is not None

    def at(x: float, y: float) -> tuple[float, float]:
        return frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]

    page.get_by_role("button", name="Ignore a region").click()
    for corner in ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.25)):
        page.mouse.click(*at(*corner))
    expect(page.locator("[data-list] li")).to_have_count(1)
    page.mouse.move(*at(0.75, 0.75))
    page.mouse.down()
    page.mouse.move(*at(0.5, 0.9))
    page.mouse.up()
    page.get_by_role("button", name="Save regions").click()
    (mask,) = when(page, folder, lambda hall: bool(hall.masks)).masks
    assert np.allclose(mask, [(0.25, 0.25), (0.75, 0.25), (0.5, 0.9)], atol=0.01)
    expect(page.locator("[data-hint]")).to_contain_text("Choose a kind of region")  # the page is there anew
    page.get_by_label("Frames a second").fill("2")
    page.get_by_role("button", name="Save", exact=True).click()
    saved = when(page, folder, lambda hall: hall.fps == 2.0)
    assert (len(saved.masks), saved.url) == (1, str(folder / "hall.mp4"))
    expect(page.locator("[data-hint]")).to_contain_text("Choose a kind of region")
    page.get_by_role("button", name="Remove region 1").click()
    page.get_by_role("button", name="Save regions").click()
    when(page, folder, lambda hall: not hall.masks)
