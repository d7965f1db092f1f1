"""Simulated sites that are judged on: which they are, and their tapes, recorded once and kept."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.judging.digests import digest_of
from passerby.errors import DataError
from simulation.kinds import KIND_VERSION, KINDS
from simulation.site import SimulatedSite
from simulation.tapes.recording import record_tape, truth_folder
from simulation.tapes.truth import TAPE_VERSION

FIRST_SEED = 5001
"""From here on no seed was ever looked at in development."""

EMBEDDED = "passerby-sim-reid"
"""The re-ID network that needs no download."""


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """One site for so many minutes; everything on its tape follows from these."""

    kind: str
    seed: int
    cameras: int
    minutes: float
    rendered: bool = False
    """As films for a detector and a network, not as messages that an edge would send of it."""
    reid: str = EMBEDDED
    """The network that looks at films."""

    @property
    def name(self) -> str:
        """For tables and files.

        >>> SiteChoice("sparse", 5005, 4, 15.0).name
        'sparse-5005-4x15'
        """
        network = "" if self.reid == EMBEDDED else f"-{self.reid}"
        film = f"-rendered{network}" if self.rendered else ""
        return f"{self.kind}-{self.seed}-{self.cameras}x{self.minutes:g}{film}"


def choose_sites(
    kinds: Sequence[str],
    seeds: int,
    *,
    cameras: Sequence[int],
    minutes: float,
    first_seed: int = FIRST_SEED,
    rendered: bool = False,
    reid: str = EMBEDDED,
) -> list[SiteChoice]:
    """`seeds` sites of each kind, which take the numbers of `cameras` in turn.

    A site keeps its seed whichever other kinds are asked for.

    >>> [site.name for site in choose_sites(["default", "sparse"], 2, cameras=[4, 8], minutes=15)]
    ['default-5001-4x15', 'sparse-5005-4x15', 'default-5006-8x15', 'sparse-5010-8x15']
    """
    order: dict[str, int] = {kind: place for place, kind in enumerate(KINDS)}
    return [
        SiteChoice(
            kind, first_seed + turn * len(KINDS) + order[kind], cameras[turn % len(cameras)], minutes, rendered, reid
        )
        for turn in range(seeds)
        for kind in sorted(kinds, key=lambda kind: order[kind])
    ]


def default_cache() -> Path:
    """Where tapes are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "passerby" / "benchmark-tapes"


def tape_of(site: SiteChoice, cache: Path) -> Path:
    """The site's tape, recorded now if it is not in `cache` yet; its truth is beside it.

    Raises ConfigError or DataError where it cannot be made.
    """
    made_by = (
        f"edge-{digest_of('edge', 'passerby/features', 'passerby/inference')}"
        if site.rendered
        else f"tape{TAPE_VERSION}"
    )
    folder = cache / f"{site.name}-kind{KIND_VERSION}-{made_by}"
    tape = folder / "site.tape"
    if not tape.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as begun:
            made = Path(begun) / "made"
            made.mkdir()
            _record(site, made / tape.name)
            # A tape that is there is whole, and whoever was first has made the same one.
            if not tape.is_file():
                made.rename(folder)
    return tape


def _record(site: SiteChoice, tape: Path) -> None:
    if not site.rendered:
        made = SimulatedSite.make(site.kind, seed=site.seed, cameras=site.cameras)
        record_tape(made, tape, seconds=60 * site.minutes, progress=lambda _: None)
        return
    films = tape.with_name("films")
    chosen = {"kind": site.kind, "seed": site.seed, "cameras": site.cameras, "seconds": 60 * site.minutes}
    _passerby("simulate", *(f"--{name}={value}" for name, value in chosen.items()), "--out", films)
    described = yaml.safe_load((films / "site.yaml").read_text())
    described["models"]["reid"] = site.reid
    (films / "site.yaml").write_text(yaml.safe_dump(described))
    _passerby("replay", "--config", films / "site.yaml", "--out", films / "replayed", "--tape", tape)
    truth_folder(tape).mkdir()
    (films / "gt").rename(truth_folder(tape) / "gt")
    shutil.rmtree(films)


def _passerby(*arguments: object) -> None:
    command = [sys.executable, "-m", "passerby", *map(str, arguments)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DataError(f"passerby {arguments[0]} failed: {done.stderr.strip().splitlines()[-1:]}")
