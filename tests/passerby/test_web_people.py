"""People by picture, over the web, with the embedded networks: enrolled, verified, identified, searched."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from hub.api import make_api
from hub.site_hub import Hub
from passerby.arrays import Image
from passerby.cli.looking.options import place
from passerby.cli.serving.eyes import LazyEyes
from simulation.crops import CropView, figure, render_crop
from simulation.responses import CameraResponse
from simulation.streams import stream
from simulation.wardrobe import random_people
from tests.hub.api.serving import served, services_of, token_of
from tests.hub.people import Sender, at, seen

ANN, BEN, EVE = (figure(person) for person in random_people(7, 3))


def rendered(body: object, *, yaw: float = 0.3) -> Image:
    background = stream(2).integers(90, 120, (50, 70, 3), dtype=np.uint8)
    view = CropView(yaw_rad=yaw, pitch_rad=0.2, height_px=220)
    return render_crop(body, view, response=CameraResponse(), background=background)  # type: ignore[arg-type]


def upload(picture: Image) -> tuple[str, bytes, str]:
    return "a.jpg", cv2.imencode(".jpg", picture)[1].tobytes(), "image/jpeg"


@pytest.fixture(scope="module")
def otto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """An operator at a site where Ann was seen in the hall, and Ben in the lobby."""
    data = tmp_path_factory.mktemp("site")
    with contextlib.closing(LazyEyes(place(None, data))) as eyes:
        looks = [eyes().people(rendered(body), name="a", whole=True)[0].look for body in (ANN, BEN)]
        with Hub.open(data) as hub:
            for number, (look, camera) in enumerate(zip(looks, ("hall", "lobby"), strict=True), 1):
                update = seen(
                    number,
                    camera,
                    tracklet=number,
                    begin_s=10 * number,
                    end_s=10 * number + 2,
                    final=True,
                    embedding=look.embedding,
                    model_id=eyes().model_id,
                    crops={1: look.pictures[0].jpeg},
                )
                hub.ingest(Sender(seq=number - 1).send(update), now_ns=at(60 + number))
                hub.tick(now_ns=at(60.5 + number))
        services = services_of(data, users=["otto"], eyes=eyes)
        with served(make_api(services)) as address:
            headers = token_of(services, "otto")
            with httpx.Client(base_url=f"{address}/api/v1", headers=headers, timeout=60) as client:
                yield client
        services.close()


def test_who_is_in_a_box_of_a_picture_is_searched_and_nobody_else(otto: httpx.Client) -> None:
    ann, ben = (cv2.resize(rendered(body, yaw=0.2), (100, 220)) for body in (ANN, BEN))
    both = {"picture": upload(np.hstack([ann, ben]))}
    (answer,) = otto.post("/search", files=both, data={"box": "100,0,9999,220"}).json()
    assert answer["box_xyxy"] == [100.0, 0.0, 200.0, 220.0]
    assert answer["found"][0]["identity"] == 2
    for box, said in (("200,0,300,220", "has nothing of the picture, which is 200 x 220"), ("1,2,3", "box")):
        refused = otto.post("/search", files=both, data={"box": box})
        assert refused.status_code == 422
        assert said in refused.text


def test_somebody_is_enrolled_verified_and_forgotten(otto: httpx.Client) -> None:
    pictures = [("pictures", upload(rendered(ANN, yaw=yaw))) for yaw in (0.0, 0.6)]
    added = otto.post("/enrolments", files=pictures, data={"name": "Ann", "reason": "left her bag", "whole": "true"})
    assert added.status_code == 201, added.text
    assert (added.json()["name"], added.json()["pictures"]) == ("Ann", 2)
    assert otto.get("/enrolments").json() == [added.json()]
    assert otto.get("/enrolments/Ann/picture").headers["content-type"] == "image/jpeg"
    said = {}
    for name, body in (("ann", ANN), ("eve", EVE)):
        files = [("pictures", upload(rendered(body, yaw=0.2)))]
        said[name] = otto.post("/enrolments/Ann/verify", files=files, data={"whole": "true"}).json()
    assert said["ann"]["probability"] > max(0.5, said["eve"]["probability"])
    answers = otto.post("/identify", files={"picture": upload(rendered(ANN, yaw=0.2))}, data={"whole": "true"}).json()
    assert answers[0]["ranking"][0]["name"] == "Ann"
    assert answers[0]["nobody_known"] + answers[0]["ranking"][0]["probability"] == pytest.approx(1.0)
    none = otto.post("/enrolments/Eve/verify", files=[("pictures", upload(rendered(EVE)))], data={"whole": "true"})
    assert none.status_code == 404
    assert otto.delete("/enrolments/Ann").json() == {"removed": 1}
    assert otto.delete("/enrolments/Ann").status_code == 404
    assert otto.post("/identify", files={"picture": upload(rendered(ANN))}).status_code == 409


def test_a_picture_finds_who_was_seen(otto: httpx.Client) -> None:
    asked = {"files": {"picture": upload(rendered(BEN, yaw=0.2))}, "data": {"whole": "true"}}
    (answer,) = otto.post("/search", **asked).json()
    assert answer["searched"] == 2
    assert answer["found"][0]["identity"] == 2
    assert answer["found"][0]["sightings"][0]["camera"] == "lobby"
    (there,) = otto.post("/search", params={"camera": "hall"}, **asked).json()
    assert [one["identity"] for one in there["found"]] == [1]
    assert otto.post("/search", params={"to": "2020-01-01T00:00:00Z"}, **asked).json()[0]["found"] == []


def test_a_picture_without_anybody_is_a_mistake_that_says_so(otto: httpx.Client, tmp_path: Path) -> None:
    empty = upload(np.full((120, 160, 3), 128, np.uint8))
    answer = otto.post("/search", files={"picture": empty})
    assert answer.status_code == 422
    assert "nobody is seen in the picture" in answer.json()["detail"]
    several = otto.post("/enrolments", files=[("pictures", empty)] * 21, data={"name": "x"})
    assert several.status_code == 422
