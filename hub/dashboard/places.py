"""All pages, in the order of the rail."""

from collections.abc import Sequence

from hub.dashboard.pages import event, identities, live, person, review
from hub.dashboard.visit import Place

PLACES: Sequence[Place] = (
    live.PLACE,
    identities.PLACE,
    review.PLACE,
    person.PLACE,
    event.PLACE,
)
