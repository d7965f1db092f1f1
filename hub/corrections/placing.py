"""By which event each tracklet of an identity came to it."""

from collections.abc import Mapping

from hub.corrections.archive import Archive
from hub.corrections.asserting import moved
from hub.corrections.undoing import members_before
from hub.records import Event, EventKind, TrackletNumber
from passerby.ids import IdentityId

_PLACES = frozenset({EventKind.CREATED, EventKind.LINKED, EventKind.SPLIT, EventKind.RESTORED})


def placed_by(archive: Archive, identity_id: IdentityId) -> Mapping[TrackletNumber, Event]:
    """The latest event that brought each tracklet to an identity, those that have left it since too."""
    placed: dict[TrackletNumber, Event] = {}
    for event in archive.events_of(identity_id):
        if event.identity_id != identity_id:
            continue
        if event.kind in _PLACES:
            placed |= dict.fromkeys(moved(event), event)
        elif event.kind is EventKind.MERGED and event.other_identity_id is not None:
            placed |= dict.fromkeys(members_before(archive, event.other_identity_id, event.event_id), event)
    return placed
