"""Where operators' requests are carried out: by the hub that runs, or in its place where none does."""

import logging
import os
import time
import uuid
from pathlib import Path

from msgspec import structs

from hub.corrections.acts import Act, Outcome, Undo
from hub.corrections.archive import Archive
from hub.corrections.carrying_out import Request
from hub.corrections.requests import Answered, RequestFolder, Taken, actor_of, ask
from hub.ownership import is_owned
from hub.reader import SiteReader
from hub.site_hub import Hub
from passerby.errors import DataError, StoreError

_log = logging.getLogger("passerby.hub")

TIMEOUT_S = 30.0

_FAULTS = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
"""What a fault of ours may raise: it costs the request, and not the hub."""


class Desk:
    """Serves the requests that come to a running hub. Raises StoreError where its folder cannot be used."""

    def __init__(self, hub: Hub, data_dir: Path) -> None:
        self._hub = hub
        self._data_dir = data_dir
        self._folder = RequestFolder(data_dir)
        self._archive: SiteReader | None = None

    def serve(self, now_ns: int) -> None:
        """Carry out what has come, and answer. Whatever fails is in the answer, or in the log."""
        try:
            for taken in self._folder.take():
                self._folder.answer(taken.request_id, self._answer(taken, now_ns))
        except StoreError as error:
            _log.error("%s", error)

    def close(self) -> None:
        """Let go of the database."""
        if self._archive is not None:
            self._archive.close()

    def _answer(self, taken: Taken, now_ns: int) -> Answered:
        if taken.act is None:
            return Answered(refused="the hub does not understand the request; is it of another version?")
        try:
            if self._archive is None:
                self._archive = SiteReader(self._data_dir)
            outcome = correct(
                self._hub,
                self._archive,
                Request(request_id=taken.request_id, actor=taken.actor, act=taken.act),
                now_ns=now_ns,
            )
        except DataError as error:
            return Answered(refused=str(error))
        except StoreError as error:
            _log.error("%s asked for %s: %s", taken.actor, _kind(taken.act), error)
            return Answered(failed=str(error))
        except _FAULTS as error:
            _log.exception("%s asked for %s, which fails", taken.actor, _kind(taken.act))
            return Answered(failed=f"a fault of the hub's ({type(error).__name__}); its log has the trace")
        _log.info("%s: %s by %s, act %d", self._data_dir.name, _kind(taken.act), taken.actor, outcome.act_id)
        return Answered(outcome=outcome)


def correct(hub: Hub, archive: Archive, request: Request, *, now_ns: int) -> Outcome:
    """Carry out a request; of one that undoes a whole consolidation, each event by itself, the latest first.

    Those of its events that cannot be undone any more are left out. Raises DataError where that is all of them.
    """
    if not (isinstance(request.act, Undo) and request.act.whole):
        return hub.correct(request, archive, now_ns=now_ns)
    event = archive.event(request.act.event)
    if event is None or event.pass_id is None:
        raise DataError(f"event {request.act.event} was not decided together with others: undo it without --whole")
    outcomes: list[Outcome] = []
    refusals: list[DataError] = []
    for one in reversed(archive.events_of_pass(event.pass_id)):
        step = Request(
            request_id=f"{request.request_id}-{one.event_id}", actor=request.actor, act=Undo(event=one.event_id)
        )
        try:
            outcomes.append(hub.correct(step, archive, now_ns=now_ns))
        except DataError as error:
            refusals.append(error)
    if not outcomes:
        raise DataError(f"nothing of it can be undone: {refusals[0]}")
    return structs.replace(outcomes[-1], first_event=outcomes[0].first_event)


def request_correction(data_dir: Path, act: Act, *, behalf: str = "", timeout_s: float = TIMEOUT_S) -> Outcome:
    """Let an act be carried out on a data folder: by its hub if one runs, else here.

    On record is the system's user of this process, and for whom it asks, where `behalf` names somebody.

    Raises DataError, with the reason, where it cannot be done, and StoreError where there are no data, or nobody
    answers within `timeout_s`.
    """
    SiteReader(data_dir).close()  # says what is wrong where there is nothing to be corrected
    request_id = uuid.uuid4().hex
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if is_owned(data_dir):
            left_s = max(0.0, deadline - time.monotonic())
            answered = ask(
                data_dir,
                act,
                request_id=request_id,
                timeout_s=left_s,
                keep_waiting=lambda: is_owned(data_dir),
                behalf=behalf,
            )
            if answered is not None:
                return answered.result()
        else:
            try:
                hub = Hub.open(data_dir)
            except StoreError:
                if is_owned(data_dir):
                    continue  # one has started in this moment: it is asked
                raise
            with hub, SiteReader(data_dir) as archive:
                request = Request(request_id=request_id, actor=actor_of(os.getuid(), behalf), act=act)
                return correct(hub, archive, request, now_ns=time.time_ns())
    raise StoreError(f"{data_dir}: the hub does not answer within {timeout_s:.0f} s; nothing was changed")


def _kind(act: Act) -> str:
    return type(act).__name__.lower()
