"""One sighting in a few pictures: what stands beside the timeline."""

from markupsafe import Markup

from hub.dashboard.evidence import evidence
from hub.dashboard.markup import EMPTY, duration, joined, moment
from hub.dashboard.people import hue, who
from hub.dashboard.pictures import captioned, crop
from hub.dashboard.wording import in_short
from hub.narration import sentence
from hub.reader import SiteReader
from hub.records import Tracklet

_MOST = 6


def sighting(reader: SiteReader, tracklet: Tracklet) -> Markup:
    """Who, where and when; the best crops; the latest decision and why."""
    identity = None if tracklet.identity_id is None else reader.identity(tracklet.identity_id)
    crops = joined(
        captioned(
            crop(one.tracklet, one.crop_id, alt=f"seen in {tracklet.camera_id}"), moment(one.captured_at_ns, "clock")
        )
        for one in reader.exemplars(tracklet.number)[:_MOST]
    )
    events = reader.events_of_tracklet(tracklet.number)
    why = EMPTY
    if events:
        why = Markup('<h3>{}</h3>{}<p class="small"><a href="/event/{}">All about this decision</a></p>').format(
            in_short(sentence(events[-1], reader)), evidence(events[-1].evidence), events[-1].event_id
        )
    head = (
        Markup('<span class="soft">not decided yet</span>')
        if identity is None
        else who(identity.identity_id, identity.name)
    )
    return Markup(
        '<div class="card pad stack" style="--hue:{}"><div><h2>{}</h2><p class="soft small">{}, {}, {}</p></div>'
        '<div class="shots">{}</div>{}</div>'
    ).format(
        hue(identity.identity_id) if identity else 0,
        head,
        tracklet.camera_id,
        moment(tracklet.started_at_ns),
        duration((tracklet.ended_at_ns - tracklet.started_at_ns) / 1e9),
        crops or Markup('<p class="soft small">no picture is kept</p>'),
        why,
    )
