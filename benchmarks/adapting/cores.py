"""Cores of this machine, dealt out to runs that go on side by side."""

import os

from passerby.errors import DataError


def sets_of_cores(count: int, *, each: int) -> list[frozenset[int]]:
    """`count` sets of `each` cores that this process may use, no core in two of them.

    Raises DataError where there are not so many.
    """
    cores = sorted(os.sched_getaffinity(0))
    if count * each > len(cores):
        raise DataError(
            f"{count} runs at a time of {each} threads each need {count * each} cores, there are {len(cores)}; "
            f"let --jobs be {max(len(cores) // each, 1)} or less"
        )
    return [frozenset(cores[first : first + each]) for first in range(0, count * each, each)]
