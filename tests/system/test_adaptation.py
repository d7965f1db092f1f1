"""An adaptation beside a running site; in every phase it is killed, with hub and edge; its model comes and goes."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hub.reader import SiteReader
from passerby.adaptation.job import PHASES, UNDER_WAY, JobBook, Phase
from passerby.ids import CameraId, ModelId
from passerby.models import find_model
from simulation.rtsp import RtspServer
from tests.system import ledger
from tests.system.cameras import wait_until
from tests.system.loops import busy_loop
from tests.system.past import fill_past
from tests.system.processes import TREE, LiveSite, Passerby
from tests.system.records import read_records

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
    _acknowledged: dict[int, int] = field(default_factory=dict)

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

    def kill_hub(self) -> None:
        """SIGKILL, and a new one; what it had acknowledged is noted."""
        self.hub.kill()
        self._acknowledged |= {number: one.revision for number, one in read_records(self.site.data).tracklets.items()}
        self.hub = self.site.start("hub")

    def kill_edge(self) -> None:
        """SIGKILL, and a new one."""
        self.edge.kill()
        self.edge = self.site.start("edge")

    def beside(self, *arguments: str) -> Passerby:
        """A command that goes on by itself."""
        one = Passerby(
            (*arguments, "--config", str(self.site.config)), self.site.folder / "beside.log", self.site.environment
        )
        self.site.running.append(one)
        return one

    def embedded(self, model_id: ModelId) -> int:
        """How many of those who stand for known people are embedded by a model that they did not come with."""
        with SiteReader(self.site.data) as reader:
            coverage = reader.coverage(model_id)
        return coverage.from_crops + coverage.mapped

    def must_have_all_that_was_acknowledged(self) -> None:
        """Once hub and edge have stopped: nothing is lost, and nothing is there twice."""
        now = read_records(self.site.data).tracklets
        assert self._acknowledged
        for number, revision in self._acknowledged.items():
            assert now[number].revision >= revision
        sent = ledger.sent(self.site.data)
        committed = ledger.committed(self.site.data)
        assert ledger.waiting(self.site.data) == 0
        assert {boot: committed.get(boot) for boot in sent} == sent
        for number, seen in ledger.times_by_tracklet(self.site.data).items():
            assert (np.diff(seen) > 0).all(), f"tracklet {number} has a frame twice: {seen}"

    def until_it_is(self, number: int, phase: Phase, *, since_ns: int = 0) -> None:
        """Wait until a job says, since then, that it is in a phase."""
        job = JobBook(self.site.data).job(number)

        def there() -> bool:
            progress = job.progress()
            assert progress.state in UNDER_WAY, progress
            assert progress.phase is None or PHASES.index(progress.phase) <= PHASES.index(phase), progress
            return progress.phase == phase and progress.at_ns > since_ns

        wait_until(f"it is {phase}", there, timeout_s=_PATIENCE_S, interval_s=0.02)

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


def test_cameras_keep_their_frame_rate_and_cancelled_it_leaves_its_record_alone(adapted: Adapted) -> None:
    before = adapted.frame_rate()
    adapted.passerby("adapt", "start", "--minutes", "5")
    number = adapted.until("it learns", "learning")["number"]
    rates = [adapted.frame_rate() for _ in _looks(seconds=10.0)]
    assert np.median(rates) >= FRAME_RATE_KEPT * before
    with pytest.raises(AssertionError, match="one is done at a time"):
        adapted.passerby("adapt", "start")
    adapted.passerby("adapt", "cancel", str(number))
    adapted.until("it has ended", "cancelled")
    folder = JobBook(adapted.site.data).job(number).folder
    assert sorted(path.name for path in folder.iterdir()) == ["job.json", "progress.json"]


def test_killed_in_every_phase_it_goes_on_and_its_model_comes_and_goes(adapted: Adapted) -> None:
    (old,) = adapted.models_now()
    told = json.loads(adapted.passerby("adapt", "start", "--dry-run", "--json"))
    assert told["crops"] > 400

    adapted.passerby("adapt", "start", "--minutes", "0.25")
    number = adapted.status()["number"]
    for phase in PHASES:
        adapted.until_it_is(number, phase)
        adapted.kill_hub()
        adapted.kill_job()
        adapted.until_it_is(number, phase, since_ns=time.time_ns())
        adapted.kill_edge()
    job = adapted.until("there is a verdict", "passed", "refused")
    assert job["model_id"] is not None, job
    new = ModelId(job["model_id"])
    assert "<html" in Path(adapted.passerby("adapt", "compare", str(number)).strip()).read_text(encoding="utf-8")

    force = [] if job["state"] == "passed" else ["--force", "--reason", "a test"]
    promoting = adapted.beside("adapt", "promote", str(number), *force)
    wait_until("some are embedded anew", lambda: adapted.embedded(new) > 0, timeout_s=60, interval_s=0.05)
    adapted.kill_hub()
    assert adapted.models_now() == {old}, "a model is used before everybody was embedded by it"
    if promoting.process.wait(timeout=_PATIENCE_S) != 0:
        adapted.passerby("adapt", "promote", str(number), *force)
    adapted.kill_hub()
    adapted.kill_edge()
    wait_until("both cameras use the new model", lambda: adapted.models_now() == {new}, timeout_s=90)
    with SiteReader(adapted.site.data) as reader:
        assert reader.rollout().deployed == new
        models = [{t.model_id for t in reader.tracklets_of(one.identity_id)} for one in reader.identities()]
    assert {old, new} in models, "nobody who was known before was found again with the new model"

    began = time.monotonic()
    assert old in adapted.passerby("adapt", "rollback", "--reason", "a test")
    assert time.monotonic() - began < 20
    adapted.kill_edge()
    adapted.kill_hub()
    wait_until("both cameras use the old model", lambda: adapted.models_now() == {old}, timeout_s=90)
    assert adapted.edge.stop() == 0, adapted.edge.log()
    assert adapted.hub.stop() == 0, adapted.hub.log()
    adapted.must_have_all_that_was_acknowledged()


def _looks(*, seconds: float) -> Iterator[None]:
    """Again and again for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.3)
