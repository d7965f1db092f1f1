"""The page that stays open: what cameras see, how they are, and who is recognized as it happens."""

import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from markupsafe import Markup

from hub.access.records import Role
from hub.dashboard.cameras import there_are
from hub.dashboard.icons import icon
from hub.dashboard.linked import Told, told
from hub.dashboard.markup import EMPTY, empty, following, joined, moment, tag
from hub.dashboard.pages.cameras import attach_button
from hub.dashboard.people import hue
from hub.dashboard.pictures import crop
from hub.dashboard.pulse import News
from hub.dashboard.visit import Page, Place, Reaction, Visit
from hub.reader import StoredStatus
from passerby.ids import CameraId, IdentityId
from passerby.messages import CameraStatus

_LOOKED_BACK = 120
_FIRST_SHOWN = 40
"""Events that are looked at, and of them those in the feed at most, when the page opens."""

_QUIET_NS = 20 * 10**9
"""A camera of which nothing was heard for so long is said to be silent: its edge does not run."""

_STATES = {"live": "good", "connecting": "warn", "stalled": "bad", "failed": "bad", "paused": "", "ended": ""}


def build(visit: Visit) -> Page:
    """The wall of cameras, and beside it the feed."""
    known = _known(visit)
    cameras = there_are(visit, also=known)
    last = visit.reader.last_event_id()
    recent = visit.reader.events(after=max(0, last - _LOOKED_BACK), limit=_LOOKED_BACK)
    cards = _cards(visit, told(visit.reader, visit.gallery, recent)[-_FIRST_SHOWN:])
    waiting = EMPTY
    if not cards:
        waiting = Markup('<div id="feed-empty">{}</div>').format(
            empty("Nobody so far", "Who is recognized appears here within half a second.")
        )
    return Page(
        title="Live",
        lede=Markup('<span id="site-now">{}</span><span id="wall-now">{}</span>').format(
            _summary(cameras, known), following("wall", cameras)
        ),
        actions=_attach(visit),
        body=Markup(
            '<div class="cols"><section class="wall" id="wall" aria-label="Cameras">{}</section>'
            '<section aria-label="Decisions"><h2 class="sr">Decisions</h2>{}'
            '<div class="feed" id="feed" role="log" aria-live="off" tabindex="0" '
            'aria-label="Decisions, latest first">{}</div></section></div>'
        ).format(_wall(visit, cameras, known), waiting, joined(reversed(cards))),
    )


def follow(visit: Visit, _: Mapping[str, str]) -> Reaction:
    """The wall with the cameras that there are now; those that are shown stay as they are."""
    known = _known(visit)
    return Reaction(puts={"=wall": _wall(visit, there_are(visit, also=known), known)})


def hears(visit: Visit, news: News) -> Reaction | None:
    """New decisions for the feed, and which cameras there are, and how they are."""
    puts: dict[str, Markup] = {}
    cards = _cards(visit, news.told)
    if cards:
        puts["+feed"] = joined(reversed(cards))
    if news.cameras is not None:
        known = {stored.status.camera_id: stored for stored in news.cameras}
        cameras = there_are(visit, also=known)
        puts["wall-now"] = following("wall", cameras)
        puts["site-now"] = _summary(cameras, known)
        puts |= {_foot_id(camera): _health(known[camera]) for camera in cameras if camera in known}
    if news.events:
        for camera in {event.camera_id for event in news.events if event.camera_id is not None}:
            if visit.principal.sees(camera):
                puts[_view_id(camera)] = _last_seen(visit, camera)
    return Reaction(puts=puts) if puts else None


def _known(visit: Visit) -> Mapping[CameraId, StoredStatus]:
    return {stored.status.camera_id: stored for stored in visit.reader.cameras()}


def _wall(visit: Visit, cameras: Sequence[CameraId], known: Mapping[CameraId, StoredStatus]) -> Markup:
    if cameras:
        return joined(_camera(visit, camera, known.get(camera)) for camera in cameras)
    attach = _attach(visit, kind="primary")
    return empty(
        "No cameras yet",
        Markup("Its host and a password are enough.<br><br>{}").format(attach)
        if attach
        else Markup("An administrator attaches them, here or by <code>passerby camera add</code>."),
    )


