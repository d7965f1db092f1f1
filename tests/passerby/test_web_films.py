"""Films, over the web, with the embedded networks: brought, looked at by a process of its own, and gone again."""

import contextlib
import http.client
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import httpx
import numpy as np
import pytest

from hub.api import make_api
from passerby.cli.looking.options import place
from passerby.cli.serving import film_shelf
from passerby.cli.serving.eyes import LazyEyes
from passerby.cli.serving.film_shelf import FOLDER, MOST_FILMS, Shelf
from passerby.cli.serving.films import SiteFilms
from passerby.errors import DataError
from simulation.crops import CropView, figure, render_crop
from simulation.responses import CameraResponse
from simulation.streams import stream
from simulation.wardrobe import random_people
from tests.hub.api.serving import served, services_of, token_of

ANN, BEN, EVE = (figure(person) for person in random_people(7, 3))
FRAMES, WIDTH, HEIGHT = 24, 480, 270


def shade(number: int) -> int:
    """Of the upper edge of a frame, from 1, which tells its number."""
    return 40 + 8 * ((number - 1) % FRAMES)


def film(*bodies: Any, frames: int = FRAMES, kind: str = "mp4") -> bytes:
    """People who walk to the right, each in a lane of their own, and after 120 frames again from where they began."""
    background = stream(2).integers(90, 120, (50, 70, 3), dtype=np.uint8)
    written = io.BytesIO()
    with av.open(written, "w", format={"mkv": "matroska"}.get(kind, kind)) as container:
        codec, options = ("mpeg4", {"qscale": "3", "g": "8"}) if kind == "avi" else ("libx264", {"crf": "18", "g": "8"})
        out: Any = container.add_stream(codec, rate=5, options=options)
        out.width, out.height, out.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(frames):
            picture = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
            for row, body in enumerate(bodies):
                view = CropView(yaw_rad=0.3, pitch_rad=0.2, height_px=200)
                crop = render_crop(body, view, response=CameraResponse(), background=background)
                high, wide = crop.shape[:2]
                left = 30 + 180 * row + 3 * (number % 120)
                picture[40 : 40 + high, left : left + wide] = crop
            picture[:16, :] = shade(number + 1)
            for packet in out.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")):
                container.mux(packet)
        for packet in out.encode():
            container.mux(packet)
    return written.getvalue()


@dataclass(frozen=True, slots=True)
class Web:
    """The web of a site: `data`, and what an operator and another one can ask of it."""

    data: Path
    otto: httpx.Client
    ada: httpx.Client

    def brought(self, content: bytes, name: str = "hall.mp4") -> dict[str, Any]:
        answer = self.otto.post("/films", params={"name": name}, content=content)
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def answered(self, film: dict[str, Any], what: str, **asked: Any) -> dict[str, Any]:
        asks = self.otto.post(f"/films/{film['id']}/{what}", json=asked)
        assert asks.status_code == 202, asks.text
        deadline = time.monotonic() + 90
        while (now := self.otto.get(asks.headers["Location"].removeprefix("/api/v1")).json())["state"] in (
            "queued",
            "running",
        ):
            assert time.monotonic() < deadline, now
            time.sleep(0.1)
        told: dict[str, Any] = now
        return told


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    data = tmp_path_factory.mktemp("site")
    site = place(None, data)
    with contextlib.ExitStack() as opened:
        eyes = opened.enter_context(contextlib.closing(LazyEyes(site)))
        services = services_of(data, users=["otto", "ada", "lena", "vera"], eyes=eyes)
        opened.callback(services.close)
        services.films = opened.enter_context(contextlib.closing(SiteFilms(site, services.access, nice=0)))
        address = opened.enter_context(served(make_api(services)))
        clients = [
            opened.enter_context(
                httpx.Client(base_url=f"{address}/api/v1", headers=token_of(services, name), timeout=60)
            )
            for name in ("otto", "ada", "lena", "vera")
        ]
        for refused in clients[2:]:
            assert refused.post("/films", content=b"x").status_code == 403
        yield Web(data, clients[0], clients[1])
    assert not (data / FOLDER).exists()


