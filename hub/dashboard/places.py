"""All pages, in the order of the rail."""

from collections.abc import Sequence

from hub.dashboard.pages import enrolment, event, identities, live, person, review, search, site, timeline
from hub.dashboard.visit import Place

PLACES: Sequence[Place] = (
    live.PLACE,
    identities.PLACE,
    timeline.PLACE,
    review.PLACE,
    search.PLACE,
    enrolment.PLACE,
    site.PLACE,
    person.PLACE,
    event.PLACE,
)
