"""Who of the enrolled is each of several people, with what is said of it in a word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.appearance import Known
from hub.enrolment.joint import identified_together
from hub.enrolment.likeness import Likeness

NOBODY_KNOWN = "nobody known"
UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Identification:
    """Whom one person may be: `ranking` of (name, probability), best first, at least one; `nobody`: none of them."""

    ranking: Sequence[tuple[str, float]]
    nobody: float
    rival: float
    """The greatest probability of the first name's being that of somebody else who was seen at the same moment."""

    def said(self, sure: float) -> str:
        """In a word: a name, `nobody known`, or `unsure`. No two who were seen at once are given one name."""
        name, probability = self.ranking[0]
        if probability >= sure and probability > self.rival:
            return name
        return NOBODY_KNOWN if self.nobody >= sure else UNSURE


def identify(
    known: Mapping[str, Sequence[Known]],
    seen: Sequence[Sequence[Known]],
    at_once: NDArray[np.bool_],
    *,
    likeness: Likeness,
) -> list[Identification]:
    """Everybody in `seen` (n), from what is known of at least one name.

    `at_once` (n, n), symmetric, says who was seen at one moment: they have different names.
    """
    names = list(known)
    evidence = np.array([[likeness.evidence(known[name], one) for name in names] for one in seen])
    outcomes = identified_together(evidence, at_once)
    if not outcomes:
        return []
    probability = np.stack([one.known for one in outcomes])
    identified = []
    for row, outcome in enumerate(outcomes):
        order = sorted(range(len(names)), key=lambda column: (-probability[row, column], names[column]))
        others = at_once[row] & (np.arange(len(seen)) != row)
        identified.append(
            Identification(
                ranking=[(names[column], float(probability[row, column])) for column in order],
                nobody=outcome.nobody,
                rival=float(probability[others, order[0]].max(initial=0.0)),
            )
        )
    return identified


def all_at_once(count: int) -> NDArray[np.bool_]:
    """Everybody with everybody else, as in a picture.

    >>> all_at_once(2).tolist()
    [[False, True], [True, False]]
    """
    return ~np.eye(count, dtype=bool)
