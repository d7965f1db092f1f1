"""A shelf of rendered sites on the user's disk: bounded, and the one that was not used for longest goes first."""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from passerby.errors import DataError
from simulation.ahead import SiteRecipe
from simulation.kinds import KIND_VERSION
from simulation.reels import REEL_S

SHELF_BYTES = 2 * 1024**3
"""Most that the shelf keeps; the site that is shown stays even if it alone is larger."""

_FORMAT = 1
"""Changes with how reels are written."""


def shelf_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where rendered sites are kept: PASSERBY_HOME/cache/footage, or passerby/footage in the user's cache folder."""
    variables = os.environ if environment is None else environment
    if home := variables.get("PASSERBY_HOME"):
        return Path(home).expanduser().resolve() / "cache" / "footage"
    cache = Path(variables.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser()
    return cache.resolve() / "passerby" / "footage"


def site_folder_name(recipe: SiteRecipe) -> str:
    """One name for each site that looks different, whatever its seed; begins with what a person wants to know."""
    said = f"{_FORMAT} {REEL_S} {KIND_VERSION} {recipe!r}"
    digest = hashlib.blake2b(said.encode(), digest_size=8).hexdigest()
    return f"{recipe.kind.name}-v{KIND_VERSION}-{recipe.cameras}cameras-{digest}"


@contextlib.contextmanager
def kept_site(recipe: SiteRecipe, *, shelf: Path | None = None, most_bytes: int = SHELF_BYTES) -> Iterator[Path]:
    """The folder of a site's reels, which nobody removes while it is in use; afterwards the shelf is tidied.

    `shelf` None: the user's. Raises DataError where it cannot be made.
    """
    shelf = shelf_folder() if shelf is None else shelf
    folder = shelf / site_folder_name(recipe)
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        lock = _lock_file(folder).open("ab")
        fcntl.flock(lock, fcntl.LOCK_SH)  # waits at most while a tidier removes this very site
        folder.mkdir(exist_ok=True)
        os.utime(folder)
    except OSError as error:
        raise DataError(
            f"cannot keep rendered footage in {folder}: {error.strerror}; set PASSERBY_HOME to a folder that is yours"
        ) from error
    with lock:
        tidy(shelf, most_bytes=most_bytes)
        yield folder
        tidy(shelf, most_bytes=most_bytes)


def tidy(shelf: Path, *, most_bytes: int) -> list[Path]:
    """Remove the sites used longest ago until at most `most_bytes` are left; gives those removed.

    A site that some process uses stays.
    """
    sizes = {folder: _size(folder) for folder in _sites(shelf)}
    removed = []
    for folder in list(sizes):
        if sum(sizes.values()) <= most_bytes:
            break
        if _remove_unused(folder):
            del sizes[folder]
            removed.append(folder)
    return removed


def _sites(shelf: Path) -> list[Path]:
    """The folders of the shelf, the one used longest ago first."""
    used_at = {}
    for folder in shelf.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process tidies too
            if folder.is_dir():
                used_at[folder] = folder.stat().st_mtime_ns
    return sorted(used_at, key=lambda folder: (used_at[folder], folder.name))


def _size(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def _lock_file(folder: Path) -> Path:
    """Beside the folder, and never removed: a lock within it could be removed between its opening and its locking."""
    return folder.with_name(f".{folder.name}.lock")


def _remove_unused(folder: Path) -> bool:
    """Whether it could be removed: not while in use, or by another who tidies, or without the right to."""
    try:
        with _lock_file(folder).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
    except OSError:
        return False
    return True
