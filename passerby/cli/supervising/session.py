"""One run of a site on one machine: hub and edge started, watched over, shown, and stopped in order."""

import contextlib
import functools
import sys
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.live import Live

from passerby.cli.process import stop_on_signals
from passerby.cli.supervising.children import Child
from passerby.cli.supervising.view import SiteView
from passerby.config import Site

_LOOK_S = 0.5
_REPORT_S = 10.0
_PATIENCE_S = 15.0
"""How long a child may take to finish its tracklets and send them."""


def run_site(site: Site, config: Path, *, until_ended: bool) -> None:
    """Run hub and edge until the first signal, or with `until_ended` until every recording is over.

    Raises ConfigError when a child says that its configuration is wrong.
    """
    console = Console()
    logs = site.data / "logs"
    hub = Child("hub", ["hub", "--config", str(config)], log=logs / "hub.log")
    edge_arguments = ["edge", "--config", str(config), *(["--until-ended"] if until_ended else [])]
    edge = Child("edge", edge_arguments, log=logs / "edge.log")
    stop = stop_on_signals(before_force=functools.partial(_kill, edge, hub))
    view = SiteView(site, [hub, edge], started_at_ns=time.time_ns())
    with contextlib.ExitStack() as opened:
        opened.callback(view.close)
        opened.enter_context(hub)
        opened.enter_context(edge)
        if console.is_terminal:
            _show_live(view, hub, edge, console=console, stop=stop)
        else:
            _tell_lines(view, hub, edge, stop=stop)
        console.print("stopping: open tracklets are finished and sent ...")
        in_order = edge.stop(patience_s=_PATIENCE_S)
        in_order &= hub.stop(patience_s=_PATIENCE_S)
    note = "" if in_order else " A process did not end in time and was killed; nothing acknowledged is lost."
    console.print(f"stopped.{note} Data in {site.data}, logs in {logs}", highlight=False, soft_wrap=True)


def _kill(*children: Child) -> None:
    for child in children:
        child.kill()


def _goes_on(hub: Child, edge: Child, stop: threading.Event) -> bool:
    """Look after the children, for half a second; False when the run is over."""
    hub.keep_alive()
    edge.keep_alive()
    return not stop.wait(_LOOK_S) and not edge.has_ended()


def _show_live(view: SiteView, hub: Child, edge: Child, *, console: Console, stop: threading.Event) -> None:
    with Live(console=console, auto_refresh=False) as live:
        while _goes_on(hub, edge, stop):
            view.new_events()
            live.update(view.render(), refresh=True)


def _tell_lines(view: SiteView, hub: Child, edge: Child, *, stop: threading.Event) -> None:
    report_at = time.monotonic() + _REPORT_S
    while _goes_on(hub, edge, stop):
        lines = view.new_events()
        if time.monotonic() >= report_at:
            lines += view.camera_lines()
            report_at += _REPORT_S
        for line in lines:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
