"""One hub per data folder: a lock that the system lets go of however the process ends."""

import fcntl
from pathlib import Path
from types import TracebackType
from typing import Self

from passerby.errors import StoreError


class DataLock:
    """Holds `hub.lock` of a data folder, which is made if need be. Raises StoreError when another hub has it."""

    def __init__(self, data_dir: Path) -> None:
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            self._file = (data_dir / "hub.lock").open("ab")
        except OSError as error:
            raise StoreError(f"{data_dir}: cannot use the data folder: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise StoreError(f"{data_dir}: another hub works here; stop it, or choose another `data` folder") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def is_owned(data_dir: Path) -> bool:
    """Whether a hub, or somebody in its place, works on a data folder at this moment."""
    try:
        with (data_dir / "hub.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
