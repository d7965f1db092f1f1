"""Folders that a command makes anew each time, and never in place of something that it did not make."""

import shutil
from pathlib import Path

from passerby.errors import ConfigError


def fresh_folder(folder: Path, *, made_by: str) -> Path:
    """An empty `folder`, in place of one that the same command made before.

    Raises ConfigError when something else is there: it stays.
    """
    mark = folder / f"made-by-{made_by}"
    if folder.exists():
        if not mark.exists():
            raise ConfigError(f"{folder} was not made by `passerby {made_by}`, and would be replaced; choose another")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    mark.touch()
    return folder
