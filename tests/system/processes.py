"""Real Passerby processes over a site of their own, and what they leave behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TREE = Path(__file__).parents[2]
_STOP_TIMEOUT_S = 30.0


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listened at a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Passerby:
    """One `passerby` process; what it prints goes to a file."""

    arguments: tuple[str, ...]
    log_file: Path
    environment: Mapping[str, str]

    def __post_init__(self) -> None:
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "passerby", *self.arguments],
                cwd=self.log_file.parent,
                env={**self.environment, "PYTHONPATH": str(TREE)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def log(self) -> str:
        """Everything it has printed, all processes of this log file together."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def must_run(self) -> None:
        """Raise AssertionError with its log if it has ended."""
        code = self.process.poll()
        assert code is None, f"passerby {' '.join(self.arguments)} ended with {code}:\n{self.log()}"

    def kill(self) -> None:
        """SIGKILL, as a power cut or the kernel's out-of-memory killer would."""
        self.process.kill()
        self.process.wait(timeout=_STOP_TIMEOUT_S)

    def stop(self) -> int:
        """The first signal, which it must obey by itself within its time; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=_STOP_TIMEOUT_S)


@dataclass
class LiveSite:
    """A site file in a folder, and the processes started on it; every one is ended with the `with` block."""

    folder: Path
    models: Path
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict)
    running: list[Passerby] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port = free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "site.yaml"
        document = {"site": "test", "data": "data", "hub": {"listen": f"tcp://127.0.0.1:{self.port}"}, **self.settings}
        self.config.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    @property
    def data(self) -> Path:
        """The hub's data folder."""
        return self.folder / "data"

    @property
    def environment(self) -> dict[str, str]:
        """What a process of this site finds in its environment."""
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
        return {**kept, "HOME": str(self.folder), "PASSERBY_MODEL_DIR": str(self.models), **self.secrets}

    def __enter__(self) -> "LiveSite":
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.running:
            if one.process.poll() is None:
                one.kill()

    def start(self, command: str, *arguments: str, log: str = "") -> Passerby:
        """Start `passerby COMMAND --config SITE ARGUMENTS`."""
        log_file = self.folder / f"{log or command}.log"
        one = Passerby((command, "--config", str(self.config), *arguments), log_file, self.environment)
        self.running.append(one)
        return one

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Run a short command to its end and give what it printed; AssertionError unless it succeeds."""
        done = subprocess.run(
            [sys.executable, "-m", "passerby", *arguments],
            cwd=self.folder,
            env={**self.environment, "PYTHONPATH": str(TREE)},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"passerby {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout
