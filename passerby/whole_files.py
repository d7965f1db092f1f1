"""A file appears whole, or not at all."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def whole_file(file: Path, *, private: bool = False, durable: bool = True) -> Iterator[IO[bytes]]:
    """What is written here takes the place of `file` at the end of the block, and is on the disk by then if `durable`.

    Where the block raises, `file` is as it was and nothing else is left. `private`: its owner alone may read it.
    Raises OSError.
    """
    # Nobody looks for such a name, and two who write at once have two of them.
    scratch = file.with_name(f".{file.name}.{os.getpid()}.{time.monotonic_ns()}.new")
    try:
        descriptor = os.open(scratch, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
        with os.fdopen(descriptor, "w+b") as opened:
            yield opened
            opened.flush()
            if durable:
                os.fsync(opened.fileno())
        scratch.replace(file)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def write_whole(file: Path, data: bytes, *, private: bool = False, durable: bool = True) -> None:
    """Let `file` have this content. Raises OSError."""
    with whole_file(file, private=private, durable=durable) as opened:
        opened.write(data)
