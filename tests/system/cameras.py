"""The RTSP test bed as an object: start it, ask which frame of the film a time belongs to, stop it, start it again."""

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SYSTEM_PYTHON = "/usr/bin/python3"
APT_LINE = (
    "apt-get install --no-install-recommends python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base "
    "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)
_SERVER = Path(__file__).with_name("rtsp_server.py")
_NEEDS = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
missing = [name for name in ("appsrc", "qtdemux", "h264parse", "rtph264pay") if Gst.ElementFactory.find(name) is None]
raise SystemExit(", ".join(missing) or 0)
"""


def why_no_server() -> str | None:
    """What keeps the test bed from running on this machine, with the line that installs it; None if nothing does."""
    try:
        check = subprocess.run([SYSTEM_PYTHON, "-c", _NEEDS], capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        return f"{SYSTEM_PYTHON} is not there; the RTSP test bed needs: {APT_LINE}"
    if check.returncode:
        return f"the RTSP test bed is missing ({check.stderr.strip().splitlines()[-1]}); {APT_LINE}"
    return None


@dataclass(frozen=True, slots=True)
class Playing:
    """One client's stream: the film from its first frame on, again and again."""

    mount: str
    first_frame_at_ns: int
    frame_interval_ns: int
    frames: int

    def frame_number(self, captured_at_ns: int) -> int:
        """Which frame, from 1, was sent as captured at that time; above `frames` once the film begins again."""
        return 1 + round((captured_at_ns - self.first_frame_at_ns) / self.frame_interval_ns)


@dataclass
class RtspCameras:
    """A running gst-rtsp-server with one mount per film; use as a context manager."""

    films: Mapping[str, Path]
    login: tuple[str, str] | None = None
    """User and password, if clients must know them."""
    speed: float = 1.0
    """Films are played so many times as fast as they were taken."""
    port: int = 0
    playing: list[Playing] = field(default_factory=list)
    """Every stream that a client has begun to play, in order."""

    def __enter__(self) -> "RtspCameras":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start serving; the second time at the same port as the first."""
        login = dict(zip(("RTSP_USER", "RTSP_PASSWORD"), self.login, strict=True)) if self.login else {}
        films = [f"{name}={path}" for name, path in self.films.items()]
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, _SERVER, "--port", str(self.port), "--speed", str(self.speed), *films],
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.defpath, **login},
        )
        events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(events,), daemon=True)
        self._reader.start()
        self.port = events.get(timeout=30)["port"]

    def stop(self) -> None:
        """End the server and every stream."""
        self._process.kill()
        self._process.wait(timeout=10)
        self._reader.join(timeout=10)

    def url(self, mount: str) -> str:
        """The address of a camera, without user and password."""
        return f"rtsp://127.0.0.1:{self.port}/{mount}"

    def frame_number(self, mount: str, captured_at_ns: int) -> int | None:
        """Which frame a picture of that mount and time is (see Playing); None from before the first stream."""
        begun = [one for one in self.playing if one.mount == mount and one.first_frame_at_ns <= captured_at_ns + 10**9]
        return begun[-1].frame_number(captured_at_ns) if begun else None

    def _read(self, events: "queue.Queue[dict[str, Any]]") -> None:
        stream = self._process.stdout
        assert stream is not None
        with stream:
            for line in stream:
                event = json.loads(line)
                if event.pop("event") == "started":
                    self.playing.append(Playing(**event))
                else:
                    events.put(event)


def wait_until(what: str, condition: Any, *, timeout_s: float, interval_s: float = 0.2) -> Any:
    """Ask `condition` until it gives something true, and return that; AssertionError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(interval_s)
    return answer
