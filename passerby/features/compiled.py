"""Loops over arrays compiled to machine code: what NumPy and SciPy have no operation for."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from passerby.errors import EngineUnavailableError

try:
    import numba
except ImportError as error:
    raise EngineUnavailableError(
        "clustering needs numba, which is not installed; `pip install 'passerby[clustering]'`"
    ) from error

# The other layer is OpenMP, whose threads torch would have to share: its own loops take 40 times as long from then on.
# This one may be called from one thread of a process at a time.
numba.config.THREADING_LAYER = "workqueue"  # type: ignore[attr-defined]  # numba types none of its settings

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """A loop compiled at its first call; the machine code is kept on disk, and the interpreter's lock let go."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))


def compiled_sum(function: F) -> F:
    """As `compiled`, for sums, which may be added up in lanes: not as written, but the same for the same arguments."""
    return cast(F, numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})(function))


def compiled_parallel(function: F) -> F:
    """As `compiled`, where `numba.prange` spreads over the machine's cores."""
    return cast(F, numba.njit(cache=True, nogil=True, parallel=True)(function))
