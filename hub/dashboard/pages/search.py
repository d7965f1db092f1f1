"""Who of all that were seen does a picture show? Drop it, or draw a box over a camera's picture."""

from collections.abc import Iterable

from markupsafe import Markup

from hub.access.records import Role
from hub.dashboard.cameras import there_are
from hub.dashboard.forms import WHOLE, drop_form
from hub.dashboard.markup import EMPTY, empty, joined
from hub.dashboard.visit import Page, Place, Visit
from passerby.ids import CameraId


def build(visit: Visit) -> Page:
    """The forms; answers come beside them."""
    seen = [camera for camera in visit.reader.camera_ids() if visit.principal.sees(camera)]
    fields = Markup(
        '<label class="labelled">Seen by<select class="field" name="camera"><option value="">any camera</option>{}'
        "</select></label>{}"
    ).format(_options(seen, ""), WHOLE)
    dropped = drop_form(visit, to="/looking/search", fields=fields, submit="Search", at_once=True)
    return Page(
        title="Search",
        lede="Who of all that were seen does a picture show?",
        body=Markup(
            '<div class="asking"><div class="stack">{}</div><section id="answer" aria-live="polite">{}</section></div>'
        ).format(
            dropped if visit.services.live is None else dropped + _frame(visit),
            empty(
                "No picture yet",
                "People are ranked by the probability that the picture shows them. That it shows nobody who was ever "
                "seen is an answer too. Every search is put down in the audit log.",
            ),
        ),
    )


def _frame(visit: Visit) -> Markup:
    """A live picture that is paused, and a box drawn around somebody."""
    return Markup(
        '<form class="card pad stack"><input type="hidden" name="csrf" value="{}"><input type="hidden" name="whole">'
        '<label class="labelled">Or somebody in the picture of<select class="field" name="frame"><option value="">'
        'a camera</option>{}</select></label><frame-box data-to="/looking/search" data-into="answer"></frame-box>'
        '<div class="row"><button type="button" class="btn" data-frame-hold disabled>Pause</button>'
        '<button type="button" class="btn" data-frame-all disabled>Search everybody in it</button></div>'
        '<p class="small soft">Draw a box around somebody: the picture is held meanwhile.</p></form>'
    ).format(visit.principal.csrf, _options(there_are(visit), visit.asked.get("frame", "")))


def _options(cameras: Iterable[CameraId], chosen: str) -> Markup:
    return joined(
        Markup("<option{}>{}</option>").format(Markup(" selected") if camera == chosen else EMPTY, camera)
        for camera in cameras
    )


PLACE = Place(path="/search", title="Search", icon="search", build=build, role=Role.OPERATOR)
