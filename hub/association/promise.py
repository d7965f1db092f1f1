"""The operator's promise kept: from which probability on links are made so that few enough of them are false.

The expected share of false links among all that are made from a boundary on is the mean of 1 - p over them (the
tail-area false discovery rate, Efron 2007). The boundary is the lowest at which that mean, over the latest decisions,
is what the operator allows. Most links are sure, and pay for some that are less so.
"""

import msgspec
import numpy as np

_KEPT = 600
"""The latest decisions that are looked at."""

_CAUTIOUS = 60
"""As long as fewer are known, the boundary is nearer to the usual one than to theirs."""

_USUAL_SHARE = 10.0
"""At the boundary a link is usually so many times as doubtful as links are on average."""

_UNSEEN = 0.007
"""Share of the surest links that are wrong all the same, on thirty simulated sites: a tracker has exchanged two people,
and nothing shows it."""

_MOST_SHARE, _MOST_SHARE_OF_MERGES = 4.0, 8.0
"""At the boundary links are at least so many times as doubtful as they may be on average, and merges: without them
nothing is learned, and whoever is in fragments is everybody's rival."""

_MOST_SHARE_AT_FIRST = 12.0

_EXPERIENCED = 200
"""Decisions after which a site is past its beginning."""

_LOWEST, _HIGHEST = 0.6, 0.995


class Promise(msgspec.Struct):
    """The probabilities of the best identity of the latest ended tracklets, whether linked or not."""

    probabilities: list[float] = msgspec.field(default_factory=list)

    def learn(self, probability: float) -> None:
        """Take the probability of the best identity of an ended tracklet."""
        self.probabilities.append(round(probability, 4))
        del self.probabilities[:-_KEPT]

    def boundary(self, false_link_rate: float, *, merges: bool = False) -> float:
        """The probability from which on links are made, for at most this share (0-1) of false ones; or `merges`."""
        usual = 1.0 - _USUAL_SHARE * false_link_rate
        doubts = 1.0 - (1.0 - _UNSEEN) * np.sort(np.array(self.probabilities, np.float64))[::-1]
        allowed = np.cumsum(doubts) <= false_link_rate * (np.arange(len(doubts)) + 1)
        lowest = 1.0 - float(doubts[np.flatnonzero(allowed)[-1]]) if allowed.any() else 1.0
        share = len(doubts) / (len(doubts) + _CAUTIOUS)
        later = _MOST_SHARE_OF_MERGES if merges else _MOST_SHARE
        most = later if len(doubts) >= _EXPERIENCED else _MOST_SHARE_AT_FIRST
        boundary = min(share * lowest + (1.0 - share) * usual, 1.0 - most * false_link_rate)
        return float(np.clip(boundary, _LOWEST, _HIGHEST))
