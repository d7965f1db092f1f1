"""What the hub has learned of its site: ways between cameras, what looks are worth, how cameras are normalized."""

from collections.abc import Sequence

from markupsafe import Markup

from hub.association import Boundaries
from hub.association.calibration import SETTINGS, Setting
from hub.association.promise import Promise
from hub.association.topology import STEPS_S
from hub.association.ways import ViewPair, Way, strangers_an_hour, view_pairs, ways
from hub.dashboard.charts import fits, graph, steps
from hub.dashboard.evidence import percent
from hub.dashboard.markup import EMPTY, duration, empty, joined, moment, table, tag
from hub.dashboard.visit import Page, Place, Visit
from hub.knowledge import Knowledge
from passerby.features.normalization import CameraReport

_RATES = (0.005, 0.01, 0.02, 0.05)
_TITLES: dict[Setting, str] = {"own": "Known from the same camera", "other": "Known from other cameras"}
_LABELS = ("at once", *(duration(begin) for begin in STEPS_S))


def build(visit: Visit) -> Page:
    """All of it, on one page."""
    knowledge = visit.reader.knowledge()
    wanted = visit.services.facts.false_link_rate
    return Page(
        title="Site",
        lede="What was learned here, without anybody telling it.",
        body=joined(
            (
                Markup('<div class="stack">'),
                _moving(knowledge),
                _looks(knowledge),
                _promised(knowledge.promise, wanted),
                _cameras(visit),
                Markup("</div>"),
            )
        ),
    )


def _moving(knowledge: Knowledge) -> Markup:
    gone, views = ways(knowledge.topology), view_pairs(knowledge.floor, knowledge.topology)
    if not gone:
        return _section(
            "Ways", empty("Nothing is known of ways yet", "They are learned as people go from view to view.")
        )
    cameras = sorted({way.before for way in gone} | {way.after for way in gone})
    strangers = strangers_an_hour(knowledge.topology)
    arrows = [
        (w.before, w.after, w.share, f"{w.before} to {w.after}: {_way_said(w)}") for w in gone if w.appearances >= 0.5
    ]
    overlapping = [(view.first, view.second) for view in views if _overlap(view)]
    most = max((step for way in gone for step, count in enumerate(way.steps) if count), default=0) + 1
    rows = [
        (
            way.before,
            way.after,
            f"{way.appearances:.0f}",
            f"{way.share:.0%}",
            _way_said(way),
            steps(way.steps[:most], _LABELS[:most], title=f"How long from {way.before} to {way.after}"),
        )
        for way in sorted(gone, key=lambda way: (way.before, -way.share))
        if way.appearances >= 0.5 or way.word is not None
    ]
    overlaps = [
        (
            f"{view.first} and {view.second}",
            tag("overlap", "good") if _overlap(view) else "",
            "" if view.fitting_share is None else f"{view.fitting_share:.0%} of {view.points} points",
            "" if view.said is None else "said by an operator",
        )
        for view in views
        if _overlap(view) or view.said is not None or view.points
    ]
    doors = [(camera, f"{an_hour:.1f}") for camera, an_hour in strangers.items()]
    return _section(
        "Ways",
        Markup(
            '<div class="halves"><div>{}</div><div>{}<h3 style="margin-top:16px">People never seen before</h3>'
            "{}</div></div>{}"
        ).format(
            graph(cameras, arrows, overlaps=overlapping),
            Markup("<h3>Views</h3>{}").format(table(("cameras", "", "map fits", ""), overlaps)) if overlaps else EMPTY,
            table(("camera", "an hour"), doors, numbers=(1,)),
            table(("from", "to", "people", "share", "takes", "how long"), rows, numbers=(2, 3)),
        ),
        "The stronger a line, the more people go that way. A broad band: the views overlap.",
    )


def _overlap(view: ViewPair) -> bool:
    return view.overlap if view.said is None else view.said


