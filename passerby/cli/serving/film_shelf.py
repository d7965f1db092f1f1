"""Films that were brought by the web: kept for a while in the site's data folder, and gone however the process ends."""

import contextlib
import fcntl
import secrets
import shutil
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hub.films.records import Film
from hub.services import LONGEST_FILM
from passerby.cli.serving.footage import Footage, measure
from passerby.errors import DataError, StoreError

FOLDER = "films"
KEPT_S = 30 * 60.0
"""Since a film was last used."""

MOST_FILMS = 8
"""Here at once, those that are still coming among them."""

_LONGEST_NAME = 200


@dataclass(slots=True)
class _Kept:
    film: Film
    footage: Footage
    used_at: float


class Shelf:
    """Safe to use from several threads. What a process that had no time to clear up has left behind goes first."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / FOLDER
        self._folder = self._root / secrets.token_hex(8)
        self._lock_file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._decoding = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._coming = 0
        _clear(self._root)

    def begin(self, name: str, *, actor: str) -> "Incoming":
        """Take a film in. Raises DataError where there are too many, StoreError where the disk has no room."""
        with self._lock:
            if len(self._kept) + self._coming >= MOST_FILMS:
                raise DataError(f"{MOST_FILMS} films are here already; remove one, or wait until one goes by itself")
            try:
                self._make_folder()
                film_id = secrets.token_hex(8)
                file = self._folder / film_id
                incoming = Incoming(self, film_id, file, file.open("xb"), name=_told(name), actor=actor)
            except OSError as error:
                raise StoreError(f"{self._root}: cannot take a film in: {error.strerror}") from error
            self._coming += 1
            return incoming

    def films(self, *, actor: str) -> list[Film]:
        """Those that somebody has brought, the latest last."""
        with self._lock:
            return [one.film for one in self._kept.values() if one.film.actor == actor]

    def use(self, film_id: str, *, actor: str) -> tuple[Film, Footage]:
        """One of them; it is kept for longer now. Raises DataError where there is none."""
        with self._lock:
            kept = self._kept.get(film_id)
            if kept is None or kept.film.actor != actor:
                raise DataError(
                    f"there is no film {film_id[:40]!r}; it goes by itself {KEPT_S / 60:.0f} minutes after use"
                )
            kept.used_at = time.monotonic()
            return kept.film, kept.footage

    def frame(self, film_id: str, number: int, *, actor: str, width: int) -> bytes:
        """A frame as JPEG. Raises DataError."""
        _, footage = self.use(film_id, actor=actor)
        with self._decoding:  # one at a time: a slider that is drawn asks for many
            return footage.frame(number, width=width)

    def remove(self, film_id: str, *, actor: str) -> None:
        """Delete one. Raises DataError where there is none."""
        self.use(film_id, actor=actor)
        with self._lock:
            self._drop(film_id)

    def sweep(self, *, in_use: Collection[str] = ()) -> None:
        """Delete those that nobody has used for long, but for these."""
        now = time.monotonic()
        with self._lock:
            for film_id, kept in list(self._kept.items()):
                if film_id in in_use:
                    kept.used_at = now
                elif now - kept.used_at > KEPT_S:
                    self._drop(film_id)

    def close(self) -> None:
        """Delete them all."""
        with self._lock:
            self._kept.clear()
            shutil.rmtree(self._folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                self._root.rmdir()  # unless another process has films here
            if self._lock_file is not None:
                self._lock_file.close()
                self._lock_file = None

    def came(self, incoming: "Incoming", film: Film | None, footage: Footage | None) -> None:
        """It is here, or (None) was given up."""
        with self._lock:
            self._coming -= 1
            if film is not None and footage is not None:
                self._kept[film.film_id] = _Kept(film, footage, time.monotonic())
            else:
                incoming.file.unlink(missing_ok=True)

    def _drop(self, film_id: str) -> None:
        self._kept.pop(film_id, None)
        (self._folder / film_id).unlink(missing_ok=True)

    def _make_folder(self) -> None:
        if self._lock_file is None:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.mkdir(mode=0o700)
            self._lock_file = (self._folder / "lock").open("wb")
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)


class Incoming:
    """A film that is coming. `finish` or `close` it."""

    def __init__(self, shelf: Shelf, film_id: str, file: Path, opened: IO[bytes], *, name: str, actor: str) -> None:
        self.file = file
        self._shelf, self._film_id, self._opened = shelf, film_id, opened
        self._name, self._actor = name, actor
        self._size = 0
        self._ended = False

    def write(self, data: bytes) -> None:
        """More of it. Raises DataError where it is too long, StoreError where the disk is full."""
        self._size += len(data)
        if self._size > LONGEST_FILM:
            raise DataError(f"{self._name} has more than {LONGEST_FILM >> 20} MiB; cut out what is meant")
        try:
            self._opened.write(data)
        except OSError as error:
            raise StoreError(f"{self._name} cannot be taken in: {error.strerror}") from error

    def finish(self) -> Film:
        """It is all here. Raises DataError, and deletes it, where it is no film that is taken."""
        try:
            self._opened.close()
            footage = measure(self.file, name=self._name)
        except OSError as error:
            raise StoreError(f"{self._name} cannot be taken in: {error.strerror}") from error
        film = Film(
            film_id=self._film_id,
            name=self._name,
            actor=self._actor,
            size=self._size,
            frames=len(footage),
            fps=footage.fps,
            width=footage.width,
            height=footage.height,
        )
        self._ended = True
        self._shelf.came(self, film, footage)
        return film

    def close(self) -> None:
        """Give it up, unless it is here."""
        if not self._ended:
            self._ended = True
            with contextlib.suppress(OSError):
                self._opened.close()
            self._shelf.came(self, None, None)


def _clear(root: Path) -> None:
    """Delete the folders of processes that are no more: each locks its own while it lives."""
    for folder in root.glob("*/"):
        try:
            with (folder / "lock").open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


def _told(name: str) -> str:
    """The name of a file as it is shown: without its folder, and printable."""
    bare = name.replace("\\", "/").rsplit("/", maxsplit=1)[-1]
    return "".join(letter for letter in bare if letter.isprintable())[:_LONGEST_NAME].strip() or "the film"
