"""Where twins come to the hub: as files in its data folder, from whoever made them."""

import contextlib
import logging
import os
from pathlib import Path

from hub.site_hub import Hub
from passerby.adaptation.twins import FOLDER_NAME, SUFFIX, Twins, read_twins
from passerby.errors import DataError, StoreError

_log = logging.getLogger("passerby.hub")

AT_ONCE = 4
"""The hub takes so many files before it looks at messages again."""

DAMAGED_SUFFIX = ".damaged"

_FAULTS = (ArithmeticError, DataError, LookupError, RuntimeError, TypeError, ValueError)
"""What a fault of ours may raise: it costs the twins, and not the hub."""


class TwinInbox:
    """Gives the files that have come to a running hub, in the order of their names, and deletes what it has taken.

    A hub that is killed in between finds them again, and taking them twice has no effect.
    """

    def __init__(self, hub: Hub, data_dir: Path) -> None:
        self._hub = hub
        self._folder = data_dir / FOLDER_NAME

    def serve(self) -> int:
        """Let the hub take at most AT_ONCE files in one transaction; gives how many twins it keeps of them.

        Costs a look at a folder. A file that cannot be used is moved aside, which is logged; what the database or the
        disk does not take is tried again the next time.
        """
        try:
            return self._serve()
        except StoreError as error:
            _log.error("%s; the twins are taken later", error)
        except OSError as error:
            _log.error("%s: cannot take twins there: %s", self._folder, error.strerror)
        return 0

    def _serve(self) -> int:
        try:
            names = sorted(name for name in os.listdir(self._folder) if name.endswith(SUFFIX) and name[0] != ".")
        except FileNotFoundError:
            return 0
        files = [self._folder / name for name in names[:AT_ONCE]]
        read = {file: twins for file in files if (twins := self._read(file)) is not None}
        if not read:
            return 0
        first = next(iter(read.values()))
        # Of a model that is not known yet nobody can say which of two lengths is right: the others come next.
        alike = {f: t for f, t in read.items() if t.model_id != first.model_id or t.dimension == first.dimension}
        try:
            taken = self._hub.take_twins(list(alike.values()))
        except _FAULTS:
            _log.exception("twins cannot be worked on; they are moved aside")
            for file in alike:
                _move_aside(file)
            return 0
        for file in alike:
            file.unlink(missing_ok=True)
        return taken

    def _read(self, file: Path) -> Twins | None:
        try:
            twins = read_twins(file)
            self._hub.require_fitting(twins)
        except DataError as error:
            _log.error("%s; it is moved aside", error)
            _move_aside(file)
            return None
        return twins


def _move_aside(file: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        file.replace(file.with_name(file.name + DAMAGED_SUFFIX))
