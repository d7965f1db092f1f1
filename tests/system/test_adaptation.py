"""An adaptation beside a running site: begun, killed with its hub, ended; its model goes to the edge, and back."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hub.reader import SiteReader
from passerby.adaptation.job import JobBook
from passerby.ids import CameraId, ModelId
from passerby.models import find_model
from simulation.rtsp import RtspServer
from tests.system.cameras import wait_until
from tests.system.loops import busy_loop
from tests.system.past import fill_past
from tests.system.processes import TREE, LiveSite, Passerby

pytestmark = pytest.mark.system

CAMERAS = (CameraId("hall"), CameraId("yard"))
FPS = 4
FRAME_RATE_KEPT = 0.8
_PATIENCE_S = 120.0


@dataclass
class Adapted:
    """A live site with a past, and its hub and edge."""

    site: LiveSite
    hub: Passerby
    edge: Passerby

    def passerby(self, *arguments: str) -> str:
        return self.site.run(*arguments, "--config", str(self.site.config))

    def status(self) -> dict[str, Any]:
        """The latest job."""
        facts: dict[str, Any] = json.loads(self.passerby("adapt", "status", "--json"))
        return facts

    def models_now(self) -> set[ModelId]:
        """By which the latest tracklet of each camera came."""
        with SiteReader(self.site.data) as reader:
            return {tracklet.model_id for tracklet in {t.camera_id: t for t in reader.tracklets()}.values()}

    def frame_rate(self) -> float:
        """Of the cameras' latest status: what was achieved of what was expected."""
        with SiteReader(self.site.data) as reader:
            found = [one.status for one in reader.cameras()]
        return float(np.mean([one.achieved_fps / one.expected_fps for one in found]))

    def kill_job(self) -> None:
        """SIGKILL to the process that does the job."""
        for proc in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                words = (proc / "cmdline").read_bytes().decode().split("\0")
                if words[3:5] == ["adapt", "run"] and str(self.site.config) in words:
                    os.kill(int(proc.name), signal.SIGKILL)
                    return
        raise AssertionError("no process does an adaptation")

    def until(self, what: str, *states: str) -> dict[str, Any]:
        """Wait for a job in one of these states or phases."""
        found: dict[str, Any] = {}

        def seen() -> bool:
            found.update(self.status())
            return found["state"] in states or found["phase"] in states

        wait_until(what, seen, timeout_s=_PATIENCE_S, interval_s=0.3)
        return found


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapted]:
    sources = dict(zip(CAMERAS, (busy_loop("02-cafe", begin_s=66), busy_loop("04-corridor", begin_s=123)), strict=True))
    with RtspServer({str(camera): loop for camera, loop in sources.items()}) as server:
        settings = {
            "models": {"detector": "passerby-sim-detector", "reid": "passerby-sim-reid"},
            "defaults": {"fps": FPS, "min_person_height": 40},
            "edge": {"threads": 1},
            "cameras": {str(camera): {"url": f"rtsp://127.0.0.1:{server.port}/{camera}"} for camera in CAMERAS},
        }
        with LiveSite(tmp_path_factory.mktemp("adapted"), TREE / "configs" / "embedded", settings) as site:
            fill_past(site.data, CAMERAS, find_model("passerby-sim-reid"), until_ns=time.time_ns())
            running = Adapted(site, site.start("hub"), site.start("edge"))
            wait_until("the cameras are seen", lambda: _fresh(running), timeout_s=60, interval_s=0.5)
            yield running


def _fresh(running: Adapted) -> bool:
    with SiteReader(running.site.data) as reader:
        statuses = [one.status for one in reader.cameras()]
        return len(statuses) == len(CAMERAS) and all(one.frames > 5 * FPS for one in statuses)


def test_killed_it_goes_on_and_its_model_comes_and_goes_without_a_pause(adapted: Adapted) -> None:
    (old,) = adapted.models_now()
    told = json.loads(adapted.passerby("adapt", "start", "--dry-run", "--json"))
    assert told["crops"] > 400
    before = adapted.frame_rate()

    adapted.passerby("adapt", "start", "--minutes", "0.25")
    adapted.until("it learns", "learning")
    adapted.kill_job()
    adapted.until("it goes on", "reading", "learning")
    adapted.hub.kill()
    assert "was interrupted" in adapted.passerby("adapt", "status") or adapted.status()["state"] == "running"
    adapted.hub = adapted.site.start("hub")
    rates = []
    while adapted.status()["state"] == "running":
        rates.append(adapted.frame_rate())
    assert np.median(rates) >= FRAME_RATE_KEPT * before
    job = adapted.status()
    assert job["model_id"] is not None, job
    assert "<html" in Path(adapted.passerby("adapt", "compare", "1").strip()).read_text(encoding="utf-8")

    force = [] if job["state"] == "passed" else ["--force", "--reason", "a test"]
    adapted.passerby("adapt", "promote", "1", *force)
    adapted.edge.kill()
    adapted.edge = adapted.site.start("edge")
    wait_until("both cameras use the new model", lambda: adapted.models_now() == {job["model_id"]}, timeout_s=90)
    with SiteReader(adapted.site.data) as reader:
        assert reader.rollout().deployed == job["model_id"]
        models = [{t.model_id for t in reader.tracklets_of(one.identity_id)} for one in reader.identities()]
    assert {old, job["model_id"]} in models, "nobody who was known before was found again with the new model"

    began = time.monotonic()
    assert old in adapted.passerby("adapt", "rollback", "--reason", "a test")
    assert time.monotonic() - began < 20
    wait_until("both cameras use the old model", lambda: adapted.models_now() == {old}, timeout_s=90)
    adapted.hub.must_run()
    adapted.edge.must_run()


def test_cancelled_it_leaves_its_record_alone(adapted: Adapted) -> None:
    adapted.passerby("adapt", "start", "--minutes", "5")
    number = adapted.until("it works", "running")["number"]
    with pytest.raises(AssertionError, match="one is done at a time"):
        adapted.passerby("adapt", "start")
    adapted.passerby("adapt", "cancel", str(number))
    adapted.until("it has ended", "cancelled")
    folder = JobBook(adapted.site.data).job(number).folder
    assert sorted(path.name for path in folder.iterdir()) == ["job.json", "progress.json"]
