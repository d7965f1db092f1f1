"""What was decided about somebody, the latest first, each with its page and the way back."""

from markupsafe import Markup

from hub.dashboard.evidence import percent
from hub.dashboard.markup import EMPTY, button, joined, moment, tag
from hub.dashboard.visit import Visit
from hub.dashboard.wording import in_short
from hub.narration import sentence
from hub.records import Event, EventKind
from passerby.ids import IdentityId

_MOST = 100
_CAN_BE_UNDONE = {
    EventKind.MERGED,
    EventKind.LINKED,
    EventKind.SPLIT,
    EventKind.REJECTED,
    EventKind.RENAMED,
    EventKind.EXPIRED,
}


def story(visit: Visit, identity_id: IdentityId) -> Markup:
    """The latest events that name a person, as a list."""
    events = visit.reader.events_of(identity_id)
    taken_back = {event.undoes for event in events if event.undoes is not None}
    lines = joined(_line(visit, event, undone=event.event_id in taken_back) for event in reversed(events[-_MOST:]))
    more = EMPTY
    if len(events) > _MOST:
        more = Markup('<p class="soft small">and {} before</p>').format(len(events) - _MOST)
    return Markup('<ol class="story">{}</ol>{}').format(lines, more)


def undoable(event: Event, *, undone: bool) -> bool:
    """Whether an event can be taken back."""
    return not undone and event.undoes is None and event.kind in _CAN_BE_UNDONE


def _line(visit: Visit, event: Event, *, undone: bool) -> Markup:
    chance = event.evidence.probability
    by_hand = event.act_id is not None
    way_back = (
        button("Undo", "undo", kind="quiet", event=event.event_id)
        if visit.may_correct and undoable(event, undone=undone)
        else EMPTY
    )
    return Markup('<li><div class="row"><a class="nowrap" href="/event/{}">{}</a>{}{}{}</div><p>{}</p></li>').format(
        event.event_id,
        moment(event.at_ns),
        EMPTY if chance is None or by_hand else Markup('<span class="p nowrap">{}</span>').format(percent(chance)),
        tag("undone", "warn") if undone else (tag("by an operator", "accent") if by_hand else EMPTY),
        way_back,
        in_short(sentence(event, visit.reader)),
    )
