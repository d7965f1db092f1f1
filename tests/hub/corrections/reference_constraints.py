"""The naive twin of hub.corrections.constraints: lists of sets, every pair looked at, every time from the beginning."""

from collections.abc import Collection, Iterable

from hub.corrections.constraints import Assertion


class NaiveConstraints:
    """The later word wins, pair by pair."""

    def __init__(self, assertions: Iterable[Assertion]) -> None:
        self.groups: list[set[int]] = []
        self.apart: set[frozenset[int]] = set()
        for one in sorted(assertions, key=lambda a: a.event_id):
            if one.tracklets and one.apart_from:
                self._part(set(one.tracklets), set(one.apart_from))
            if one.together:
                self._join(set(one.tracklets))

    def _part(self, left: set[int], right: set[int]) -> None:
        groups = []
        for group in self.groups:
            parted = group & left and group & right
            groups += [group & left, group & right, group - left - right] if parted else [group]
        self.groups = [group for group in groups if len(group) > 1]
        self.apart |= {frozenset((one, other)) for one in left for other in right}

    def _join(self, one: set[int]) -> None:
        touched = [group for group in self.groups if group & one]
        whole = one.union(*touched)
        self.groups = [group for group in self.groups if group not in touched]
        if len(whole) > 1:
            self.groups.append(whole)
        self.apart = {pair for pair in self.apart if not pair <= whole}

    def must_be_with(self, tracklet: int) -> set[int]:
        """Everybody who is one person with a tracklet."""
        return next((group - {tracklet} for group in self.groups if tracklet in group), set())

    def are_apart(self, one: int, other: int) -> bool:
        """Whether two are kept apart."""
        return one != other and frozenset((one, other)) in self.apart

    def cannot_be(self, tracklet: int, members: Collection[int]) -> bool:
        """Whether a tracklet is kept apart from any of these."""
        return any(self.are_apart(tracklet, member) for member in members)
