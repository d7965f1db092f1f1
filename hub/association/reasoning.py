"""Which evidence an associator wants weighed; all of it, unless its worth is being measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning:
    """Parts of the evidence and of the decision, each of which can be left out for comparison."""

    movement: bool = True
    """Transit times, and who was seen at once in views that never show one person together."""
    place: bool = True
    """The spot of the floor."""
    calibrated: bool = True
    """Looks weigh what they are worth on this site, and links are made from the boundary that this teaches."""
    consolidated: bool = True
    """Identities are compared again later, when more is known of them."""
