"""What a job in the background may take of the machine: the live system comes first."""

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

from passerby.errors import DataError

_LEAST_OFTEN_S = 0.5


def give_way(nice: int = 19) -> int:
    """Let everything else on this machine come first, and be the first to go where memory runs out.

    Nice values count within a session only where the kernel groups sessions, so the group's is lowered too. Gives the
    niceness that the process has now.
    """
    now = os.nice(nice)
    for file, value in (("autogroup", str(nice)), ("oom_score_adj", "800")):
        try:
            Path("/proc/self", file).write_text(value, encoding="ascii")
        except OSError:
            continue  # another system, or one that does not let us: niceness is what there is
    return now


def threads_of(wanted: int) -> int:
    """CPU threads: those wanted, or a quarter of the cores.

    >>> threads_of(3)
    3
    """
    return wanted or max(1, (os.cpu_count() or 1) // 4)


def memory_guard(most_mib: int) -> Callable[[], None]:
    """A check to call often: raises DataError once this process has taken more memory than that."""
    checked_at = float("-inf")

    def check() -> None:
        nonlocal checked_at
        if time.monotonic() - checked_at < _LEAST_OFTEN_S:
            return
        checked_at = time.monotonic()
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if peak_mib > most_mib:
            raise DataError(
                f"the adaptation took {peak_mib} MiB, adaptation.memory_mib allows {most_mib}; "
                "allow more, or lower adaptation.most_crops"
            )

    return check
