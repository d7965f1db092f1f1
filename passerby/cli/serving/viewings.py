"""Questions about films, answered one after the other by a process of its own that gives way to all others."""

import contextlib
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from hub.films.records import UNDER_WAY, Asked, Enrolled, Film, State, Viewing, Word
from passerby.cli.looking.options import Place
from passerby.cli.serving.onlooker import Errand
from passerby.errors import DataError, PasserbyError

_log = logging.getLogger("passerby.web")

MOST_QUEUED = 8
KEPT_S = 30 * 60.0
"""Since a question was answered: crops of people are in the answer."""

LONGEST_S = 30 * 60.0
"""Then a process is given up."""

IDLE_S = 60.0
"""Without a question, then the process that looks is ended; until then it keeps the networks."""

NICE = 10
"""Under load the hub gets nine parts of a core, this one."""

_LOOK_S = 5.0


@dataclass(slots=True)
class _Job:
    viewing: Viewing
    file: Path
    address: str
    ended_at: float | None = None

    def tell(self, **changes: Any) -> None:
        self.viewing = msgspec.structs.replace(self.viewing, **changes)

    def end(self, state: State, **changes: Any) -> None:
        self.tell(state=state, **changes)
        self.ended_at = time.monotonic()

    @property
    def is_under_way(self) -> bool:
        return self.viewing.state in UNDER_WAY


class Viewings:
    """Safe to use from several threads. The thread that works begins with the first question.

    `place` is asked for the site's networks before each; `rest` is called now and then; `on_enrolled` hears of each
    new enrolment, with the address that was given with the question.
    """

    def __init__(
        self,
        *,
        place: Callable[[], Place],
        rest: Callable[[], None] = lambda: None,
        on_enrolled: Callable[[Viewing, Enrolled, str], None] = lambda *_: None,
        nice: int = NICE,
    ) -> None:
        self._nice = nice
        self._place, self._rest, self._on_enrolled = place, rest, on_enrolled
        self._jobs: dict[int, _Job] = {}
        self._last = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._looked_at: _Job | None = None
        self._idle_since = time.monotonic()
        self._is_over = False

    def ask(self, film: Film, file: Path, asked: Asked, *, address: str = "") -> Viewing:
        """Queue a question. Raises DataError where it asks for frames that there are not, or too many wait."""
        last = film.frames if asked.last is None else asked.last
        if not 1 <= asked.first <= last <= film.frames:
            raise DataError(f"frames {asked.first} to {last}, expected some of 1 to {film.frames}")
        with self._changed:
            waiting = sum(job.viewing.state == "queued" for job in self._jobs.values())
            if waiting >= MOST_QUEUED or self._is_over:
                raise DataError(f"{waiting} films wait to be looked at; try again when they are done")
            self._last += 1
            viewing = Viewing(number=self._last, film=film, asked=asked, asked_at_ns=time.time_ns(), of_frames=last)
            self._jobs[viewing.number] = _Job(viewing, file, address)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="viewings", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return viewing

    def viewings(self, *, actor: str) -> list[Viewing]:
        """What somebody has asked, in order."""
        with self._changed:
            return [job.viewing for job in self._jobs.values() if job.viewing.film.actor == actor]

    def viewing(self, number: int, *, actor: str) -> Viewing:
        """One of them. Raises DataError where there is none."""
        with self._changed:
            return self._job(number, actor).viewing

    def cancel(self, number: int, *, actor: str) -> Viewing:
        """End it. Raises DataError where there is none, or it has ended."""
        with self._changed:
            job = self._job(number, actor)
            if not job.is_under_way:
                raise DataError(f"viewing {number} is {job.viewing.state} already")
            job.end("cancelled")
            if self._looked_at is job and self._child is not None:
                self._child.kill()
            return job.viewing

    @property
    def films_in_use(self) -> set[str]:
        """The films of questions that are not answered yet."""
        with self._changed:
            return {job.viewing.film.film_id for job in self._jobs.values() if job.is_under_way}

    def close(self) -> None:
        """End all."""
        with self._changed:
            self._is_over = True
            if self._child is not None:
                self._child.kill()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _job(self, number: int, actor: str) -> _Job:
        job = self._jobs.get(number)
        if job is None or job.viewing.film.actor != actor:
            raise DataError(f"there is no viewing {number}; an answer is kept for {KEPT_S / 60:.0f} minutes")
        return job

    def _work(self) -> None:
        while True:
            with self._changed:
                queued = next((job for job in self._jobs.values() if job.viewing.state == "queued"), None)
                if queued is None and not self._is_over:
                    self._changed.wait(_LOOK_S)
                if self._is_over or time.monotonic() - self._idle_since > IDLE_S:
                    self._leave()
                if self._is_over:
                    return
                self._forget()
            self._rest()
            if queued is not None:
                self._look(queued)
                self._idle_since = time.monotonic()

    def _forget(self) -> None:
        now = time.monotonic()
        for number, job in list(self._jobs.items()):
            if job.ended_at is not None and now - job.ended_at > KEPT_S:
                del self._jobs[number]

    def _look(self, job: _Job) -> None:
        try:
            word = self._last_word(job)
        except (PasserbyError, OSError) as error:
            word = Word(error=str(error))
        with self._changed:
            if not job.is_under_way:
                return  # cancelled
            if word.answer is None:
                job.end("failed", reason=word.error)
                return
            job.end("done", answer=word.answer)
        if isinstance(word.answer, Enrolled):
            self._on_enrolled(job.viewing, word.answer, job.address)

    def _last_word(self, job: _Job) -> Word:
        """Of the process that looks."""
        place, film, asked = self._place(), job.viewing.film, job.viewing.asked
        errand = Errand(
            film=str(job.file),
            name=film.name,
            frames=film.frames,
            asked=asked,
            data=str(place.data),
            models=place.models,
            engine=place.engine,
            threads=place.threads,
            association=place.association,
            nice=self._nice,
        )
        with self._changed:
            if self._is_over or not job.is_under_way:
                return Word(error="cancelled")
            if self._child is None or self._child.poll() is not None:
                self._leave()
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "passerby.cli.serving.onlooker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    start_new_session=True,  # so that only we signal it
                )
            child = self._child
            self._looked_at = job
            job.tell(state="running", phase="loading")
        impatient = threading.Timer(LONGEST_S, child.kill)
        impatient.start()
        try:
            return self._listen(job, child, errand)
        finally:
            impatient.cancel()
            with self._changed:
                self._looked_at = None

    def _leave(self) -> None:
        """End the process that looks, which keeps the networks for the next question."""
        if self._child is None:
            return
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._child = None

    def _listen(self, job: _Job, child: subprocess.Popen[bytes], errand: Errand) -> Word:
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - both are pipes
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(msgspec.json.encode(errand) + b"\n")
            child.stdin.flush()  # left open: its end would end the child
        for line in child.stdout:
            word = msgspec.json.decode(line, type=Word)
            if word.answer is not None or word.error:
                return word
            with self._changed:
                if job.is_under_way:
                    job.tell(phase=word.phase, frame=max(job.viewing.frame, word.frame))
        code = child.wait()  # its output has ended
        if job.is_under_way:
            _log.error("the process that looks at a film ended with exit code %d", code)
        why = "it took too long, or the machine has no memory left" if code < 0 else "the log says why"
        return Word(error=f"the process that looked at it ended (exit code {code}): {why}")
