"""Adaptations of a site as jobs: a folder each under its data, in which whoever looks finds how far it is.

`adaptation/NNNN/job.json` says what was asked, and is never changed. `progress.json` says how far it is, and is written
by the process that does it, whole each time. `cancel` appears where somebody wants it to end. One job is done at a
time: the process that does it holds the lock of `adaptation/running.lock`, which the system lets go of however it ends.
"""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from passerby.errors import DataError, StoreError
from passerby.ids import ModelId
from passerby.whole_files import write_whole

FOLDER_NAME = "adaptation"
JOB, PROGRESS, CANCEL = "job.json", "progress.json", "cancel"
SNAPSHOT, MODEL, VERDICT, REPORT = "snapshot", "model", "verdict.json", "report.html"
"""What lies in a job's folder: two folders and two files."""

Trigger: TypeAlias = Literal["hand", "schedule", "drift"]
State: TypeAlias = Literal["queued", "running", "passed", "refused", "failed", "cancelled"]
Phase: TypeAlias = Literal["freezing", "reading", "learning", "exporting", "judging"]

PHASES: tuple[Phase, ...] = ("freezing", "reading", "learning", "exporting", "judging")
UNDER_WAY: frozenset[State] = frozenset({"queued", "running"})


class JobRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was asked for."""

    number: int
    asked_at_ns: int
    actor: str
    trigger: Trigger
    parent: str
    """The deployed model by name: what the adaptation starts from, and is measured against."""
    parent_id: ModelId
    recipe: str
    minutes: float
    """Of learning, all rounds together."""
    seed: int
    newest_tracklet: int
    """The hub's number of the latest tracklet at that time."""
    threads: int
    memory_mib: int
    most_crops: int


class JobProgress(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a job is."""

    state: State
    at_ns: int
    phase: Phase | None = None
    """None before it begins."""
    share: float = 0.0
    """Of the phase, 0-1."""
    word: str = ""
    """How it goes, for a person."""
    eta_s: float | None = None
    """Seconds to its end; None: not known yet."""
    reason: str = ""
    """Why it ended as it did, where it was not passed."""
    model_id: ModelId | None = None
    """The adapted model, once there is one."""


class Job:
    """One job's folder."""

    def __init__(self, folder: Path, request: JobRequest) -> None:
        self.folder = folder
        self.request = request

    @property
    def number(self) -> int:
        """Of the job, from 1."""
        return self.request.number

    @property
    def model_name(self) -> str:
        """What the adapted model is called."""
        return adapted_name(self.request.parent, self.number)

    def progress(self) -> JobProgress:
        """How far it is. Raises DataError where that cannot be read."""
        try:
            return msgspec.json.decode((self.folder / PROGRESS).read_bytes(), type=JobProgress)
        except FileNotFoundError:
            return JobProgress(state="queued", at_ns=self.request.asked_at_ns)
        except (OSError, msgspec.DecodeError) as error:
            raise DataError(f"{self.folder / PROGRESS}: cannot be read: {error}") from error

    def tell(self, progress: JobProgress) -> None:
        """Say how far it is. Raises StoreError where the disk does not take it."""
        _write(self.folder / PROGRESS, msgspec.json.encode(progress))

    def cancel(self) -> None:
        """Ask for its end. Raises StoreError."""
        _write(self.folder / CANCEL, b"")

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked for its end."""
        return (self.folder / CANCEL).exists()

    def end_cancelled(self) -> None:
        """Leave nothing but the record of it, which says that it was cancelled."""
        self.clear()
        self.tell(JobProgress(state="cancelled", at_ns=time.time_ns(), reason="somebody asked for it"))

    def clear(self) -> None:
        """Leave nothing but the request and the last word on how far it was."""
        for path in self.folder.iterdir():
            if path.name not in (JOB, PROGRESS):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


class JobBook:
    """All jobs of a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / FOLDER_NAME

    def jobs(self) -> list[Job]:
        """All of them, in the order of their numbers. Raises DataError for one that cannot be read."""
        if not self.folder.is_dir():
            return []
        found = [path for path in self.folder.iterdir() if path.name.isdigit() and (path / JOB).exists()]
        return [_read(path) for path in sorted(found, key=lambda path: int(path.name))]

    def job(self, number: int) -> Job:
        """The job of this number. Raises DataError where there is none."""
        folder = self.folder / f"{number:04d}"
        if not (folder / JOB).exists():
            known = ", ".join(str(job.number) for job in self.jobs()) or "none"
            raise DataError(f"there is no adaptation {number} here; there are: {known}")
        return _read(folder)

    def under_way(self) -> Job | None:
        """The job that is queued or running, if there is one."""
        return next((job for job in self.jobs() if job.progress().state in UNDER_WAY), None)

    def ask(self, request: JobRequest) -> Job:
        """Queue a job; its number is the next one, whatever the request says.

        Raises DataError where one is under way, StoreError where the disk does not take it.
        """
        with self._locked("book.lock", wait=True):
            other = self.under_way()
            if other is not None:
                raise DataError(
                    f"adaptation {other.number} is {other.progress().state}, one is done at a time; wait for it "
                    f"(`passerby adapt status`) or end it (`passerby adapt cancel {other.number}`)"
                )
            number = max((job.number for job in self.jobs()), default=0) + 1
            asked = msgspec.structs.replace(request, number=number)
            folder = self.folder / f"{number:04d}"
            folder.mkdir(exist_ok=True)
            _write(folder / JOB, msgspec.json.format(msgspec.json.encode(asked)))
            return Job(folder, asked)

    def cancel(self, number: int) -> None:
        """End a job that is under way. Raises DataError where there is none, or it has ended; StoreError."""
        job = self.job(number)
        state = job.progress().state
        if state not in UNDER_WAY:
            raise DataError(f"adaptation {number} has ended: it was {state}")
        job.cancel()
        with suppress(StoreError), self.doing():  # a process that does it ends it by itself
            job.end_cancelled()

    @contextmanager
    def doing(self) -> Iterator[None]:
        """Held while a job is done. Raises StoreError where another process does one."""
        with self._locked("running.lock", wait=False):
            yield

    def is_done_now(self) -> bool:
        """Whether a process does a job at this moment."""
        try:
            with self._locked("running.lock", wait=False):
                return False
        except StoreError:
            return True

    @contextmanager
    def _locked(self, name: str, *, wait: bool) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / name).open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                yield
        except BlockingIOError as error:
            raise StoreError(f"{self.folder}: another process does an adaptation here") from error
        except PermissionError as error:
            raise StoreError(f"{self.folder}: cannot be written: {error.strerror}") from error


def adapted_name(parent: str, number: int) -> str:
    """The name of the model that job `number` makes: of the first parent, and its own number.

    >>> adapted_name("osnet", 7), adapted_name("osnet-site0007", 12)
    ('osnet-site0007', 'osnet-site0012')
    """
    root, mark, digits = parent.rpartition("-site")
    return f"{root if mark and digits.isdigit() else parent}-site{number:04d}"


def _read(folder: Path) -> Job:
    try:
        return Job(folder, msgspec.json.decode((folder / JOB).read_bytes(), type=JobRequest))
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(f"{folder / JOB}: cannot be read: {error}") from error


def _write(file: Path, data: bytes) -> None:
    try:
        write_whole(file, data)
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}") from error
