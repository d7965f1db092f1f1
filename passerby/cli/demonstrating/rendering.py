"""Whether a site is drawn as its cameras show it, or ahead of that, and the waiting for the latter."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from simulation.ahead import SiteRecipe, Stretch, frames_missing, render_ahead, usable_cores
from simulation.shelf import kept_site
from simulation.site import SimulatedSite

_BEGIN_S = 60.0
"""How old the world is when the cameras begin, so that people are about."""

_MARGIN_S = 10.0
"""For what is shown before the run's seconds begin and while it ends."""

_LOOP_S = 300.0
"""What a demonstration without an end shows again and again."""

_ROOM_S, _PERSON_S = 2.5e-3, 1.6e-3
"""CPU seconds of a frame, and more for each person a camera has (benchmarks/simulation.py, default and crowded)."""

_CORES_SHARE, _THREAD_SHARE = 0.2, 0.5
"""Drawing may take this share of all cores (the networks need the others), and of the one thread that draws."""


def draws_in_time(site: SimulatedSite, *, cores: int) -> bool:
    """Whether a machine of so many cores draws a site in real time and still has time to watch it.

    Two cores do for four cameras of the kind `default`, not for eight, nor for four of the kind `crowded`.
    """
    people = len(site.people) / len(site.camera_ids)
    frames_a_second = sum(site.spec(camera).fps for camera in site.camera_ids)
    return frames_a_second * (_ROOM_S + people * _PERSON_S) <= min(_CORES_SHARE * cores, _THREAD_SHARE)


@contextlib.contextmanager
def drawn_ahead(
    site: SimulatedSite, *, wanted: bool | None, seconds: float | None, console: Console
) -> Iterator[Stretch | None]:
    """What LiveSite is to show: a stretch of `seconds` (None: five minutes), or None for drawing it live.

    `wanted` None: ahead if it cannot be drawn in time. Raises DataError where it cannot be kept.
    """
    if wanted is False or (wanted is None and draws_in_time(site, cores=usable_cores())):
        yield None
        return
    with kept_site(SiteRecipe.of(site)) as folder:
        stretch = Stretch(folder, _BEGIN_S, _LOOP_S if seconds is None else seconds + _MARGIN_S)
        missing = frames_missing(site, stretch)
        if missing:
            why = "as asked for" if wanted else "more than this machine draws in real time"
            console.print(
                f"rendering {stretch.seconds:.0f} s ahead, {why} (--live draws as cameras show); kept in {folder}",
                highlight=False,
                soft_wrap=True,
            )
            columns = (TextColumn("rendering"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            with Progress(*columns, console=console, transient=True) as bar:
                task = bar.add_task("render", total=missing)
                render_ahead(site, stretch, progress=lambda frames: bar.advance(task, frames))
        if seconds is None:
            console.print(
                f"rendered ahead: after {_LOOP_S / 60:.0f} minutes the same people come again, from the begin.",
                highlight=False,
            )
        yield stretch
