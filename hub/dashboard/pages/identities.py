"""Everybody, by who was seen last: searched by name, number, camera and time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

from markupsafe import Markup

from hub.dashboard.gallery import PAGE, Card, Filter, Shot
from hub.dashboard.markup import EMPTY, empty, joined, moment
from hub.dashboard.people import hue, who
from hub.dashboard.pictures import captioned, crop
from hub.dashboard.visit import Page, Place, Reaction, Visit
from passerby.errors import DataError
from passerby.ids import CameraId

_SHOTS = 4


def build(visit: Visit) -> Page:
    """The form, and the people whom it finds."""
    cards, total = _found(visit, visit.asked)
    return Page(
        title="Identities",
        lede=Markup('<span id="found">{}</span>').format(_counted(total)),
        actions=_form(visit),
        body=Markup('<div id="people">{}</div>').format(_people(visit, visit.asked, cards, total)),
    )


def find(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """As one types."""
    cards, total = _found(visit, said)
    return Reaction(puts={"people": _people(visit, said, cards, total), "found": Markup("{}").format(_counted(total))})


def person_card(card: Card, shots: Sequence[Shot]) -> Markup:
    """Somebody in the gallery."""
    crops = joined(
        captioned(
            crop(shot.tracklet, shot.crop_id, alt=f"person {card.identity_id} in {shot.camera_id}"), shot.camera_id
        )
        for shot in shots[:_SHOTS]
    )
    seen = "1 sighting" if card.tracklets == 1 else f"{card.tracklets} sightings"
    return Markup(
        '<a class="person card" href="/person/{}" style="--hue:{}"><div class="crops">{}</div><div>{}'
        '<div class="small soft">{}, last {}</div></div></a>'
    ).format(
        card.identity_id,
        hue(card.identity_id),
        crops or Markup('<p class="soft small">no picture is kept</p>'),
        who(card.identity_id, card.name, link=False),
        seen,
        moment(card.last_ns),
    )


def _found(visit: Visit, said: Mapping[str, str]) -> tuple[Sequence[Card], int]:
    cameras = visit.principal.cameras
    camera = said.get("camera", "")
    if camera:
        cameras = frozenset({CameraId(camera)}) if visit.principal.sees(CameraId(camera)) else frozenset()
    wanted = Filter(
        text=said.get("q", "").strip(),
        cameras=cameras,
        from_ns=_time(said, "from"),
        to_ns=_time(said, "to"),
    )
    return visit.gallery.people(wanted, page=_page(said))


def _people(visit: Visit, said: Mapping[str, str], cards: Sequence[Card], total: int) -> Markup:
    if not cards:
        if any(said.get(name) for name in ("q", "camera", "from", "to")):
            return empty("Nobody found", "Nobody was seen there and then under that name or number. Ask for less.")
        return empty("Nobody yet", "People appear here as soon as a camera has seen them well enough.")
    shots = visit.gallery.shots([card.identity_id for card in cards], cameras=visit.principal.cameras)
    gallery = joined(person_card(card, shots.get(card.identity_id, ())) for card in cards)
    return Markup('<div class="gallery">{}</div>{}').format(gallery, _pages(said, total))


def _pages(said: Mapping[str, str], total: int) -> Markup:
    page, last = _page(said), max(0, (total - 1) // PAGE)
    if not last:
        return EMPTY
    kept = {name: said[name] for name in ("q", "camera", "from", "to", "zone") if said.get(name)}

    def to(number: int, text: str) -> Markup:
        if not 0 <= number <= last:
            return EMPTY
        return Markup('<a class="btn" href="/identities?{}">{}</a>').format(urlencode({**kept, "page": number}), text)

    return Markup(
        '<nav class="row" aria-label="Pages" style="margin-top:16px">{}<span class="soft">{} of {}</span>{}</nav>'
    ).format(to(page - 1, "← Later"), page + 1, last + 1, to(page + 1, "Earlier →"))


def _form(visit: Visit) -> Markup:
    cameras = [camera for camera in visit.reader.camera_ids() if visit.principal.sees(camera)]
    options = joined(
        Markup("<option{}>{}</option>").format(
            Markup(" selected") if camera == visit.asked.get("camera") else EMPTY, camera
        )
        for camera in cameras
    )
    by_picture = Markup('<a class="btn" href="/search">By picture…</a>') if visit.may_correct else EMPTY
    return Markup(
        '<form class="row" data-live="find" role="search"><input class="field" type="search" name="q" data-find '
        'placeholder="Name or number  ( / )" aria-label="Name or number" value="{}">'
        '<select class="field" name="camera" aria-label="Camera"><option value="">All cameras</option>{}</select>'
        '<label class="row small soft">from<input class="field" type="datetime-local" name="from" '
        'aria-label="Seen after"></label><label class="row small soft">to<input class="field" type="datetime-local" '
        'name="to" aria-label="Seen before"></label></form>{}'
    ).format(visit.asked.get("q", ""), options, by_picture)


def _time(said: Mapping[str, str], name: str) -> int | None:
    """A moment as the browser tells it: milliseconds since 1970, or with its zone as RFC 3339."""
    text = said.get(name, "").strip()
    if not text:
        return None
    if text.isdecimal():
        return int(text) * 10**6
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(f"{name} is {text!r}, expected a date and time as 2026-01-31T12:00:00+01:00") from None
    return round(at.timestamp() * 1e9)


def _page(said: Mapping[str, str]) -> int:
    text = said.get("page", "")
    return int(text) if text.isdecimal() and len(text) < 8 else 0


def _counted(total: int) -> str:
    return "1 person" if total == 1 else f"{total:,} people"


PLACE = Place(path="/identities", title="Identities", icon="identities", build=build, does={"find": find})
