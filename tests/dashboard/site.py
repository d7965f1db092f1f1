"""A site to be looked at: made-up people with pictures in a real data folder, and `passerby web` over it."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import yaml

from hub.association import PlainAssociator
from hub.records import EventKind, Evidence, Terms, TrackletNumber
from hub.site_hub import Hub
from passerby.config import AssociationSettings
from passerby.ids import CameraId, IdentityId
from passerby.messages import CameraStatus, Status
from tests.hub.people import MODEL, Sender, at, seen
from tests.system.processes import Passerby

_START_TIMEOUT_S = 120.0


def picture(colour: tuple[int, int, int]) -> bytes:
    """Somebody dressed in a colour (BGR), as JPEG."""
    drawn = np.full((128, 64, 3), 90, np.uint8)
    cv2.rectangle(drawn, (18, 34), (46, 84), colour, -1)
    cv2.rectangle(drawn, (22, 84), (42, 124), (40, 40, 40), -1)
    cv2.circle(drawn, (32, 20), 12, (150, 170, 200), -1)
    return bytes(cv2.imencode(".jpg", drawn)[1].tobytes())


RED, BLUE = {1: picture((40, 40, 200)), 2: picture((40, 40, 160))}, {1: picture((200, 60, 40))}


@contextmanager
def hub_of(data: Path) -> Iterator[Hub]:
    """The hub of the folder, which compares by similarity alone."""
    with Hub.open(data, association=AssociationSettings(normalize="none"), associator=PlainAssociator()) as hub:
        yield hub


def fill(data: Path) -> Sender:
    """Person 1 is seen by lobby and hall (tracklets 1 and 2), person 2 by the hall (3), 3 and 4 by the yard (4 and 5).

    The hub asks whether person 3 is person 2. Gives the edge's voice, with which more can be told.
    """
    sender = Sender()
    with hub_of(data) as hub:
        told = [
            (seen(1, "lobby", tracklet=1, final=True, crops=RED), 2),
            (seen(1, "hall", tracklet=2, begin_s=14, end_s=16, final=True, crops=RED), 16),
            (seen(2, "hall", tracklet=3, begin_s=14, end_s=16, final=True, crops=BLUE), 17),
            (seen(3, "yard", tracklet=4, begin_s=30, end_s=32, final=True, crops=BLUE), 32),
            (seen(4, "yard", tracklet=5, begin_s=40, end_s=42, final=True, crops=BLUE), 42),
        ]
        for update, second in told:
            hub.ingest(sender.send(update), now_ns=at(second))
        cameras = [CameraStatus(camera_id=CameraId(name), state="live") for name in ("hall", "lobby", "yard")]
        hub.ingest(sender.send(Status(sent_at_ns=at(42), cameras=cameras)), now_ns=at(42))
        with hub._transaction(at(43)):  # as any associator asks
            hub.state.say(
                EventKind.CANDIDATE,
                IdentityId(3),
                other=IdentityId(2),
                tracklet=TrackletNumber(4),
                camera_id=CameraId("yard"),
                evidence=Evidence(
                    similarity=0.55,
                    probability=0.62,
                    boundary=0.9,
                    terms=Terms(appearance=1.4, movement=-0.9, place=0.0, apart=0.0),
                    model_id=MODEL,
                    alike=(TrackletNumber(4), TrackletNumber(3)),
                ),
            )
    return sender


@contextmanager
def web(
    folder: Path, *options: str, webhooks: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[str, Passerby]]:
    """`passerby web` over `folder`/data, as its address and the process. `webhooks` are URLs by name."""
    site = {
        "site": "plaza",
        "data": str(folder / "data"),
        "models": {"detector": "passerby-sim-detector", "reid": "passerby-sim-reid"},
        "cameras": {name: {"url": f"{name}.mp4"} for name in ("hall", "lobby", "yard")},
        "webhooks": [{"name": name, "url": url} for name, url in webhooks.items()],
    }
    config = folder / "site.yaml"
    config.write_text(yaml.safe_dump(site), encoding="utf-8")
    arguments = ("web", "--config", str(config), "--listen", "127.0.0.1:0", *options)
    process = Passerby(
        arguments, folder / f"web{''.join(options)}.log", {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    )
    try:
        yield address_of(process), process
    finally:
        process.stop()


def address_of(process: Passerby) -> str:
    """Where a web process says that its pages are."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        process.must_run()
        found = re.search(r"serves \S+ at (http://[\d.:]+).*\n", process.log())
        if found:
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"passerby web says no address:\n{process.log()}")
