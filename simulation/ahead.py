"""Rendering a site ahead of its showing, on every core, into a folder that keeps it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from passerby.errors import DataError
from simulation.kinds import SiteKind
from simulation.reels import Reel, frames_per_reel, reels_of, write_reel
from simulation.site import SimulatedSite

_MOST_WORKERS = 4
"""Each keeps the pictures of people for itself: 600 MiB at eight cameras."""


@dataclass(frozen=True, slots=True)
class SiteRecipe:
    """What makes a site; unlike the site, small and able to travel to another process."""

    kind: SiteKind
    seed: int
    cameras: int
    people: int

    @classmethod
    def of(cls, site: SimulatedSite) -> "SiteRecipe":
        """The recipe that this site was made by."""
        return cls(site.kind, site.seed, len(site.camera_ids), len(site.people))

    def make(self) -> SimulatedSite:
        """The site."""
        return SimulatedSite.make(self.kind, seed=self.seed, cameras=self.cameras, people=self.people)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time of the world on disk: `seconds` from `begin_s` on, of all cameras, as reels in `folder`."""

    folder: Path
    begin_s: float
    seconds: float

    def first_frame(self, fps: float) -> int:
        """The frame of a camera of this rate with which it begins."""
        return round(self.begin_s * fps)

    def frames(self, fps: float) -> int:
        """How many frames of such a camera it has; at least one."""
        return max(1, round(self.seconds * fps))

    def reels(self, site: SimulatedSite) -> list[Reel]:
        """All its reels, camera by camera."""
        found = []
        for camera in site.camera_ids:
            fps = site.spec(camera).fps
            found += reels_of(camera, fps=fps, first_frame=self.first_frame(fps), frames=self.frames(fps))
        return found


def frames_missing(site: SimulatedSite, stretch: Stretch) -> int:
    """How many frames are still to be rendered."""
    missing = (reel for reel in stretch.reels(site) if not reel.is_in(stretch.folder))
    return sum(frames_per_reel(site.spec(reel.camera_id).fps) for reel in missing)


def render_ahead(
    site: SimulatedSite, stretch: Stretch, *, workers: int | None = None, progress: Callable[[int], None]
) -> None:
    """Render what is missing of a stretch, in `workers` processes (None: one a core, at most 4).

    `progress` is called with a number of frames that have been finished. What is finished stays when it is interrupted.
    Raises DataError where the folder cannot be written, or a worker was killed.
    """
    missing = [reel for reel in stretch.reels(site) if not reel.is_in(stretch.folder)]
    if not missing:
        return
    count = min(usable_cores(), _MOST_WORKERS, len(missing)) if workers is None else workers
    pool = ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),  # a fork of a process with threads may hang
        initializer=_begin,
        initargs=(SiteRecipe.of(site), stretch.folder),
    )
    try:
        # Neighbours in the list are of one camera: a worker keeps its empty rooms.
        tasks = {pool.submit(_render, reel): reel for reel in missing}
        for task in as_completed(tasks):
            task.result()
            progress(frames_per_reel(site.spec(tasks[task].camera_id).fps))
    except OSError as error:
        raise DataError(f"cannot render into {stretch.folder}: {error.strerror or error}") from error
    except BrokenProcessPool as error:
        raise DataError(
            "a process that renders was killed, perhaps for want of memory; what it had finished is kept"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- in a worker

_worker: tuple[SimulatedSite, Path]


def _begin(recipe: SiteRecipe, folder: Path) -> None:
    import cv2

    global _worker  # noqa: PLW0603 - a pool's initializer has no other place for what its tasks need
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which lets reels be finished
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    _worker = recipe.make(), folder


def _end_with_parent() -> None:
    """A killed parent leaves no worker behind: waiting for work, they would stay for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _render(reel: Reel) -> None:
    site, folder = _worker
    if not reel.is_in(folder):
        write_reel(site, reel, folder)
