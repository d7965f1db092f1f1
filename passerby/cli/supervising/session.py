"""One run of a site on one machine: hub, edge, web and notify started, watched over, shown, and stopped in order."""

import contextlib
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live

from passerby.cli.process import stop_on_signals
from passerby.cli.supervising.children import Child
from passerby.cli.supervising.view import SiteView
from passerby.config import Site
from passerby.config.outgoing import tells_anybody

_LOOK_S = 0.5
_REPORT_S = 10.0
_PATIENCE_S = 15.0
"""How long a child may take to finish its tracklets and send them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a site is to be run.

    `headless` prints nothing while it runs; `seconds` is the longest it runs; `tape` records the wire messages;
    `each_look` is called twice a second with the seconds since the start. `web` has the options of `passerby web`, None
    is without it; `greeting` is said first.
    """

    until_ended: bool = False
    headless: bool = False
    seconds: float | None = None
    tape: Path | None = None
    each_look: Callable[[float], None] = lambda _: None
    web: tuple[str, ...] | None = None
    greeting: str = ""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run took: restarts of its processes, and the largest memory of hub and edge together, MiB (0: unknown)."""

    restarts: int
    rss_mib: int


def run_site(site: Site, config: Path, run: Run) -> RunReport:
    """Run hub, edge and web until the first signal, or as `run` says.

    Raises ConfigError when a child says that its configuration is wrong.
    """
    console = Console(quiet=run.headless)
    logs = site.data / "logs"
    hub_arguments = ["hub", "--config", str(config), *(["--tape", str(run.tape)] if run.tape else [])]
    hub = Child("hub", hub_arguments, log=logs / "hub.log")
    edge_arguments = ["edge", "--config", str(config), *(["--until-ended"] if run.until_ended else [])]
    edge = Child("edge", edge_arguments, log=logs / "edge.log")
    web_arguments = ["web", "--config", str(config), "--no-setup-link", *(run.web or ())]
    web = None if run.web is None else Child("web", web_arguments, log=logs / "web.log")
    notify = Child("notify", ["notify", "run", "--config", str(config)], log=logs / "notify.log")
    asking = [*([] if web is None else [web]), *([notify] if tells_anybody(site) else [])]
    children = [hub, edge, *asking]
    stop = stop_on_signals(before_force=functools.partial(_kill, *children))
    view = SiteView(site, children, started_at_ns=time.time_ns())
    if run.greeting:
        console.print(run.greeting, highlight=False, soft_wrap=True)
    with contextlib.ExitStack() as opened:
        opened.callback(view.close)
        for child in children:
            opened.enter_context(child)
        looks = _looks(children, edge=edge, run=run, stop=stop)
        if run.headless:
            for _ in looks:
                pass
        elif console.is_terminal:
            _show_live(view, looks, console=console)
        else:
            _tell_lines(view, looks)
        console.print("stopping: open tracklets are finished and sent ...")
        rss_mib = hub.peak_rss_mib() + edge.peak_rss_mib()
        # First whoever asks the hub for something, then whoever tells it something.
        stopped = [child.stop(patience_s=_PATIENCE_S) for child in asking]
        in_order = all(stopped)
        in_order &= edge.stop(patience_s=_PATIENCE_S)
        in_order &= hub.stop(patience_s=_PATIENCE_S)
    note = "" if in_order else " A process did not end in time and was killed; nothing acknowledged is lost."
    console.print(f"stopped.{note} Data in {site.data}, logs in {logs}", highlight=False, soft_wrap=True)
    return RunReport(sum(child.restarts for child in children), rss_mib)


def _kill(*children: Child) -> None:
    for child in children:
        child.kill()


def _looks(children: Sequence[Child], *, edge: Child, run: Run, stop: threading.Event) -> Iterator[None]:
    """Twice a second, until the run is over; the children are looked after each time."""
    started_at = time.monotonic()
    while not stop.wait(_LOOK_S) and not edge.has_ended():
        seconds = time.monotonic() - started_at
        if run.seconds is not None and seconds >= run.seconds:
            return
        for child in children:
            child.keep_alive()
        run.each_look(seconds)
        yield


def _show_live(view: SiteView, looks: Iterator[None], *, console: Console) -> None:
    with Live(console=console, auto_refresh=False) as live:
        for _ in looks:
            view.new_events()
            live.update(view.render(), refresh=True)


def _tell_lines(view: SiteView, looks: Iterator[None]) -> None:
    report_at = time.monotonic() + _REPORT_S
    for _ in looks:
        lines = view.new_events()
        if time.monotonic() >= report_at:
            lines += view.camera_lines()
            report_at += _REPORT_S
        for line in lines:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