def test_a_film_is_brought_looked_at_and_goes(web: Web) -> None:
    brought = web.brought(film(ANN))
    assert (brought["frames"], brought["width"], brought["height"], brought["fps"]) == (FRAMES, WIDTH, HEIGHT, 5.0)
    assert [one["id"] for one in web.otto.get("/films").json()] == [brought["id"]]
    assert web.ada.get("/films").json() == []
    assert web.ada.get(f"/films/{brought['id']}").status_code == 404
    for number in (1, 2, 9, FRAMES):
        shown = web.otto.get(f"/films/{brought['id']}/frames/{number}", params={"width": WIDTH})
        picture = cv2.imdecode(np.frombuffer(shown.content, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert abs(float(picture[4:12].mean()) - shade(number)) < 4
    assert web.otto.get(f"/films/{brought['id']}/frames/{FRAMES + 1}").status_code == 404
    assert web.otto.delete(f"/films/{brought['id']}").status_code == 204
    assert web.otto.get(f"/films/{brought['id']}").status_code == 404
    (folder,) = (web.data / FOLDER).iterdir()
    assert [file.name for file in folder.iterdir()] == ["lock"]


def test_somebody_is_enrolled_verified_and_identified_by_films(web: Web) -> None:
    one = web.brought(film(ANN))
    nobody = web.answered(one, "identify")
    assert nobody["state"] == "failed"
    assert "nobody is enrolled in the site's data" in nobody["reason"]
    enrolled = web.answered(one, "enroll", name="Ann", reason="left her bag")
    assert enrolled["state"] == "done", enrolled
    assert (enrolled["answer"]["kind"], enrolled["answer"]["name"]) == ("enrolled", "Ann")
    crop = web.otto.get(f"/viewings/{enrolled['number']}/people/1/crops/1")
    assert crop.headers["content-type"] == "image/jpeg"
    assert web.otto.get(f"/viewings/{enrolled['number']}/people/1/crops/99").status_code == 404
    assert web.ada.get(f"/viewings/{enrolled['number']}").status_code == 404
    assert [(e["id"], e["reason"]) for e in web.otto.get("/enrolments").json()] == [
        (enrolled["answer"]["enrolment"], "left her bag")
    ]
    same, other = (
        web.answered(web.brought(film(body)), "verify", name="Ann", largest=True)["answer"] for body in (ANN, EVE)
    )
    assert same["probability"] > max(0.5, other["probability"])
    two = web.brought(film(ANN, EVE), "two.mp4")
    several = web.answered(two, "enroll", name="Eve")
    assert several["answer"]["kind"] == "several"
    seen = several["answer"]["people"]
    right = 1 + max(range(len(seen)), key=lambda row: seen[row]["box_xyxy"][0])
    assert web.answered(two, "enroll", name="Eve", person=right)["answer"]["kind"] == "enrolled"
    people = web.answered(two, "identify")["answer"]["people"]
    by_place = [who["ranking"][0]["name"] for who in sorted(people, key=lambda who: who["box_xyxy"][0])]
    assert (by_place[0], by_place[-1]) == ("Ann", "Eve")
    assert all(0.0 <= who["nobody_known"] <= 1.0 for who in people)
    for name in ("Ann", "Eve"):
        assert web.otto.delete(f"/enrolments/{name}").status_code == 200
    actions = [entry["action"] for entry in web.ada.get("/audit").json()["items"]]
    assert {"films.enroll", "films.verify", "films.identify", "enrolments.add"} <= set(actions)
    for brought in web.otto.get("/films").json():
        web.otto.delete(f"/films/{brought['id']}")


def test_what_is_asked_can_be_cancelled_and_waits_its_turn(web: Web) -> None:
    brought = web.brought(film(ANN, frames=600))
    first, second = (web.otto.post(f"/films/{brought['id']}/identify", json={}).json()["number"] for _ in range(2))
    assert web.otto.get(f"/viewings/{second}").json()["state"] == "queued"
    assert web.otto.delete(f"/films/{brought['id']}").status_code == 409
    for number in (second, first):
        assert web.otto.post(f"/viewings/{number}/cancel").json()["state"] == "cancelled"
        assert web.otto.post(f"/viewings/{number}/cancel").status_code == 409
    with web.otto.stream("GET", f"/viewings/{first}/stream") as told:
        assert '"state": "cancelled"' in told.read().decode()
    assert web.otto.delete(f"/films/{brought['id']}").status_code == 204


def test_frames_that_there_are_not_and_names_that_nobody_has_are_mistakes(web: Web) -> None:
    brought = web.brought(film(ANN))
    for wrong in ({"from_frame": FRAMES + 1}, {"to_frame": FRAMES + 1}, {"from_frame": 9, "to_frame": 8}):
        refused = web.otto.post(f"/films/{brought['id']}/identify", json=wrong)
        assert (refused.status_code, "expected some of 1 to 24" in refused.text) == (422, True)
    assert web.otto.post(f"/films/{brought['id']}/enroll", json={"name": " "}).status_code == 422
    assert "nobody is enrolled" in web.answered(brought, "verify", name="Zoe")["reason"]
    web.otto.delete(f"/films/{brought['id']}")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is no film"),
        (b"\x00\x00\x00\x20ftypisom" + bytes(4000), "is no film"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n", "is no film"),
        (b"ffconcat version 1.0\nfile '/etc/hostname'\n", "is no film"),
        (b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n", "is no film"),
        (film(ANN, frames=2)[:900], "is no film"),
    ],
)
def test_what_is_no_film_is_refused_and_nothing_of_it_stays(web: Web, content: bytes, says: str) -> None:
    refused = web.otto.post("/films", content=content)
    assert refused.status_code == 422, refused.text
    assert says in refused.json()["detail"]
    assert "/" not in refused.json()["detail"].replace("MP4, WebM", "")
    assert [file.name for folder in (web.data / FOLDER).iterdir() for file in folder.iterdir()] == ["lock"]


def test_a_film_that_is_too_large_or_too_long_is_refused(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    asks = http.client.HTTPConnection(web.otto.base_url.host, web.otto.base_url.port or 80)
    with contextlib.closing(asks):
        headers = {"Authorization": web.otto.headers["Authorization"], "Content-Length": str(600 << 20)}
        asks.request("POST", "/api/v1/films", headers=headers)
        assert asks.getresponse().status == 413
    content = film(ANN)
    monkeypatch.setattr("passerby.cli.serving.footage.LONGEST_S", 2.0)
    assert "is longer than" in web.otto.post("/films", content=content).json()["detail"]
    monkeypatch.setattr("passerby.cli.serving.footage.MOST_PIXELS", 100)
    assert "x 270 pixels" in web.otto.post("/films", content=content).json()["detail"]
    monkeypatch.setattr(film_shelf, "LONGEST_FILM", 1000)
    assert "MiB; cut out" in web.otto.post("/films", content=content).json()["detail"]


@pytest.mark.parametrize("kind", ["mkv", "avi", "mpegts"])
def test_other_containers_are_numbered_alike(tmp_path: Path, kind: str) -> None:
    with contextlib.closing(Shelf(tmp_path)) as shelf:
        incoming = shelf.begin(f"C:\\films\\a.{kind}", actor="otto")
        incoming.write(film(ANN, kind=kind))
        brought = incoming.finish()
        assert (brought.name, brought.frames) == (f"a.{kind}", FRAMES)
        for number in (2, 12, FRAMES):
            jpeg = shelf.frame(brought.film_id, number, actor="otto", width=WIDTH)
            picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            assert abs(float(picture[4:12].mean()) - shade(number)) < 4, number


def test_the_shelf_has_so_many_places_and_each_is_free_again(tmp_path: Path) -> None:
    with contextlib.closing(Shelf(tmp_path)) as shelf:
        coming = [shelf.begin("a", actor="otto") for _ in range(MOST_FILMS)]
        with pytest.raises(DataError, match="8 films are here already"):
            shelf.begin("a", actor="otto")
        for one in coming:
            one.close()
        shelf.begin("a", actor="otto").close()


def test_what_a_killed_process_has_left_goes_at_the_next_start(tmp_path: Path) -> None:
    left = tmp_path / FOLDER / "0123456789abcdef"
    left.mkdir(parents=True)
    (left / "film").write_bytes(b"x")
    with contextlib.closing(Shelf(tmp_path)) as mine:
        assert not left.exists()
        mine.begin("a", actor="otto").close()
        with contextlib.closing(Shelf(tmp_path)):
            assert len(list((tmp_path / FOLDER).iterdir())) == 1  # that of a process that lives


def test_a_film_that_nobody_uses_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.closing(Shelf(tmp_path)) as shelf:
        incoming = shelf.begin("a.mp4", actor="otto")
        incoming.write(film(ANN, frames=3))
        brought = incoming.finish()
        monkeypatch.setattr(film_shelf, "KEPT_S", 0.0)
        shelf.sweep(in_use=[brought.film_id])
        assert shelf.films(actor="otto") == [brought]
        shelf.sweep()
        assert shelf.films(actor="otto") == []
