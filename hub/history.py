"""Who a tracklet was taken for at any moment, told again from the event log."""

import bisect
from collections.abc import Iterable

from hub.corrections.asserting import moved
from hub.records import Event, EventKind, TrackletNumber
from passerby.ids import IdentityId

_BELONGS = frozenset({EventKind.CREATED, EventKind.LINKED, EventKind.SPLIT, EventKind.RESTORED})


class DecisionHistory:
    """The decisions on every tracklet with their times, merges and operators' corrections included."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._times: dict[TrackletNumber, list[int]] = {}
        self._identities: dict[TrackletNumber, list[IdentityId]] = {}
        members: dict[IdentityId, dict[TrackletNumber, None]] = {}
        for event in events:
            if event.kind in _BELONGS:
                for tracklet in moved(event):
                    if event.other_identity_id is not None:
                        members.get(event.other_identity_id, {}).pop(tracklet, None)
                    members.setdefault(event.identity_id, {})[tracklet] = None
                    self._note(tracklet, event.at_ns, event.identity_id)
            elif event.kind is EventKind.MERGED and event.other_identity_id is not None:
                absorbed = members.pop(event.other_identity_id, {})
                members.setdefault(event.identity_id, {}).update(absorbed)
                for tracklet in absorbed:
                    self._note(tracklet, event.at_ns, event.identity_id)

    def decisions(self, tracklet: TrackletNumber) -> list[tuple[int, IdentityId]]:
        """(hub's time, identity) of each decision on a tracklet, in order; empty if there was none."""
        return list(zip(self._times.get(tracklet, []), self._identities.get(tracklet, []), strict=True))

    def identity_at(self, tracklet: TrackletNumber, at_ns: int) -> IdentityId | None:
        """Who it was taken for at this hub's time; None before the first decision."""
        position = bisect.bisect_right(self._times.get(tracklet, []), at_ns)
        return self._identities[tracklet][position - 1] if position else None

    def last_identity(self, tracklet: TrackletNumber) -> IdentityId | None:
        """Who it is taken for after all events; None if it was never decided."""
        return self._identities[tracklet][-1] if tracklet in self._identities else None

    def _note(self, tracklet: TrackletNumber, at_ns: int, identity_id: IdentityId) -> None:
        self._times.setdefault(tracklet, []).append(at_ns)
        self._identities.setdefault(tracklet, []).append(identity_id)
