"""What the hub is not sure of: two people side by side, and a key that answers."""

from collections.abc import Mapping, Sequence
from typing import cast, get_args
from urllib.parse import urlencode

from markupsafe import Markup

from hub.corrections.acts import Answer, AnswerWord
from hub.corrections.candidates import Candidate, open_candidates
from hub.dashboard.correcting import carry_out, changed
from hub.dashboard.evidence import evidence
from hub.dashboard.markup import EMPTY, button, empty, joined, moment
from hub.dashboard.people import hue, who
from hub.dashboard.pictures import captioned, crop
from hub.dashboard.visit import Page, Place, Reaction, Visit
from hub.records import EventId, Tracklet, TrackletNumber
from passerby.errors import DataError

_MORE = 6
"""Pictures of each person beside the one that is compared."""


def build(visit: Visit) -> Page:
    """The first question, or the one `at` an event, or the next one after it where that is answered."""
    asked = _asked(visit)
    place = _place(asked, visit.number("at"))
    if place is None:
        return Page(
            title="Review",
            actions=_also(visit),
            body=empty(
                "Nothing to be answered", "Whenever the hub is unsure whether two are one person, it asks here."
            ),
        )
    return Page(
        title="Review",
        lede=f"{place + 1} of {len(asked)}: are these two one person?",
        actions=_also(visit) + _walk(visit, asked, place),
        body=_question(visit, asked[place]),
    )


def answer(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Take the word of an operator, tell what it has changed, and show the next question."""
    word = said.get("word", "")
    if word not in get_args(AnswerWord):
        raise DataError(f"{word!r} is no answer; say same, different or unsure")
    at = int(said["candidate"])
    following = _after(_asked(visit), at)
    outcome = carry_out(visit, Answer(candidate=EventId(at), answer=cast(AnswerWord, word)))
    told, undo = changed(visit, outcome)
    return Reaction(said=f"{word.capitalize()}. {told}", undo=undo, goes=_address(visit, following))


def _asked(visit: Visit) -> Sequence[Candidate]:
    found = open_candidates(visit.reader, unsure=_with_unsure(visit))
    if visit.principal.cameras is None:
        return found
    return [one for one in found if visit.principal.sees(one.tracklet.camera_id) and _mine(visit, one)]


def _mine(visit: Visit, one: Candidate) -> bool:
    return any(visit.principal.sees(t.camera_id) for t in visit.reader.tracklets_of(one.other))


def _place(asked: Sequence[Candidate], at: int | None) -> int | None:
    if not asked:
        return None
    if at is None:
        return 0
    return next((row for row, one in enumerate(asked) if one.event.event_id >= at), 0)


def _after(asked: Sequence[Candidate], at: int) -> int | None:
    later = [one.event.event_id for one in asked if one.event.event_id > at]
    return later[0] if later else None


def _address(visit: Visit, at: int | None) -> str:
    asked = {"at": at, "unsure": "1" if _with_unsure(visit) else None}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    return f"/review?{query}" if query else "/review"


def _with_unsure(visit: Visit) -> bool:
    return visit.asked.get("unsure") == "1"


def _also(visit: Visit) -> Markup:
    """The way to what was answered without being settled, and back."""
    if _with_unsure(visit):
        return Markup('<a class="btn quiet" href="/review">Only those not looked at</a>')
    return Markup('<a class="btn quiet" href="/review?unsure=1">Also where somebody was unsure</a>')


def _walk(visit: Visit, asked: Sequence[Candidate], place: int) -> Markup:
    def to(row: int, text: str, key: str) -> Markup:
        if not 0 <= row < len(asked):
            return EMPTY
        return Markup('<a class="btn" data-key="{}" href="{}">{}</a>').format(
            key, _address(visit, asked[row].event.event_id), text
        )

    return to(place - 1, "← Before", "arrowleft") + to(place + 1, "Next →", "arrowright")


def _question(visit: Visit, one: Candidate) -> Markup:
    pair = visit.reader.crops_most_alike(one.event)
    here = [t for t in visit.reader.tracklets_of(one.identity) if visit.principal.sees(t.camera_id)]
    there = [t for t in visit.reader.tracklets_of(one.other) if visit.principal.sees(t.camera_id)]
    known = {t.number for t in (*here, *there)}
    first: tuple[TrackletNumber, int | None] = (one.tracklet.number, None)
    second: tuple[TrackletNumber, int | None] | None = None
    if pair is not None and {pair[0].tracklet, pair[1].tracklet} <= known:
        first, second = (pair[0].tracklet, pair[0].crop_id), (pair[1].tracklet, pair[1].crop_id)
    elif there:
        second = (max(there, key=lambda t: t.quality).number, None)
    names = visit.gallery.names([one.identity, one.other])
    said = one.event.event_id
    buttons = (
        Markup('<div class="answers">{}{}{}</div>').format(
            button("Same person", "answer", kind="primary", key="s", word="same", candidate=said),
            button("Different", "answer", key="d", word="different", candidate=said),
            button("Unsure", "answer", key="u", word="unsure", candidate=said),
        )
        if visit.may_correct
        else EMPTY
    )
    return Markup(
        '<div class="stack"><div class="sides">{}{}</div>{}<section class="card pad stack">'
        "<h2>What the hub knows</h2>{}</section></div>"
    ).format(
        _side(here, first, head=who(one.identity, names.get(one.identity)), colour=hue(one.identity)),
        _side(there, second, head=who(one.other, names.get(one.other)), colour=hue(one.other)),
        buttons,
        evidence(one.event.evidence),
    )


def _side(
    seen: Sequence[Tracklet], big: tuple[TrackletNumber, int | None] | None, *, head: Markup, colour: float
) -> Markup:
    shown = next((t for t in seen if big is not None and t.number == big[0]), None)
    picture = EMPTY
    if big is not None and shown is not None:
        where = Markup("{}, {}").format(shown.camera_id, moment(shown.started_at_ns))
        picture = captioned(crop(*big, alt=f"seen in {shown.camera_id}"), where)
    others = [t for t in sorted(seen, key=lambda t: -t.quality) if shown is None or t.number != shown.number]
    more = joined(crop(t.number, alt=f"also seen in {t.camera_id}") for t in others[:_MORE])
    count = "1 sighting" if len(seen) == 1 else f"{len(seen)} sightings"
    return Markup(
        '<section class="card side" style="--hue:{}"><h2 class="row">{}<span class="soft small">{}</span></h2>'
        '<div class="big">{}</div><div class="more">{}</div></section>'
    ).format(colour, head, count, picture, more)


PLACE = Place(path="/review", title="Review", icon="review", build=build, does={"answer": answer})
