"""All pages, in the order of the rail."""

from collections.abc import Sequence

from hub.dashboard.pages import (
    adaptation,
    adaptation_job,
    attach,
    camera,
    cameras,
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
    cameras.PLACE,
    system.PLACE,
    attach.PLACE,
    camera.PLACE,
    person.PLACE,
    event.PLACE,
    adaptation_job.PLACE,
)
