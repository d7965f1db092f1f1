"""Simulated sites that are judged on: which they are, and their tapes, recorded once and kept."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simulation.kinds import KIND_VERSION, KINDS
from simulation.site import SimulatedSite
from simulation.tapes.recording import record_tape
from simulation.tapes.truth import TAPE_VERSION

FIRST_SEED = 5001
"""From here on no seed was ever looked at in development."""


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """One site for so many minutes; everything on its tape follows from these."""

    kind: str
    seed: int
    cameras: int
    minutes: float

    @property
    def name(self) -> str:
        """For tables and files.

        >>> SiteChoice("sparse", 5005, 4, 15.0).name
        'sparse-5005-4x15'
        """
        return f"{self.kind}-{self.seed}-{self.cameras}x{self.minutes:g}"


def choose_sites(
    kinds: Sequence[str], seeds: int, *, cameras: Sequence[int], minutes: float, first_seed: int = FIRST_SEED
) -> list[SiteChoice]:
    """`seeds` sites of each kind, which take the numbers of `cameras` in turn.

    A site keeps its seed whichever other kinds are asked for.

    >>> [site.name for site in choose_sites(["default", "sparse"], 2, cameras=[4, 8], minutes=15)]
    ['default-5001-4x15', 'sparse-5005-4x15', 'default-5006-8x15', 'sparse-5010-8x15']
    """
    order: dict[str, int] = {kind: place for place, kind in enumerate(KINDS)}
    return [
        SiteChoice(kind, first_seed + turn * len(KINDS) + order[kind], cameras[turn % len(cameras)], minutes)
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
    folder = cache / f"{site.name}-kind{KIND_VERSION}-tape{TAPE_VERSION}"
    tape = folder / "site.tape"
    if not tape.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as begun:
            made = Path(begun) / "made"
            made.mkdir()
            record_tape(
                SimulatedSite.make(site.kind, seed=site.seed, cameras=site.cameras),
                made / tape.name,
                seconds=60 * site.minutes,
                progress=lambda _: None,
            )
            # A tape that is there is whole, and whoever was first has made the same one.
            if not tape.is_file():
                made.rename(folder)
    return tape
