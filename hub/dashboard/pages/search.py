"""Who of all that were seen does a picture show? Drop it."""

from markupsafe import Markup

from hub.access.records import Role
from hub.dashboard.forms import WHOLE, drop_form
from hub.dashboard.markup import empty, joined
from hub.dashboard.visit import Page, Place, Visit


def build(visit: Visit) -> Page:
    """The form; answers come beside it."""
    cameras = joined(
        Markup("<option>{}</option>").format(camera)
        for camera in visit.reader.camera_ids()
        if visit.principal.sees(camera)
    )
    fields = Markup(
        '<label class="labelled">Seen by<select class="field" name="camera"><option value="">any camera</option>{}'
        "</select></label>{}"
    ).format(cameras, WHOLE)
    return Page(
        title="Search",
        lede="Who of all that were seen does a picture show?",
        body=Markup('<div class="asking">{}<section id="answer" aria-live="polite">{}</section></div>').format(
            drop_form(visit, to="/looking/search", fields=fields, submit="Search", at_once=True),
            empty(
                "No picture yet",
                "People are ranked by the probability that the picture shows them. That it shows nobody who was ever "
                "seen is an answer too. Every search is put down in the audit log.",
            ),
        ),
    )


PLACE = Place(path="/search", title="Search", icon="search", build=build, role=Role.OPERATOR)
