"""Python's collector of cycles, and a hub that has millions of objects in mind, none of them in a cycle."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """Do not look for cycles within: as objects become more and more it looks through all of them again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def spare_what_is_there() -> None:
    """Let the collector never look again at what is there now: it stays, or goes when nobody refers to it any more.

    For a process that has just opened its hub. With 100,000 identities each full collection takes half a second.
    """
    gc.collect()
    gc.freeze()
