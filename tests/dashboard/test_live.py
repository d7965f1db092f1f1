"""What live views show: pictures, and in each everybody where that very picture has them, in a colour of their own."""

import json
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from hub.live_pictures import LivePictures
from passerby.ids import CameraId, TrackletId
from passerby.messages import Marked, Preview
from passerby.transport import ConnectedEdge
from tests.dashboard.looking import Looker
from tests.hub.people import BOOT

HALL = CameraId("hall")
GREY = cv2.imencode(".jpg", np.full((360, 640, 3), 90, np.uint8))[1].tobytes()


class NoEdges:
    """Nobody to be asked for pictures: the test is who sends them."""

    def edges(self) -> list[ConnectedEdge]:
        return []

    def send(self, *_: object) -> bool:
        return False


@pytest.fixture
def pictures(folder: Path) -> Iterator[None]:
    """The hall shows persons 1 and 2, and somebody of whom the hub has not heard, as long as somebody watches."""
    people = [
        Marked(tracklet_id=TrackletId(number), box_xyxy=(left, 40.0, left + 80.0, 320.0))
        for number, left in ((2, 50.0), (3, 250.0), (99, 450.0))
    ]
    over = threading.Event()
    with LivePictures(folder / "data", NoEdges()) as kept:

        def go_on() -> None:
            number = 0
            while not over.wait(0.1):
                number += 1
                kept.take(Preview(camera_id=HALL, captured_at_ns=number, jpeg=GREY, people=people), BOOT)

        thread = threading.Thread(target=go_on)
        thread.start()
        yield
        over.set()
        thread.join()


def told(address: str) -> dict[str, object]:
    """What is told of the first picture that comes."""
    with httpx.stream("GET", f"{address}/live-pictures", params={"camera": HALL}, timeout=20) as stream:
        held = b""
        for data in stream.iter_raw():
            held += data
            while len(held) >= 4 and len(held) >= 4 + (length := struct.unpack(">I", held[:4])[0]):
                head = json.loads(held[4 : 4 + length])
                if head["bytes"]:
                    return dict(head)
                held = held[4 + length :]
    raise AssertionError("no picture came")


@pytest.mark.usefixtures("pictures")
def test_a_picture_comes_with_who_is_in_it(address: str) -> None:
    head = told(address)
    assert head["camera"] == "hall"
    assert head["boxes"] == [
        {"box": [50.0, 40.0, 130.0, 320.0], "identity": 1, "name": "Person 1"},
        {"box": [250.0, 40.0, 330.0, 320.0], "identity": 2, "name": "Person 2"},
        {"box": [450.0, 40.0, 530.0, 320.0], "identity": 0, "name": "not decided yet"},
    ]


@pytest.mark.usefixtures("pictures")
def test_the_page_draws_them_in_the_colours_of_who_they_are(look: Looker) -> None:
    page = look.at("/")
    expect(page.get_by_alt_text("Live picture of hall")).to_be_visible()
    seen, meant = page.evaluate(
        """() => {
            const shown = document.querySelector('[data-key="hall"] canvas'), scale = shown.width / 640;
            const copy = (width, height) =>
                new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
            const pen = copy(shown.width, shown.height), ink = copy(3, 1);
            pen.drawImage(shown, 0, 0);
            const at = (x, y) => [...pen.getImageData(Math.round(x * scale), Math.round(y * scale), 1, 1).data];
            [1, 2].forEach((identity, x) => {
                ink.fillStyle = `oklch(75% 0.16 ${passerby.hue(identity)})`;
                ink.fillRect(x, 0, 1, 1);
            });
            const colour = (x) => [...ink.getImageData(x, 0, 1, 1).data];
            return [[at(50, 200), at(250, 200), at(90, 200)], [colour(0), colour(1), colour(2)]];
        }"""
    )
    assert np.abs(np.array(seen)[:, :3] - np.array(meant)[:, :3]).max() <= 4
    assert [pixel[3] > 100 for pixel in seen] == [True, True, False]


@pytest.mark.usefixtures("pictures")
def test_a_box_over_a_picture_that_is_held_is_searched(look: Looker, folder: Path) -> None:
    page = look.at("/")
    page.get_by_role("link", name="Search somebody in the picture of hall").click()
    view = page.locator("frame-box")
    expect(view.locator("img")).to_be_visible()
    assert (folder / "data" / "live" / "hall.full").exists()
    assert look.barriers() == []
    frame = view.bounding_box()
    assert frame is not None
    page.evaluate(
        """() => {
            const send = passerby.send;
            window.cuts = [];
            passerby.send = (zone, files) => {
                const whole = zone.closest("form").elements.whole.value;
                createImageBitmap(files[0]).then((one) => cuts.push([one.width, one.height, whole]));
                return send(zone, files);
            };
        }"""
    )
    page.mouse.move(frame["x"] + 0.25 * frame["width"], frame["y"] + 0.25 * frame["height"])
    page.mouse.down()
    page.mouse.move(frame["x"] + 0.5 * frame["width"], frame["y"] + 0.75 * frame["height"])
    page.mouse.up()
    expect(page.locator("#answer")).to_contain_text("That does not work", timeout=60_000)  # grey is nobody
    page.wait_for_function("cuts.length === 1")
    width, height, whole = page.evaluate("cuts[0]")
    assert abs(width - 160) <= 4
    assert abs(height - 180) <= 4
    assert whole == "true"
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Search everybody in it").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    page.wait_for_function("cuts.length === 2")
    assert page.evaluate("cuts[1]") == [640, 360, ""]