def _way_said(way: Way) -> str:
    if way.transit_s is None:
        return "at once" if way.at_once else ""
    low, middle, high = way.transit_s
    return f"{duration(middle)} ({duration(low)} to {duration(high)})"


def _looks(knowledge: Knowledge) -> Markup:
    panels = [
        Markup('<figure><h3>{}</h3><p class="small soft">{}: {} pairs of one person, {} of two</p>{}</figure>').format(
            _TITLES[setting],
            model_id.split("@", maxsplit=1)[0],
            len(calibration.genuine[setting]),
            len(calibration.impostors[setting]),
            fits(
                calibration.genuine[setting],
                calibration.impostors[setting],
                calibration.lines[setting],
                title=_TITLES[setting],
            )
            or Markup('<p class="soft">No pairs so far: looks are worth what they are on an unknown site.</p>'),
        )
        for model_id in knowledge.calibrated_models
        for calibration in (knowledge.calibration(model_id),)
        for setting in SETTINGS
    ]
    if not panels:
        said = "Looks are worth what they are on an unknown site, until people are known for other reasons."
        return _section("What looks are worth", empty("Nothing is learned yet", said))
    return _section(
        "What looks are worth",
        Markup('<div class="halves">{}</div>').format(joined(panels)),
        "Green: pairs of one person, red: of two. The line makes evidence of a fit.",
    )


def _promised(promise: Promise, wanted: float) -> Markup:
    known = promise.probabilities
    rows = [_at_rate(promise, rate, wanted=wanted) for rate in sorted({*_RATES, wanted})]
    return _section(
        "Wrong links",
        table(
            ("wrong among links", "linked from", "linked", "asked", "new", "wrong expected", ""), rows, numbers=range(6)
        ),
        f"What each rate would lead to, over the latest {len(known)} sightings that have ended. It is set in the site "
        "file: association: {false_link_rate: ...}.",
    )


def _at_rate(promise: Promise, rate: float, *, wanted: float) -> Sequence[object]:
    boundary = promise.boundary(rate)
    linked = [p for p in promise.probabilities if p >= boundary]
    asked = sum(Boundaries().candidate <= p < boundary for p in promise.probabilities)
    return (
        f"{100 * rate:g}%",
        percent(boundary),
        len(linked),
        asked,
        len(promise.probabilities) - len(linked) - asked,
        f"{sum(1.0 - p for p in linked):.1f}",
        tag("this site", "accent") if rate == wanted else "",
    )


def _cameras(visit: Visit) -> Markup:
    found = [
        (model_id, statistics.report())
        for model_id in visit.reader.model_ids()
        if (statistics := visit.reader.statistics(model_id)) is not None
    ]
    parts = [
        Markup("<h3>{}</h3>{}").format(
            model_id.split("@", maxsplit=1)[0],
            table(
                ("camera", "people", "believed", "taken away", "since", "drift"),
                [_camera(one) for one in report],
                numbers=(1, 2, 3),
            ),
        )
        for model_id, report in found
        if report
    ]
    if not parts:
        return _section("Cameras", empty("Nothing is learned of cameras yet", "It takes some people in each."))
    return _section(
        "Cameras", joined(parts), "How far each camera's own colours and light are believed and taken away."
    )


def _camera(one: CameraReport) -> Sequence[object]:
    drift = (
        ""
        if one.drift is None
        else Markup("{} {}").format(f"{one.drift:.1f}", tag("drifts", "warn") if one.alarm else EMPTY)
    )
    since = "from the beginning" if one.since_ns is None else moment(one.since_ns)
    return one.camera_id, one.people, f"{one.belief:.0%}", f"{one.removed_share:.0%}", since, drift


def _section(title: str, body: Markup, lede: str = "") -> Markup:
    return Markup(
        '<section class="card pad stack"><div><h2>{}</h2><p class="soft small">{}</p></div>{}</section>'
    ).format(title, lede, body)


PLACE = Place(path="/site", title="Site", icon="site", build=build, whole_site=True)
