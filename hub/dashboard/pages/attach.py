"""Attaching a camera: where it is, a look at it, a name."""

from collections.abc import Mapping

from markupsafe import Markup

from hub.access.records import Role
from hub.dashboard.cameras import login_fields, login_of, number_of, regions_of
from hub.dashboard.correcting import require
from hub.dashboard.markup import empty
from hub.dashboard.pages.cameras import cameras_of, is_there, note
from hub.dashboard.visit import Page, Place, Reaction, Visit, numbers
from passerby.config.attached import CAMERA_NAME
from passerby.errors import DataError
from passerby.ids import CameraId


def build(visit: Visit) -> Page:
    """The form; what is found comes beside it, and is part of it."""
    waiting = empty(
        "Look before you attach",
        "Its picture, and whether people in it are large enough to be recognized, appear here.",
    )
    return Page(
        title="Attach a camera",
        actions=Markup('<a class="btn" href="/cameras">All cameras</a>'),
        body=Markup(
            '<form class="asking" data-probe="/camera-probe" data-into="answer" autocomplete="off">'
            '<input type="hidden" name="csrf" value="{}">'
            '<div class="card pad stack"><label class="labelled">URL or host<input class="field" name="where" required '
            'maxlength="2000" placeholder="10.0.0.5 or rtsp://10.0.0.5/sub" spellcheck="false" autofocus></label>{}'
            '<div class="row"><button class="btn primary" formnovalidate>Look at it</button></div>'
            '<p class="small soft">With a host alone the paths of common makers are tried, their small stream first. '
            "An account may be locked by wrong passwords: the first refusal ends the search.</p></div>"
            '<div id="answer" aria-live="polite">{}</div></form>'
        ).format(visit.principal.csrf, login_fields(kept=False), waiting),
    )


def attach(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Attach what was looked at."""
    require(visit, Role.ADMIN, "to attach a camera")
    cameras = cameras_of(visit.services)
    name = said.get("name", "").strip()
    if not CAMERA_NAME.fullmatch(name):
        raise DataError(f"{name!r} is no camera's name; expected letters, digits, `-`, `_`, `.`, at most 64")
    proposed, chosen = regions_of(said, "proposed"), numbers(said.get("mask", ""))
    settings: dict[str, object] = {"url": said.get("found") or said.get("where", ""), "fps": number_of(said, "fps")}
    if chosen:
        settings["masks"] = [proposed[number] for number in chosen if 0 <= number < len(proposed)]
    become = cameras.attach(CameraId(name), settings, actor=visit.principal.name, login=login_of(said))
    note(visit, "cameras.attach", CameraId(name))
    return Reaction(said=f"{name}: {become}", goes="/cameras")


PLACE = Place(
    path="/cameras/attach",
    title="Attach a camera",
    under="/cameras",
    role=Role.ADMIN,
    build=build,
    does={"attach": attach},
    there=is_there,
)
