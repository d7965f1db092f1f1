"""Tracklets in the wrong identity: what keeps two identities apart that by all else are one person.

One tracklet of somebody else is seen beside those of the right person sooner or later. Were that proof of two people,
an identity with a single mistake in it could never be one with the rest of its person, and whoever comes next would be
torn between the two. So being seen together is proof only as far as there are no mistakes: where a few tracklets
explain it all, fewer than either identity has, these may be strays, and leave.
"""

from collections import Counter

from hub.exclusion import conflicts
from hub.records import TrackletNumber
from hub.state import SiteState
from passerby.ids import IdentityId


def strays_between(state: SiteState, first: IdentityId, second: IdentityId) -> tuple[TrackletNumber, ...] | None:
    """The tracklets without which two identities were never seen together; None where these are two people for sure.

    Few are looked for: of those in most conflicts the one of the fewest pictures, then again (a greedy vertex cover).
    What an operator has said is never taken for a mistake.
    """
    if state.constraints.cannot_be_one(first, second):
        return None
    sides = state.members(first), state.members(second)
    together = conflicts(*sides)
    strays: list[TrackletNumber] = []
    while together:
        counts = Counter(number for pair in together for number in pair)
        free = {number for number in counts if state.constraints.must_be(number) is None}
        if any(free.isdisjoint(pair) for pair in together):
            return None
        stray = max(free, key=lambda number: (counts[number], -state.tracklets[number].exemplars, number))
        strays.append(stray)
        if len(strays) == min(map(len, sides)):
            return None
        together = [pair for pair in together if stray not in pair]
    return tuple(strays)
