"""Two pictures of one decision: whom it is about, and whom it was likened to."""

from dataclasses import dataclass

from markupsafe import Markup

from hub.dashboard.evidence import percent
from hub.dashboard.markup import EMPTY, moment, tag
from hub.dashboard.people import who
from hub.dashboard.pictures import crop
from hub.dashboard.story import in_short
from hub.dashboard.visit import Visit
from hub.narration import sentence
from hub.records import Event, EventKind, TrackletNumber
from passerby.ids import CameraId, IdentityId

_WITH_PICTURES = {EventKind.LINKED, EventKind.MERGED, EventKind.CANDIDATE}
_WORDS = {
    EventKind.LINKED: "Linked",
    EventKind.MERGED: "Merged",
    EventKind.CANDIDATE: "Same person?",
    EventKind.SPLIT: "Split",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """The two crops; the second is None where the decision was not by looks. `cameras` are where they were seen."""

    first: tuple[TrackletNumber, int | None]
    second: tuple[TrackletNumber, int | None] | None
    cameras: tuple[CameraId, ...]


def pair_of(visit: Visit, event: Event) -> Pair | None:
    """The crops most alike of those of which a decision speaks; else the tracklet's best and the sighting before."""
    reader = visit.reader
    alike = reader.crops_most_alike(event)
    if alike is not None:
        numbers = (alike[0].tracklet, alike[1].tracklet)
        return Pair((numbers[0], alike[0].crop_id), (numbers[1], alike[1].crop_id), _cameras(visit, *numbers))
    if event.tracklet is None:
        return None
    tracklet = reader.tracklet(event.tracklet)
    if tracklet is None:
        return None
    other = None
    if event.evidence.beside is not None:
        other = event.evidence.beside
    elif event.kind is EventKind.LINKED:
        before = reader.latest_before(tracklet, tracklet.identity_id or IdentityId(event.identity_id))
        other = None if before is None else before.number
    if other is None:
        return Pair((tracklet.number, None), None, (tracklet.camera_id,))
    return Pair((tracklet.number, None), (other, None), _cameras(visit, tracklet.number, other))


def card(visit: Visit, event: Event, pair: Pair | None, *, name: str | None) -> Markup:
    """A decision in the feed, which leads to the page about it; in one line where there is nothing to be compared."""
    if event.kind not in _WITH_PICTURES or pair is None or pair.second is None:
        return Markup('<a class="small-link" href="/event/{}"><span class="grow">{}</span>{}</a>').format(
            event.event_id, _in_words(visit, event, name), moment(event.at_ns, "clock")
        )
    chance = event.evidence.probability
    sure = EMPTY if chance is None else Markup('<span class="p">{}</span>').format(percent(chance))
    kind = "warn" if event.kind is EventKind.CANDIDATE else "good"
    href = f"/review?at={event.event_id}" if event.kind is EventKind.CANDIDATE else f"/event/{event.event_id}"
    return Markup(
        '<a class="link card" href="{}" data-event="{}"><span class="pair">{}{}</span><span class="what">'
        '<span class="row">{} {}</span>{}<span class="soft small">{}</span>{}</span></a>'
    ).format(
        href,
        event.event_id,
        crop(*pair.first, alt=f"seen in {pair.cameras[0] if pair.cameras else 'a camera'}"),
        crop(*pair.second, alt=f"compared with {pair.cameras[-1] if pair.cameras else 'a camera'}"),
        tag(_WORDS[event.kind], kind),
        sure,
        who(event.identity_id, name, link=False),
        " ← ".join(dict.fromkeys(pair.cameras)),
        moment(event.at_ns, "clock"),
    )


def _in_words(visit: Visit, event: Event, name: str | None) -> Markup:
    if event.kind is EventKind.CREATED:
        return Markup("New: {} in {}").format(who(event.identity_id, name, link=False), event.camera_id)
    return Markup("{}").format(in_short(sentence(event, visit.reader)))


def _cameras(visit: Visit, *numbers: TrackletNumber) -> tuple[CameraId, ...]:
    found = (visit.reader.tracklet(number) for number in numbers)
    return tuple(tracklet.camera_id for tracklet in found if tracklet is not None)
