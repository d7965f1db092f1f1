"""Two pictures of one decision: whom it is about, and whom it was likened to."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from hub.access.records import Principal
from hub.dashboard.evidence import percent
from hub.dashboard.gallery import Gallery
from hub.dashboard.markup import EMPTY, moment, tag
from hub.dashboard.people import who
from hub.dashboard.pictures import crop
from hub.dashboard.wording import in_short
from hub.narration import sentence
from hub.reader import SiteReader
from hub.records import Event, EventId, EventKind, TrackletNumber
from passerby.ids import CameraId, IdentityId

_WITH_PICTURES = {EventKind.LINKED, EventKind.MERGED, EventKind.CANDIDATE}
_FED = {*_WITH_PICTURES, EventKind.CREATED, EventKind.SPLIT}
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


@dataclass(frozen=True, slots=True)
class Told:
    """A decision in the feed; `cameras`: where it was seen, none where that is not known."""

    event_id: EventId
    card: Markup
    cameras: tuple[CameraId, ...]

    def may_be_seen_by(self, principal: Principal) -> bool:
        """Whether it is of cameras that they see."""
        return principal.cameras is None or (bool(self.cameras) and all(map(principal.sees, self.cameras)))


def told(reader: SiteReader, gallery: Gallery, events: Sequence[Event]) -> list[Told]:
    """Those of these events that the feed tells, in order."""
    wanted = [event for event in events if event.kind in _FED]
    names = gallery.names([event.identity_id for event in wanted]) if wanted else {}
    found = []
    for event in wanted:
        pair = pair_of(reader, event)
        shown = card(reader, event, pair, name=names.get(event.identity_id))
        found.append(Told(event.event_id, shown, () if pair is None else pair.cameras))
    return found


def pair_of(reader: SiteReader, event: Event) -> Pair | None:
    """The crops most alike of those of which a decision speaks; else the tracklet's best and the sighting before."""
    alike = reader.crops_most_alike(event)
    if alike is not None:
        numbers = (alike[0].tracklet, alike[1].tracklet)
        return Pair((numbers[0], alike[0].crop_id), (numbers[1], alike[1].crop_id), _cameras(reader, *numbers))
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
    return Pair((tracklet.number, None), (other, None), _cameras(reader, tracklet.number, other))


def card(reader: SiteReader, event: Event, pair: Pair | None, *, name: str | None) -> Markup:
    """A decision in the feed, which leads to the page about it; in one line where there is nothing to be compared."""
    if event.kind not in _WITH_PICTURES or pair is None or pair.second is None:
        return Markup('<a class="small-link" href="/event/{}"><span class="grow">{}</span>{}</a>').format(
            event.event_id, _in_words(reader, event, name), moment(event.at_ns, "clock")
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


def _in_words(reader: SiteReader, event: Event, name: str | None) -> Markup:
    if event.kind is EventKind.CREATED:
        return Markup("New: {} in {}").format(who(event.identity_id, name, link=False), event.camera_id)
    return Markup("{}").format(in_short(sentence(event, reader)))


def _cameras(reader: SiteReader, *numbers: TrackletNumber) -> tuple[CameraId, ...]:
    found = (reader.tracklet(number) for number in numbers)
    return tuple(tracklet.camera_id for tracklet in found if tracklet is not None)
