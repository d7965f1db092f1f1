"""Pieces of the pages about cameras: their form, what a look at one has found, and the regions drawn over a picture."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from hub.dashboard.markup import EMPTY, button, joined, tag
from hub.dashboard.visit import Visit
from hub.services import Login, Probed
from hub.standing_still import Polygon, Still, stood_still
from passerby.config import CameraSettings
from passerby.errors import DataError
from passerby.ids import CameraId

STATES = {
    "live": "good",
    "connecting": "warn",
    "waiting": "warn",
    "stalled": "bad",
    "failed": "bad",
    "silent": "bad",
    "unknown": "warn",
}
"""The colour of what a camera's edge says of it."""


def there_are(visit: Visit, *, also: Iterable[CameraId] = ()) -> list[CameraId]:
    """The cameras that there are now, where the visitor may look; those of the site file and `also` others where none
    come and go."""
    attached = visit.services.cameras
    found = dict.fromkeys((*visit.services.facts.cameras, *also)) if attached is None else attached.settings()
    return [camera for camera in found if visit.principal.sees(camera)]


def login_of(said: Mapping[str, str]) -> Login | None:
    """User and password of a form; None where neither is given. Raises DataError unless both are."""
    user, password = said.get("user", "").strip(), said.get("password", "")
    if not user and not password:
        return None
    if not user or not password:
        raise DataError("give the camera's user and its password, or neither")
    return user, password


def number_of(said: Mapping[str, str], name: str) -> float:
    """A number of a form. Raises DataError."""
    try:
        return float(said.get(name, ""))
    except ValueError:
        raise DataError(f"{name} is {said.get(name, '')!r}, expected a number") from None


def regions_of(said: Mapping[str, str], name: str) -> list[list[tuple[float, float]]]:
    """Polygons of a form, as JSON. Raises DataError."""
    try:
        found = json.loads(said.get(name) or "[]")
        return [[(float(x), float(y)) for x, y in polygon] for polygon in found]
    except (ValueError, TypeError):
        raise DataError(f"{name} are no polygons, expected [[[x, y], ...], ...] as fractions of the picture") from None


def login_fields(*, kept: bool) -> Markup:
    """User and password; what is `kept` is not shown."""
    hint = "kept; fill in to change" if kept else "if it asks for one"
    return Markup(
        '<label class="labelled">User<input class="field" name="user" autocomplete="off" maxlength="200" '
        'placeholder="{0}"></label><label class="labelled">Password<input class="field" type="password" '
        'name="password" autocomplete="new-password" maxlength="200" placeholder="{0}"></label>'
    ).format(hint)


def probed(found: Probed) -> Markup:
    """What a look has found, with what is left to say before the camera is attached."""
    facts = found.facts
    usable = bool(facts.get("usable"))
    still = stood_still(found.seen)
    picture = EMPTY
    if found.picture is not None:
        picture = Markup(
            '<region-view class="regions" data-src="data:image/jpeg;base64,{}" data-proposals="{}"></region-view>'
        ).format(base64.b64encode(found.picture).decode(), json.dumps([one.polygon for one in still]))
    return Markup(
        '<section class="card pad stack">{}<div class="row" style="flex-wrap:nowrap;align-items:flex-start">{}'
        '<p class="grow">{}</p></div>{}<dl class="facts">{}</dl>{}<input type="hidden" name="found" value="{}">'
        '<div class="row"><label class="labelled grow">Name<input class="field" name="name" required '
        'pattern="[A-Za-z0-9][A-Za-z0-9_.\\-]*" maxlength="64" placeholder="as lobby or yard-2" autocomplete="off">'
        '</label><label class="labelled">Frames a second<input class="field" name="fps" type="number" min="0.1" '
        'max="120" step="any" value="5" required></label></div><div class="row">{}<span class="small soft">'
        "The password is kept apart and never shown again.</span></div></section>"
    ).format(
        picture,
        tag("works", "good") if usable else tag("not for re-ID", "warn"),
        facts.get("verdict", ""),
        _tried(found.tried),
        joined(Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in _facts(found)),
        _proposed(still),
        found.url if found.tried else "",
        button("Attach", "attach", kind="primary"),
    )


def regions(settings: CameraSettings, proposed: Sequence[Still], *, camera: str, live: bool) -> Markup:
    """A camera's picture with its zones and masks, to be drawn and dragged."""
    return Markup(
        '<region-view class="regions" data-edit data-src="{}" data-zones="{}" data-masks="{}" data-proposals="{}" '
        'data-alt="Picture of {}"></region-view>'
    ).format(
        f"/live-pictures/{camera}" if live else "",
        _json(settings.zones),
        _json(settings.masks),
        _json([one.polygon for one in proposed]),
        camera,
    )


def _json(polygons: Iterable[Polygon]) -> str:
    return json.dumps([list(polygon) for polygon in polygons])


def _proposed(still: Sequence[Still]) -> Markup:
    if not still:
        return EMPTY
    boxes = joined(
        Markup(
            '<label class="row"><input type="checkbox" name="mask" value="{}"> Ignore what stood still at {} </label>'
        ).format(number, _where(one))
        for number, one in enumerate(still)
    )
    return Markup(
        '<fieldset class="plain"><legend>Did not move in {} pictures: a poster, or somebody who waits?</legend>{}'
        '<input type="hidden" name="proposed" value="{}"></fieldset>'
    ).format(still[0].times, boxes, _json([one.polygon for one in still]))


def _where(one: Still) -> str:
    """In words, for who does not see the picture.

    >>> _where(Still(polygon=[], box_xyxy=(0.1, 0.2, 0.2, 0.9), times=9))
    'the left (dashed in the picture)'
    """
    middle = (one.box_xyxy[0] + one.box_xyxy[2]) / 2
    side = "the left" if middle < 1 / 3 else "the right" if middle > 2 / 3 else "the middle"
    return f"{side} (dashed in the picture)"


def _tried(paths: Sequence[str]) -> Markup:
    if not paths:
        return EMPTY
    return Markup('<p class="small soft">Found by its host alone, at the path {} of {} tried.</p>').format(
        Markup("<code class=code>{}</code>").format(paths[-1]), len(paths)
    )


def _facts(found: Probed) -> list[tuple[str, object]]:
    facts = found.facts
    rows: list[tuple[str, object]] = [
        ("Stream", Markup('<code class="code">{}</code>').format(found.url)),
        ("Picture", f"{facts.get('width')} x {facts.get('height')}, {facts.get('codec')}"),
        ("Rate", f"{facts.get('fps'):g} frames a second, {_megabits(facts.get('measured_bits_per_second'))}"),
        ("People", _people(facts)),
    ]
    interval = facts.get("keyframe_interval_s")
    if isinstance(interval, float):
        rows.append(("Keyframes", f"every {interval:.1f} s"))
    return rows


def _people(facts: Mapping[str, object]) -> str:
    tall = facts.get("median_person_height")
    seen = f"{facts.get('people_seen')} sightings in {facts.get('frames_looked_at')} pictures"
    return f"{seen}, {tall} px tall" if tall else seen


def _megabits(rate: object) -> str:
    return f"{rate / 1e6:.1f} Mbit/s" if isinstance(rate, int | float) and rate else "bit rate unknown"