def _attach(visit: Visit, *, kind: str = "") -> Markup:
    may = visit.services.cameras is not None and visit.principal.may(Role.ADMIN)
    return attach_button(kind=kind) if may else EMPTY


def _cards(visit: Visit, decisions: Sequence[Told]) -> list[Markup]:
    return [one.card for one in decisions if one.may_be_seen_by(visit.principal)]


def _summary(cameras: Sequence[CameraId], known: Mapping[CameraId, StoredStatus]) -> Markup:
    if not cameras:
        return EMPTY
    told = [known[camera] for camera in cameras if camera in known]
    live = sum(stored.status.state == "live" and not _is_silent(stored) for stored in told)
    return Markup("{} of {} cameras live").format(live, len(cameras))


def _camera(visit: Visit, camera: CameraId, stored: StoredStatus | None) -> Markup:
    view = Markup('<div id="{}" class="grow">{}</div>').format(_view_id(camera), _last_seen(visit, camera))
    if visit.services.live is None:
        shown = Markup('<div class="view">{}</div>').format(view)
    else:
        shown = Markup(
            '<div class="view" data-watch="/live-pictures/{}"><img class="live" alt="Live picture of {}" hidden>'
            '<canvas hidden></canvas><div data-none class="grow">{}</div>{}</div>'
        ).format(camera, camera, view, _search(visit, camera))
    foot = tag("never reported", "warn") if stored is None else _health(stored)
    return Markup(
        '<article class="camera card" data-key="{0}"><h2 class="sr">{0}</h2>{1}<div class="foot"><strong>{0}</strong>'
        '<span class="row grow" id="{2}">{3}</span></div></article>'
    ).format(camera, shown, _foot_id(camera), foot)


def _search(visit: Visit, camera: CameraId) -> Markup:
    if not visit.may_correct:
        return EMPTY
    said = f"Search somebody in the picture of {camera}"
    return Markup('<a class="over" href="/search?{}" title="{}" aria-label="{}">{}</a>').format(
        urlencode({"frame": camera}), said, said, icon("search")
    )


def _health(stored: StoredStatus) -> Markup:
    status = stored.status
    if _is_silent(stored):
        silent = Markup('<span class="why">last heard {}; does its edge run?</span>')
        return tag("silent", "bad") + silent.format(moment(stored.received_at_ns, "ago"))
    fps = Markup('<span class="num nowrap">{} fps</span>').format(f"{status.achieved_fps:.1f}")
    why = Markup('<span class="why">{}</span>').format(status.detail) if status.detail else EMPTY
    return tag(status.state, _STATES.get(status.state, "")) + fps + (_faults(status) or why)


def _is_silent(stored: StoredStatus) -> bool:
    return time.time_ns() - stored.received_at_ns > _QUIET_NS


def _faults(status: CameraStatus) -> Markup:
    if not (status.stalls or status.reconnects):
        return EMPTY
    said = f"{status.reconnects} reconnects, {status.stalls} stalls since the start. {status.detail}".strip()
    return Markup('<span class="why" title="{0}">{0}</span>').format(said)


def _last_seen(visit: Visit, camera: CameraId) -> Markup:
    """In place of a live picture: whom the camera saw last."""
    seen = visit.gallery.latest(camera, most=4)
    if not seen:
        return Markup('<p class="none">Nobody was seen here yet.</p>')
    crops = joined(
        Markup('<a href="{}" style="--hue:{}">{}</a>').format(
            f"/person/{identity}" if identity else f"/timeline?tracklet={number}",
            hue(identity or IdentityId(number)),
            crop(number, alt=f"person {identity}" if identity else "not decided yet", kind="edged"),
        )
        for number, identity in seen
    )
    return Markup('<p class="none">Seen last</p><div class="last">{}</div>').format(crops)


def _view_id(camera: CameraId) -> str:
    return f"view-{camera}"


def _foot_id(camera: CameraId) -> str:
    return f"foot-{camera}"


PLACE = Place(path="/", title="Live", icon="live", build=build, does={"follow": follow}, hears=hears)
