"""One decision: both pictures, the evidence, and the way back. The address of an event is for ever."""

from markupsafe import Markup

from hub.dashboard.evidence import evidence
from hub.dashboard.linked import pair_of
from hub.dashboard.markup import EMPTY, button, empty, joined, moment, tag
from hub.dashboard.people import hue, who
from hub.dashboard.pictures import captioned, crop
from hub.dashboard.story import undoable
from hub.dashboard.visit import Page, Place, Visit
from hub.dashboard.wording import in_short
from hub.narration import sentence
from hub.records import Event, EventId, EventKind


def build(visit: Visit) -> Page:
    """The page of the event whose number is asked for."""
    number = visit.number("event_id")
    event = visit.reader.event(EventId(number or 0))
    if event is None or not _may_see(visit, event):
        said = Markup('See <a href="/">what happens now</a>.')
        return Page(title=f"Event {number}", body=empty("There is no such event", said))
    later = visit.reader.undone_by(event.event_id)
    people = [one for one in (event.identity_id, event.other_identity_id) if one is not None]
    names = visit.gallery.names(people)
    facts = joined(
        Markup("<dt>{}</dt><dd>{}</dd>").format(name, value)
        for name, value in (
            ("Decided", moment(event.at_ns, "moment")),
            ("By", "an operator" if event.act_id is not None else "the hub"),
            ("People", joined(Markup("{} ").format(who(one, names.get(one))) for one in people)),
            ("Camera", event.camera_id or "-"),
            *((("Undoes", _link(event.undoes)),) if event.undoes is not None else ()),
        )
    )
    undone = (
        EMPTY if later is None else Markup('<a href="/event/{}">{}</a>').format(later.event_id, tag("undone", "warn"))
    )
    return Page(
        title=f"Event {event.event_id}",
        lede=Markup("{} {}").format(in_short(sentence(event, visit.reader)), undone),
        actions=_actions(visit, event, undone=later is not None),
        body=Markup(
            '<div class="cols"><div class="stack">{}<section class="card pad stack"><h2>Why</h2>{}</section></div>'
            '<section class="card pad"><dl class="facts">{}</dl></section></div>'
        ).format(
            _pictures(visit, event),
            evidence(event.evidence) or Markup('<p class="soft">No numbers: {}.</p>').format(_without_numbers(event)),
            facts,
        ),
    )


def _link(event_id: EventId) -> Markup:
    return Markup('<a href="/event/{0}">event {0}</a>').format(event_id)


def _pictures(visit: Visit, event: Event) -> Markup:
    pair = pair_of(visit.reader, event)
    if pair is None:
        return EMPTY
    cameras = pair.cameras + ("",) * 2
    sides = [captioned(crop(*pair.first, alt=f"seen in {cameras[0]}"), cameras[0])]
    if pair.second is not None:
        sides.append(captioned(crop(*pair.second, alt=f"compared with, in {cameras[1]}"), cameras[1]))
    return Markup('<section class="card side" style="--hue:{}"><div class="big">{}</div></section>').format(
        hue(event.identity_id), joined(sides)
    )


def _actions(visit: Visit, event: Event, *, undone: bool) -> Markup:
    if not visit.may_correct:
        return EMPTY
    if event.kind is EventKind.CANDIDATE:
        return Markup('<a class="btn primary" href="/review?at={}">Answer</a>').format(event.event_id)
    if not undoable(event, undone=undone):
        return EMPTY
    word = "This is wrong" if event.act_id is None else "Undo"
    return button(word, "undo", key="u", event=event.event_id)


def _without_numbers(event: Event) -> str:
    return "somebody has said so" if event.act_id is not None else "nothing was compared"


def _may_see(visit: Visit, event: Event) -> bool:
    if visit.principal.cameras is None:
        return True
    pair = pair_of(visit.reader, event)
    return pair is not None and all(map(visit.principal.sees, pair.cameras))


PLACE = Place(path="/event/{event_id:int}", title="Event", under="/", build=build)
