"""Ways for a hub to decide that are compared: everything, one part left out, or one cosine threshold for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hub.association import Associator, CalibratedAssociator, PlainAssociator, Reasoning, Thresholds
from hub.rehearsal import Rehearsal
from passerby.config import AssociationSettings

FULL = "full"
THRESHOLDS: dict[str, Literal["camera", "none"]] = {"threshold": "none", "threshold-zscore": "camera"}
"""Associators of one cosine threshold, and how embeddings are normalized for them."""

WITHOUT = {
    "no-movement": Reasoning(movement=False),
    "no-place": Reasoning(place=False),
    "no-calibration": Reasoning(calibrated=False),
    "no-consolidation": Reasoning(consolidated=False),
}

VARIANTS = (FULL, *THRESHOLDS, *WITHOUT)

USUAL_RATE = 0.01
GRID = (0.25, 0.30, 0.35, 0.40, 0.425, 0.45, 0.475, 0.50, 0.55, 0.60)

_HYSTERESIS = 0.08
"""How far below the threshold a link is kept, and a person asked: as for the models that were measured."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One way to decide; `level` is the rate of false links that is allowed, or the cosine threshold."""

    variant: str
    level: float = USUAL_RATE

    @property
    def name(self) -> str:
        """For tables.

        >>> Trial("full", 0.005).name, Trial("threshold", 0.5).name
        ('full 0.5%', 'threshold 0.50')
        """
        return (
            f"{self.variant} {self.level:.2f}"
            if self.variant in THRESHOLDS
            else f"{self.variant} {100 * self.level:g}%"
        )

    def rehearsal(self) -> Rehearsal:
        """A hub in memory that decides so."""
        if self.variant in THRESHOLDS:
            low = self.level - _HYSTERESIS
            plain: Associator = PlainAssociator(Thresholds(link=self.level, candidate=low, keep=low))
            settings = AssociationSettings(normalize=THRESHOLDS[self.variant])
            return Rehearsal(associator=plain, association=settings)
        reasoning = WITHOUT.get(self.variant, Reasoning())
        settings = AssociationSettings(false_link_rate=self.level)
        return Rehearsal(associator=CalibratedAssociator(reasoning), association=settings)


def trials(variants: Sequence[str], rates: Sequence[float], *, thresholds: Sequence[float] = GRID) -> list[Trial]:
    """What is tried of each site: the full system at all rates, the others at the usual one, each of the thresholds."""
    found = []
    for variant in variants:
        if variant in THRESHOLDS:
            found += [Trial(variant, threshold) for threshold in thresholds]
        elif variant == FULL:
            found += [
                Trial(variant, rate) for rate in sorted({USUAL_RATE, *rates}, key=lambda rate: rate != USUAL_RATE)
            ]
        else:
            found.append(Trial(variant))
    return found
