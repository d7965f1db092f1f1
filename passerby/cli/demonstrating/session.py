"""One demonstration from start to end: a simulated site, its cameras, hub and edge, and the figures."""

import contextlib
import os
import secrets
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import typer
import yaml
from rich.console import Console
from rich.table import Table

from passerby.cli.demonstrating.measuring import Demonstrated, cpu_seconds, measure
from passerby.cli.demonstrating.rendering import drawn_ahead
from passerby.cli.scratch import fresh_folder
from passerby.cli.supervising.session import Run, run_site
from passerby.config import load_site
from passerby.models import find_model
from passerby.shipped import shipped_config
from simulation.kinds import KIND_VERSION
from simulation.live import LiveSite
from simulation.rtsp import Fault, FaultKind
from simulation.site import SimulatedSite

DETECTOR, REID = "passerby-sim-detector", "passerby-sim-reid"

PASSWORD, ADDRESS = "PASSERBY_DEMO_PASSWORD", "PASSERBY_DEMO_ADDRESS"
"""Environment variables that stand in the site file in place of what is known only when it runs."""

_USER = "demo"
_FAULT_AT_S, _FAULT_S = 20.0, 10.0
"""A fault begins so long after the start, on the first camera, and lasts so long."""


_PICTURED_S = 60.0
"""How much of a site pictures are taken of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What to demonstrate."""

    kind: str
    seed: int
    cameras: int
    people: int | None
    fps: float
    fault: FaultKind | None
    seconds: float | None
    data: Path
    headless: bool
    as_json: bool
    ahead: bool | None
    """Render before it is shown, or not; None: if the machine is too slow for the site."""
    detector: str
    reid: str


def demonstrate(wishes: Wishes) -> None:
    """Run it until Ctrl-C or for its seconds; then tell the figures (with seconds only, which keeps a tape).

    Raises ConfigError, ModelError, SourceError.
    """
    console = Console(stderr=wishes.as_json, quiet=wishes.headless)
    site = _make(wishes, console, note=" Ctrl-C ends it.")
    rendering_s = cpu_seconds()
    with contextlib.ExitStack() as opened:
        ahead = opened.enter_context(drawn_ahead(site, wanted=wishes.ahead, seconds=wishes.seconds, console=console))
        rendering_s = cpu_seconds() - rendering_s
        folder = fresh_folder(wishes.data, made_by="demo")
        tape = folder / "tape" if wishes.seconds is not None else None
        password = secrets.token_urlsafe(12)
        live = opened.enter_context(LiveSite(site, ahead=ahead, login=(_USER, password)))
        os.environ.update({PASSWORD: password, ADDRESS: f"127.0.0.1:{live.server.port}"})  # for hub and edge, too
        file = folder / "site.yaml"
        file.write_text(site_yaml(site, wishes), encoding="utf-8")
        trouble = _Trouble(live, wishes.fault)
        started_at = time.monotonic()
        port = _free_port()
        run = Run(
            headless=wishes.headless,
            seconds=wishes.seconds,
            tape=tape,
            each_look=trouble.look,
            # Without anybody to see its address nobody opens it.
            web=None if wishes.headless else ("--no-login", "--listen", f"127.0.0.1:{port}"),
            greeting=f"\n    open http://127.0.0.1:{port}\n",
        )
        report = run_site(load_site(file), file, run)
        seconds = time.monotonic() - started_at
    if tape is not None:
        figures = measure(
            live,
            folder / "hub-data",
            tape,
            seconds=seconds,
            rss_mib=report.rss_mib,
            cpu_s=cpu_seconds() - rendering_s,
            rendered="live" if ahead is None else "ahead",
        )
        _tell(figures, console, as_json=wishes.as_json)


def picture(wishes: Wishes, out: Path) -> None:
    """Draw the site into `out` as the hub saw it. Raises ConfigError, ModelError, SourceError, StoreError."""
    from passerby.cli.demonstrating.pictures import PictureWishes, draw_pictures

    console = Console(quiet=wishes.headless)
    drawn = PictureWishes(
        site=_make(wishes, console),
        seconds=wishes.seconds or _PICTURED_S,
        fps=wishes.fps,
        detector=wishes.detector,
        reid=wishes.reid,
        data=wishes.data,
        out=out,
    )
    for file in draw_pictures(drawn, console):
        console.print(f"picture: {file}", highlight=False, soft_wrap=True)


def _make(wishes: Wishes, console: Console, *, note: str = "") -> SimulatedSite:
    """The site, when its models are there."""
    find_model(wishes.detector, task="detect")
    find_model(wishes.reid, task="embed")
    site = SimulatedSite.make(wishes.kind, seed=wishes.seed, cameras=wishes.cameras, people=wishes.people)
    console.print(
        f"simulated site: {wishes.kind} (version {KIND_VERSION}), seed {wishes.seed}, {len(site.camera_ids)} cameras, "
        f"{len(site.people)} people.{note}",
        highlight=False,
    )
    return site


def site_yaml(site: SimulatedSite, wishes: Wishes) -> str:
    """The site file: that of configs/demo.yaml with this site's cameras and the wishes."""
    document = yaml.safe_load(shipped_config("demo.yaml").read_text(encoding="utf-8"))
    document["models"] = {"detector": wishes.detector, "reid": wishes.reid}
    document["defaults"]["fps"] = wishes.fps
    document["cameras"] = {
        str(camera): {"url": f"rtsp://{_USER}:{{{PASSWORD}}}@{{{ADDRESS}}}/{camera}"} for camera in site.camera_ids
    }
    document["hub"] = {"listen": f"tcp://127.0.0.1:{_free_port()}"}
    return yaml.safe_dump(document, sort_keys=False)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class _Trouble:
    """The fault that was asked for, at its time."""

    def __init__(self, live: LiveSite, fault: FaultKind | None) -> None:
        self._live = live
        self._fault = fault

    def look(self, seconds: float) -> None:
        """Begin the fault once its time has come."""
        if self._fault is not None and seconds >= _FAULT_AT_S:
            self._live.server.fault(self._live.site.camera_ids[0], Fault(self._fault), seconds=_FAULT_S)
            self._fault = None


def _tell(figures: Demonstrated, console: Console, *, as_json: bool) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in msgspec.structs.asdict(figures).items():
        table.add_row(name, "-" if value is None else str(value))
    console.print(table)
    if as_json:
        typer.echo(msgspec.json.encode(figures).decode())
