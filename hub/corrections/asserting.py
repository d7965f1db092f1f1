"""What an event says for ever: the one rule by which a running hub and a rebuilt log have the same constraints."""

from collections.abc import Callable, Collection

from hub.corrections.constraints import Assertion
from hub.records import Event, EventKind, TrackletNumber
from passerby.ids import IdentityId

Members = Callable[[IdentityId], Collection[TrackletNumber]]
"""All tracklets of an identity."""


def assertion_of(event: Event, *, undone: Event | None, members: Members) -> Assertion | None:
    """What is asserted by an event that has just happened; None where it says nothing about anybody.

    `undone` is the event that it takes back, if it does; `members` tells who is where after it. Only operators assert.
    To take back what an operator did asserts nothing: it is as if it had never been. To take back what the hub decided
    by itself says that the opposite is true.
    """
    if event.act_id is None:
        return None
    if event.undoes is not None:
        return None if undone is None or undone.act_id is not None else _opposite(event, undone, members)
    match event.kind:
        case EventKind.MERGED:
            return _together(event, members)
        case EventKind.SPLIT:
            return _apart(event, moved(event), members, together=True)
        case EventKind.REJECTED:
            one = [event.tracklet] if event.tracklet is not None else members(event.identity_id)
            return _apart(event, one, members, together=False)
        case _:
            return None


def moved(event: Event) -> tuple[TrackletNumber, ...]:
    """All tracklets that an event names."""
    return event.tracklets if event.tracklet is None else (event.tracklet, *event.tracklets)


def _opposite(event: Event, undone: Event, members: Members) -> Assertion | None:
    match undone.kind:
        case EventKind.MERGED | EventKind.LINKED if event.kind is not EventKind.MERGED:
            return _apart(event, moved(event), members, together=False)
        case EventKind.SPLIT:
            return _together(event, members)
        case _:
            return None


def _together(event: Event, members: Members) -> Assertion:
    return Assertion(event_id=event.event_id, tracklets=frozenset(members(event.identity_id)), together=True)


def _apart(event: Event, one: Collection[TrackletNumber], members: Members, *, together: bool) -> Assertion:
    others = () if event.other_identity_id is None else members(event.other_identity_id)
    return Assertion(
        event_id=event.event_id,
        tracklets=frozenset(one),
        apart_from=frozenset(others).difference(one),
        together=together,
    )
