"""What operators say on a page, carried out by the hub, with a way back."""

from collections.abc import Mapping

from hub.access.records import Role
from hub.corrections.acts import Act, Outcome, Undo
from hub.dashboard.visit import Reaction, Visit
from hub.dashboard.wording import in_short
from hub.narration import sentence
from hub.records import EventId, EventKind
from passerby.errors import DataError

_UNDONE = {EventKind.MERGED, EventKind.LINKED, EventKind.SPLIT, EventKind.REJECTED, EventKind.RENAMED}
"""Kinds of events that can be taken back."""


def require(visit: Visit, role: Role, what: str) -> None:
    """Raises DataError where the visitor may not do it."""
    if not visit.principal.may(role):
        raise DataError(f"{visit.principal.name} is {visit.principal.role.value}: {what} takes {role.value}")


def carry_out(visit: Visit, act: Act, *, role: Role = Role.OPERATOR) -> Outcome:
    """Let the hub do it. Raises DataError where it cannot or may not be done, StoreError where nobody answers."""
    require(visit, role, "to correct")
    return visit.services.correct(act, actor=visit.principal.name, address=visit.address)


def correct(visit: Visit, act: Act, *, goes: str | None = None) -> Reaction:
    """Carry out an act and tell what it has changed, with the way back where there is one."""
    outcome = carry_out(visit, act)
    said, undo = changed(visit, outcome)
    return Reaction(said=said, undo=undo, goes=goes, again=goes is None)


def changed(visit: Visit, outcome: Outcome) -> tuple[str, EventId | None]:
    """What an act has changed, in words, and the event that takes it back if undone."""
    first, last = outcome.first_event, outcome.last_event
    if first is None or last is None:
        return "Noted; nothing else has changed.", None
    events = visit.reader.events(after=first - 1, limit=last - first + 1)
    words = in_short(sentence(events[0], visit.reader))
    more = f", and {len(events) - 1} more" if len(events) > 1 else ""
    undo = next((e.event_id for e in events if e.kind in _UNDONE and e.undoes is None), None)
    return f"{words}{more}.", undo


def undo(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Take an event back."""
    outcome = carry_out(visit, Undo(event=EventId(int(said["event"]))))
    return Reaction(said=f"Undone. {changed(visit, outcome)[0]}", again=True)
