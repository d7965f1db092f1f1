"""How an operator's request reaches the hub that runs, and its answer comes back: as files in the data folder.

`requests/ID.request` is written by who asks, and appears whole. The hub takes it (`ID.taken`), carries it out, writes
`ID.answer`, and the one who asked deletes that. So a running hub stays the only writer of its data, any user who may
write into the folder may ask, and who that was is the owner of the file; for whom else they say they ask is told too.
A hub that is killed in between finds what it has taken, and whether it was carried out stands in its database.
"""

import contextlib
import os
import pwd
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.corrections.acts import Act, Outcome
from passerby.errors import DataError, StoreError
from passerby.whole_files import write_whole

FOLDER_NAME = "requests"
AT_ONCE = 16
"""The hub takes so many requests before it looks at messages again."""

LONGEST_BYTES = 1 << 20
_POLL_S = 0.05
_ABANDONED_S = 3600.0
_ID = re.compile(r"[0-9a-f]{32}")


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked, as it lies in the file."""

    act: Act
    behalf: str = ""
    """For whom the file's owner asks, as the web process does for who has signed in; empty: for themselves."""


class Answered(Struct, frozen=True, kw_only=True):
    """The hub's answer: either what came of it, or why it could not be done."""

    outcome: Outcome | None = None
    refused: str | None = None
    """A reason that lies in the request."""
    failed: str | None = None
    """A reason that lies with the hub."""

    def result(self) -> Outcome:
        """What came of it. Raises DataError or StoreError where it was not done."""
        if self.outcome is not None:
            return self.outcome
        if self.refused is not None:
            raise DataError(self.refused)
        raise StoreError(self.failed or "the hub gave no answer")


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that the hub has taken; `act` is None where the file holds none."""

    request_id: str
    actor: str
    act: Act | None


class RequestFolder:
    """The hub's side. Raises StoreError where the folder cannot be used."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER_NAME
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A former hub's: what it had taken is taken again, and answers that nobody fetched are thrown away.
            for file in self._folder.glob("*.taken"):
                file.replace(file.with_suffix(".request"))
            for file in self._folder.glob("*.answer"):
                if time.time() - file.stat().st_mtime > _ABANDONED_S:
                    file.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self._folder}: cannot take requests there: {error.strerror}") from error

    def take(self) -> list[Taken]:
        """The requests that have come, at most AT_ONCE, in the order of their names. Costs a look at a folder."""
        try:
            names = [name for name in os.listdir(self._folder) if name.endswith(".request")]
        except OSError as error:
            raise StoreError(f"{self._folder}: cannot look for requests: {error.strerror}") from error
        taken = []
        for name in sorted(names)[:AT_ONCE]:
            request = self._take(self._folder / name)
            if request is not None:
                taken.append(request)
        return taken

    def answer(self, request_id: str, answered: Answered) -> None:
        """Tell who asked. Raises StoreError where the disk does not take it: the next start answers."""
        try:
            # Its owner alone reads it: a name may stand in it.
            write_whole(self._folder / f"{request_id}.answer", msgspec.json.encode(answered), private=True)
            (self._folder / f"{request_id}.taken").unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self._folder}: cannot answer request {request_id}: {error.strerror}") from error

    def _take(self, file: Path) -> Taken | None:
        request_id = file.name.removesuffix(".request")
        mine = file.with_suffix(".taken")
        try:
            file.replace(mine)
            status = mine.stat()
            data = mine.read_bytes() if status.st_size <= LONGEST_BYTES else b""
        except OSError:
            return None  # withdrawn in this very moment, or another user's that cannot be read: it times out there
        if not _ID.fullmatch(request_id):
            mine.unlink(missing_ok=True)
            return None
        try:
            asked = msgspec.json.decode(data, type=Asked)
        except msgspec.DecodeError:
            return Taken(request_id, user_name(status.st_uid), None)
        return Taken(request_id, actor_of(status.st_uid, asked.behalf), asked.act)


def ask(
    data_dir: Path,
    act: Act,
    *,
    request_id: str,
    timeout_s: float,
    keep_waiting: Callable[[], bool],
    behalf: str = "",
) -> Answered | None:
    """Ask the hub of a data folder, from another process, and wait for its answer; `behalf` is for whom.

    None where `keep_waiting` said that nobody is there to answer, or the time was over, before the hub took it: then it
    will not be done. Raises StoreError where the hub has taken it and gives no answer.
    """
    folder = data_dir / FOLDER_NAME
    request, answer = folder / f"{request_id}.request", folder / f"{request_id}.answer"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        write_whole(request, msgspec.json.encode(Asked(act=act, behalf=behalf)), private=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot ask the hub: {error.strerror}") from error
    deadline = time.monotonic() + timeout_s
    while True:
        over = time.monotonic() >= deadline
        with contextlib.suppress(FileNotFoundError):
            answered = msgspec.json.decode(answer.read_bytes(), type=Answered)
            answer.unlink(missing_ok=True)
            return answered
        if over or not keep_waiting():
            with contextlib.suppress(FileNotFoundError):
                request.unlink()
                return None
            if over:
                raise StoreError(
                    f"the hub has taken the request, but gave no answer within {timeout_s:.0f} s; it may yet be done: "
                    f"`passerby watch --since 0` shows what was"
                )
        time.sleep(_POLL_S)


def actor_of(user_id: int, behalf: str) -> str:
    """Who is on record: the system's user, or for whom they say they ask, and then both.

    >>> actor_of(0, ""), actor_of(0, "ada")
    ('root', 'ada by way of root')
    """
    return f"{behalf} by way of {user_name(user_id)}" if behalf else user_name(user_id)


def user_name(user_id: int) -> str:
    """The system's name of a user, or the number where it has none."""
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)
