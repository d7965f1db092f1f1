"""When somebody was where, as a small drawing: a lane a camera, a bar a sighting."""

from collections.abc import Sequence

from markupsafe import Markup

from hub.dashboard.markup import EMPTY, joined, moment
from hub.records import Tracklet

_WIDTH, _LANE, _LEFT = 900, 20, 130
_LEAST = 3.0
"""Units that a bar is wide at least, so that it is seen."""


def strip(seen: Sequence[Tracklet], *, hue: float) -> Markup:
    """The sightings of one person; nothing where there are none."""
    if not seen:
        return EMPTY
    cameras = list(dict.fromkeys(tracklet.camera_id for tracklet in seen))
    begin, end = min(t.started_at_ns for t in seen), max(t.ended_at_ns for t in seen)
    span = max(end - begin, 1)

    def x(at_ns: int) -> float:
        return _LEFT + (at_ns - begin) / span * (_WIDTH - _LEFT - 6)

    lanes = joined(
        Markup('<text x="0" y="{}">{}</text><line x1="{}" x2="{}" y1="{}" y2="{}" stroke="var(--line)"/>').format(
            lane * _LANE + 14, camera[:20], _LEFT, _WIDTH, lane * _LANE + 10, lane * _LANE + 10
        )
        for lane, camera in enumerate(cameras)
    )
    bars = joined(
        Markup('<rect x="{}" y="{}" width="{}" height="12" rx="3" fill="oklch(var(--id-l) var(--id-c) {})"/>').format(
            round(x(t.started_at_ns), 1),
            cameras.index(t.camera_id) * _LANE + 4,
            round(max(x(t.ended_at_ns) - x(t.started_at_ns), _LEAST), 1),
            hue,
        )
        for t in seen
    )
    return Markup(
        '<figure class="card pad"><svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="Sightings over time">'
        '{}{}</svg><figcaption class="row small soft"><span class="grow" style="padding-left:{}%">{}</span>{}'
        "</figcaption></figure>"
    ).format(_WIDTH, len(cameras) * _LANE, lanes, bars, round(100 * _LEFT / _WIDTH, 1), moment(begin), moment(end))
