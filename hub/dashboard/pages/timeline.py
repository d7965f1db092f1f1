"""Everybody over time: lanes of cameras or of people, links by how sure they are. The browser draws it."""

from importlib.util import find_spec

from markupsafe import Markup

from hub.dashboard.markup import EMPTY, button, dialog, empty, joined
from hub.dashboard.visit import Page, Place, Visit
from hub.records import TrackletNumber

_FIRST_NS = 10 * 60 * 10**9
"""The latest time that is shown when the page opens."""

_MARGIN = 0.03
_SPANS = (("1 min", 60), ("10 min", 600), ("1 h", 3600), ("8 h", 8 * 3600), ("1 day", 86_400))


def build(visit: Visit) -> Page:
    """The drawing, about the time of a `tracklet` or an `identity` where one is asked for."""
    whole = visit.gallery.span()
    if whole is None:
        return Page(title="Timeline", body=empty("Nobody was seen yet", "Bars appear as soon as cameras see people."))
    number, identity = visit.number("tracklet"), visit.number("identity")
    begin, end = max(whole[0], whole[1] - _FIRST_NS), whole[1]
    tracklet = None if number is None else visit.reader.tracklet(TrackletNumber(number))
    if tracklet is not None and visit.principal.sees(tracklet.camera_id):
        middle = (tracklet.started_at_ns + tracklet.ended_at_ns) // 2
        begin, end = middle - _FIRST_NS // 10, middle + _FIRST_NS // 10
    elif identity is not None:
        begin, end = whole
    margin = round((end - begin) * _MARGIN) + 10**9
    latest = whole[1] // 10**6
    spans = joined(
        Markup('<button type="button" class="btn quiet" data-span="{},{}">{}</button>').format(
            latest - 1000 * seconds, latest + 20 * seconds, name
        )
        for name, seconds in _SPANS
    )
    everything = Markup('<button type="button" class="btn quiet" data-span="{},{}">All</button>').format(
        whole[0] // 10**6 - 1000, latest + 1000
    )
    return Page(
        title="Timeline",
        lede="Wheel or + and - to zoom, drag or arrows to move, click for pictures. The fainter a link, the less sure.",
        actions=_exports() if visit.may_correct else EMPTY,
        body=Markup(
            '<div class="cols"><section class="card pad" data-lanes data-into="chosen" data-from="{}" data-to="{}" '
            'data-tracklet="{}" data-identity="{}" aria-label="Timeline"><div class="row toolbar">'
            '<div class="row" role="group" aria-label="Lanes">'
            '<button type="button" class="btn" data-by="camera" aria-pressed="true">By camera</button>'
            '<button type="button" class="btn" data-by="person" aria-pressed="false">By person</button></div>{}{}'
            '<button type="button" class="btn quiet" data-zoom="0.6" aria-label="Zoom in">+</button>'
            '<button type="button" class="btn quiet" data-zoom="1.6" aria-label="Zoom out">-</button></div>'
            '<p class="tag warn" data-cut hidden>Only the latest 20,000 sightings of this span are drawn.</p>'
            '<div class="lanes"><canvas tabindex="0" role="img" aria-label="Sightings over time, a lane a camera or '
            'person; the list of people is on the page Identities"></canvas><div class="tip" hidden></div></div>'
            "</section>"
            '<section id="chosen" aria-live="polite">{}</section></div>'
        ).format(
            (begin - margin) // 10**6,
            (end + margin) // 10**6,
            number or "",
            identity or "",
            spans,
            everything,
            empty("Nothing chosen", "Click a bar to see its pictures."),
        ),
    )


def _exports() -> Markup:
    """What may be taken along as files; the browser says which time is shown."""
    tables = ["parquet", "jsonl"] if find_spec("pyarrow") is not None else ["jsonl"]
    sightings = joined(_link(f"tracklets.{form}", "Parquet" if form == "parquet" else "JSON lines") for form in tables)
    body = Markup(
        '<ul class="files"><li>Sightings of the time that is shown<div class="row" data-exports>{}</div></li>'
        '<li>All decisions, with why they were taken<div class="row">{}</div></li>'
        '<li>All tracks, frame by frame, a file per camera<div class="row">{}</div></li></ul>'
    ).format(
        sightings,
        joined(_link(f"events.{form}", "Parquet" if form == "parquet" else "JSON lines") for form in tables),
        _link("tracks.zip", "MOT format"),
    )
    return button("Export…", opens="export") + dialog("export", "Export", body)


def _link(file: str, title: str) -> Markup:
    return Markup('<a class="btn" download href="/api/v1/exports/{}">{}</a>').format(file, title)


PLACE = Place(path="/timeline", title="Timeline", icon="timeline", build=build)
