"""All pages, in the order of the rail."""

from collections.abc import Sequence

from hub.dashboard.pages import (
    adaptation,
    adaptation_job,
    enrolment,
    event,
    identities,
    live,
    person,
    review,
    search,
    site,
    system,
    timeline,
)
from hub.dashboard.visit import Place

PLACES: Sequence[Place] = (
    live.PLACE,
    identities.PLACE,
    timeline.PLACE,
    review.PLACE,
    search.PLACE,
    enrolment.PLACE,
    site.PLACE,
    adaptation.PLACE,
    system.PLACE,
    person.PLACE,
    event.PLACE,
    adaptation_job.PLACE,
)
