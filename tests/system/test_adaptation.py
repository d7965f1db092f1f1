"""An adaptation beside a running demo: begun, killed with hub and edge, ended; its model comes, and goes again."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hub.reader import SiteReader
from passerby.adaptation.job import JobBook
from passerby.errors import StoreError
from passerby.ids import ModelId
from tests.system.cameras import wait_until
from tests.system.processes import TREE

pytestmark = pytest.mark.system

SECONDS = 240.0
"""The demo ends by itself then, should the test not end it."""

LEARN_AFTER_TRACKLETS = 24
FRAME_RATE_KEPT = 0.8


@dataclass
class Demo:
    """`passerby demo` on a site that was rendered before, and what its data folder holds."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def config(self) -> Path:
        return self.folder / "site.yaml"

    @property
    def data(self) -> Path:
        return self.folder / "hub-data"

    def passerby(self, *arguments: str, expected: int = 0) -> str:
        """A command on this site; what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "passerby", *arguments, "--config", str(self.config)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONPATH": str(TREE)},
        )
        assert done.returncode == expected, f"passerby {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def status(self) -> dict[str, Any]:
        """The latest job."""
        facts: dict[str, Any] = json.loads(self.passerby("adapt", "status", "--json"))
        return facts

    def tracklets(self) -> int:
        with contextlib.suppress(StoreError), SiteReader(self.data) as reader:
            return reader.last_tracklet_number()
        return 0

    def models_now(self) -> set[ModelId]:
        """By which the latest tracklet of each camera came."""
        with SiteReader(self.data) as reader:
            return {tracklet.model_id for tracklet in {t.camera_id: t for t in reader.tracklets()}.values()}

    def frame_rates(self) -> list[float]:
        """Achieved of expected, of each camera."""
        with SiteReader(self.data) as reader:
            found = [one.status for one in reader.cameras()]
        return [one.achieved_fps / one.expected_fps for one in found if one.expected_fps]

    def log(self, name: str) -> str:
        file = self.data / "logs" / f"{name}.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def kill(self, command: str) -> None:
        """SIGKILL to the process of this site that runs `passerby COMMAND`; AssertionError where there is none."""
        wanted = ["-m", "passerby", *command.split()]
        killed = 0
        for proc in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                words = (proc / "cmdline").read_bytes().decode().split("\0")
                if words[1 : 1 + len(wanted)] == wanted and str(self.config) in words:
                    os.kill(int(proc.name), signal.SIGKILL)
                    killed += 1
        assert killed == 1, f"{killed} processes run `passerby {command}`"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("adapted") / "demo"
    command = [sys.executable, "-m", "passerby", "demo", "--data", str(folder), "--headless", "--seconds", str(SECONDS)]
    command += ["--cameras", "2", "--people", "14", "--seed", "-20262", "--fps", "4", "--live"]
    environment = {**os.environ, "PYTHONPATH": str(TREE)}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment, stdout=subprocess.DEVNULL)
    site = Demo(folder, process)
    try:
        wait_until("people have come", lambda: site.tracklets() >= LEARN_AFTER_TRACKLETS, timeout_s=120, interval_s=1.0)
        yield site
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def until(what: str, condition: Callable[[], bool], *, timeout_s: float = 90) -> None:
    wait_until(what, condition, timeout_s=timeout_s, interval_s=0.5)


def test_it_is_started_killed_ended_promoted_and_taken_back(demo: Demo) -> None:
    told = json.loads(demo.passerby("adapt", "start", "--dry-run", "--json"))
    assert told["crops"] > LEARN_AFTER_TRACKLETS
    before = demo.frame_rates()

    demo.passerby("adapt", "start", "--minutes", "0.3")
    assert "one is done at a time" in _error(demo, "adapt", "start")
    until("it learns", lambda: demo.status()["phase"] in ("learning", "exporting", "judging"))
    rates = [np.mean(demo.frame_rates())]
    demo.kill("adapt run")
    demo.kill("hub")
    until("it has ended", lambda: bool(rates.append(np.mean(demo.frame_rates()))) or _ended(demo), timeout_s=150)
    assert np.mean(rates) >= FRAME_RATE_KEPT * np.mean(before)
    job = demo.status()
    assert job["state"] in ("passed", "refused"), job
    assert job["model_id"] is not None, job["reason"]

    (old,) = demo.models_now()
    force = [] if job["state"] == "passed" else ["--force", "--reason", "a test"]
    demo.passerby("adapt", "promote", "1", *force)
    demo.kill("edge")
    until("both cameras use the new model", lambda: demo.models_now() == {job["model_id"]})
    with SiteReader(demo.data) as reader:
        assert reader.rollout().deployed == job["model_id"]
        across = [
            identity
            for identity in reader.identities()
            if len({t.model_id for t in reader.tracklets_of(identity.identity_id)}) == 2
        ]
    assert across, "nobody who was known before was found again with the new model"

    began = time.monotonic()
    assert "the model of the site file" in demo.passerby("adapt", "rollback", "--reason", "a test")
    assert time.monotonic() - began < 20
    until("both cameras use the old model again", lambda: demo.models_now() == {old})
    assert demo.process.poll() is None


def test_cancelled_it_leaves_its_record_alone(demo: Demo) -> None:
    demo.passerby("adapt", "start", "--minutes", "1")
    until("it works", lambda: demo.status()["state"] == "running")
    number = demo.status()["number"]
    demo.passerby("adapt", "cancel", str(number))
    until("it has ended", lambda: demo.status()["state"] == "cancelled")
    folder = JobBook(demo.data).job(number).folder
    until("it is gone", lambda: sorted(path.name for path in folder.iterdir()) == ["job.json", "progress.json"])


def _ended(demo: Demo) -> bool:
    return demo.status()["state"] not in ("queued", "running")


def _error(demo: Demo, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "passerby", *arguments, "--config", str(demo.config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(TREE)},
    )
    assert done.returncode != 0
    return done.stderr
