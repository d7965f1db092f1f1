"""Processes of Passerby under measurement: what they have cost so far, thread by thread."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TREE = Path(__file__).parents[2]
_START_S = 60.0


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds of a process so far: of its first thread, and of all."""

    main_s: float
    all_s: float

    def since(self, before: "Cpu") -> "Cpu":
        return Cpu(self.main_s - before.main_s, self.all_s - before.all_s)


@dataclass(frozen=True, slots=True)
class Running:
    """One `passerby` process."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def cpu(self) -> Cpu:
        tasks = Path(f"/proc/{self.process.pid}/task")
        spent = {int(task.name): int((task / "schedstat").read_text().split()[0]) / 1e9 for task in tasks.iterdir()}
        return Cpu(spent[self.process.pid], sum(spent.values()))

    def wait_for(self, pattern: str) -> str:
        """The first group of what it says."""
        deadline = time.monotonic() + _START_S
        while (found := re.search(pattern, self.log.read_text())) is None:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return found[1]


@contextmanager
def running(command: str, config: Path, *arguments: str) -> Iterator[Running]:
    """`passerby COMMAND --config CONFIG ARGUMENTS`, ended with the `with` block."""
    log = config.parent / f"{command}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "passerby", command, "--config", str(config), *arguments],
            env={**os.environ, "PYTHONPATH": str(_TREE), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Running(process, log)
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listened at a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def machine() -> tuple[float, float]:
    """(seconds in which the machine's cores did something, all seconds) so far, added up over the cores."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK"), sum(ticks) / os.sysconf("SC_CLK_TCK")
