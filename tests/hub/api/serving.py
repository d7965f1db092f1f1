"""A site to be served: made-up people in a real data folder, and the application on a real socket."""

import contextlib
import socket
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import uvicorn
import yaml
from fastapi import FastAPI

from hub.access.records import Role
from hub.access.store import AccessStore
from hub.services import Eyes, Services, SiteFacts
from hub.site_hub import Hub
from passerby.cli.looking.options import Place
from passerby.cli.serving.adaptations import SiteAdaptations
from passerby.cli.serving.cameras import SiteCameras
from passerby.cli.serving.eyes import LazyEyes
from passerby.cli.serving.films import SiteFilms
from passerby.cli.serving.live import SiteLivePictures
from passerby.config import load_site
from passerby.errors import EngineError
from passerby.ids import CameraId
from tests.hub.people import Sender, at, look, seen

PASSWORD = "quite a long word"  # noqa: S105 - of users who live for one test
HALL, LOBBY = CameraId("hall"), CameraId("lobby")
KNOWN = {
    "number": 1,
    "crop": 1,
    "camera": "hall",
    "before": "hall",
    "after": "lobby",
    "name": "ada",
    "person": 1,
    "film_id": 16 * "0",
}
"""What there is of each kind that paths name: numbers and names of nobody alone would find nothing."""


def crop(shade: int) -> bytes:
    """A small JPEG."""
    return cv2.imencode(".jpg", np.full((32, 16, 3), shade, np.uint8))[1].tobytes()


def fill(data: Path) -> None:
    """Person 1 in hall and lobby, person 2, who may be the same, in the lobby alone, each with crops."""
    sender = Sender()
    alike = look(2, noise=0.2, seed=2) + 0.15 * look(1)
    with Hub.open(data) as hub:
        told = [
            seen(1, "hall", tracklet=1, end_s=2, final=True, crops={1: crop(10), 2: crop(20)}),
            seen(2, "lobby", tracklet=2, begin_s=4, end_s=6, final=True, crops={1: crop(30)}, embedding=alike),
            seen(1, "lobby", tracklet=3, begin_s=30, end_s=33, final=True, crops={1: crop(40)}),
        ]
        for number, update in enumerate(told):
            hub.ingest(sender.send(update), now_ns=at(40 + number))
            hub.tick(now_ns=at(40.5 + number))


def blind() -> Eyes:
    """No networks here."""
    raise EngineError("no networks in this test")


USERS: dict[str, tuple[Role, list[CameraId] | None]] = {
    "vera": (Role.VIEWER, None),
    "otto": (Role.OPERATOR, None),
    "ada": (Role.ADMIN, None),
    "lena": (Role.OPERATOR, [LOBBY]),
}


def services_of(data: Path, *, users: Collection[str] = USERS, **more: object) -> Services:
    """What serves a folder, with the users `vera`, `otto` and `ada` by role, and `lena`, who sees the lobby alone."""
    access = AccessStore(data)
    for name in users:
        role, cameras = USERS[name]
        access.add_user(name, PASSWORD, role=role, cameras=cameras)
    return Services(data_dir=data, facts=blank_facts(), access=access, **{"eyes": blind, **more})  # type: ignore[arg-type]


def whole_services_of(folder: Path, *, users: Collection[str] = USERS) -> Services:
    """The same with all that `passerby web` has of a site file in `folder`, whose data are in `folder`/data."""
    document = {
        "site": "test",
        "data": "data",
        "models": {"detector": "passerby-sim-detector", "reid": "passerby-sim-reid"},
        "cameras": {str(name): {"url": f"{name}.mp4"} for name in (HALL, LOBBY)},
    }
    config = folder / "site.yaml"
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    site = load_site(config)
    networks = Place(data=site.data, models=site.models, engine="onnxruntime", threads=1, association=site.association)
    services = services_of(
        site.data,
        users=users,
        eyes=LazyEyes(networks),
        adaptations=SiteAdaptations(site),
        cameras=SiteCameras(site),
        live=SiteLivePictures(site.data),
    )
    services.films = SiteFilms(networks, services.access)
    return services


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The application on a port of this machine, as its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=3))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            deadline = time.monotonic() + 20
            while not server.started:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            app.state.feed.is_over = True
            server.should_exit = True
            thread.join(20)


def token_of(services: Services, name: str) -> dict[str, str]:
    """A user's token, as a header."""
    user = services.access.user(name)
    assert user is not None
    for known in services.access.tokens(name):
        services.access.remove_token(known.token_id)
    _, word = services.access.add_token(name, "test", role=user.role, days=1)
    return {"Authorization": f"Bearer {word}"}


@contextlib.contextmanager
def log_in(address: str, name: str, *, password: str = PASSWORD) -> Iterator[httpx.Client]:
    """A client with a session, which sends the word along that changes need."""
    with httpx.Client(base_url=f"{address}/api/v1", timeout=30) as client:
        answer = client.post("/session", json={"name": name, "password": password})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        yield client


def blank_facts() -> SiteFacts:
    """Of a site with two cameras."""
    return SiteFacts(
        site="test",
        cameras=(HALL, LOBBY),
        detector="a-detector",
        reid="a-network",
        engine="auto",
        false_link_rate=0.01,
        association={},
    )
