"""A film that was brought: which frames are meant, how far the question about it is, and the answer."""

from typing import Literal

from markupsafe import Markup

from hub.dashboard import rankings
from hub.dashboard.brought import Brought, days_of
from hub.dashboard.markup import EMPTY, button, duration, empty, joined
from hub.enrolment.records import checked_name, checked_reason
from hub.films.records import (
    PHASES,
    UNDER_WAY,
    Answer,
    Asked,
    Compared,
    Enrolled,
    Film,
    Identified,
    Phase,
    Several,
    Shown,
    Viewing,
)
from passerby.errors import DataError

_PREVIEW = 320
"""Pixels wide."""

_SHOTS = 2
"""Crops of each of many people."""

_WORDS: dict[Phase, str] = {
    "loading": "Load networks",
    "watching": "Decode and detect",
    "describing": "Embed",
    "comparing": "Compare",
}
_DOING = {"enroll": "Enrolment", "verify": "Verification", "identify": "Identification"}


def frames(film: Film) -> Markup:
    """Part of a form: the first and the last frame that are looked at, each with its picture."""
    return Markup(
        '<fieldset class="film" data-film="{}" data-fps="{}"><legend><strong>{}</strong> '
        '<span class="small soft">{} frames, {}, {} x {}</span></legend>'
        '<input type="hidden" name="film" value="{}"><input type="hidden" name="person" value="">'
        '<div class="ends">{}{}</div><div class="row"><button type="button" class="btn quiet" data-forget>'
        "Another one</button></div></fieldset>"
    ).format(
        film.film_id,
        round(film.fps, 3),
        film.name,
        film.frames,
        duration(film.seconds),
        film.width,
        film.height,
        film.film_id,
        _end(film, "from_frame", "From frame", 1),
        _end(film, "to_frame", "To frame", film.frames),
    )


def progress(viewing: Viewing) -> Markup:
    """How far it is, which asks for itself again; at the end the answer."""
    if viewing.state not in UNDER_WAY:
        return _ended(viewing)
    steps = joined(_step(phase, viewing) for phase in PHASES)
    if viewing.state == "queued":
        words = "It waits for its turn."
    elif viewing.phase == "watching":
        words = f"Frame {viewing.frame} of {viewing.of_frames}"
    else:
        words = "" if viewing.phase is None else f"{_WORDS[viewing.phase]}…"
    return Markup(
        '<section class="card pad stack" aria-live="off" data-poll="/looking/viewings/{}"><div class="row">'
        '<h2 class="grow">{} of {}</h2>{}</div><ol class="phases">{}</ol><p class="soft num" role="status">{}</p>'
        "</section>"
    ).format(
        viewing.number,
        _DOING[viewing.asked.what],
        viewing.film.name,
        button("Cancel", "cancel-viewing", kind="danger", number=viewing.number),
        steps,
        words,
    )


def ask(what: Literal["enroll", "verify", "identify"], brought: Brought) -> Markup:
    """Begin what a form asks about the film that it names; gives how far that is. Raises DataError."""
    visit = brought.visit
    if visit.services.films is None:
        raise DataError("films are not taken here")
    person = brought.field("person")
    asked = Asked(
        what=what,
        first=_number(brought, "from_frame") or 1,
        last=_number(brought, "to_frame"),
        name=checked_name(brought.field("name")) if what != "identify" else "",
        reason=checked_reason(brought.field("reason")),
        days=days_of(brought.field("days")),
        largest=brought.field("largest") == "true" and not person,
        person=_number(brought, "person"),
    )
    viewing = visit.services.films.ask(brought.field("film"), asked, actor=visit.principal.name, address=visit.address)
    brought.note(f"films.{what}", f"viewing:{viewing.number}")
    return progress(viewing)


def _number(brought: Brought, name: str) -> int | None:
    text = brought.field(name)
    if text and not (text.isdecimal() and len(text) < 10):
        raise DataError(f"{name} is {text!r}, expected a whole number")
    return int(text) if text else None


def _end(film: Film, name: str, title: str, number: int) -> Markup:
    return Markup(
        '<figure><img alt="{1}" src="/api/v1/films/{0}/frames/{3}?width={5}" data-shows="{2}" width="{5}" height="{6}">'
        '<input type="range" min="1" max="{4}" value="{3}" data-slides="{2}" aria-label="{1}, slider">'
        '<label class="labelled">{1}<input class="field num" type="number" name="{2}" min="1" max="{4}" value="{3}" '
        'required></label><span class="small soft num" data-second="{2}"></span></figure>'
    ).format(
        film.film_id, title, name, number, film.frames, _PREVIEW, max(1, round(_PREVIEW * film.height / film.width))
    )


def _step(phase: Phase, viewing: Viewing) -> Markup:
    now = -1 if viewing.phase is None else PHASES.index(viewing.phase)
    here = PHASES.index(phase)
    share = viewing.share if phase == "watching" and here == now else float(here < now)
    current = Markup(' aria-current="step"') if here == now else EMPTY
    return Markup('<li{}><div class="meter"><i style="width:{}%"></i></div>{}</li>').format(
        current, round(100.0 * share), _WORDS[phase]
    )


def _ended(viewing: Viewing) -> Markup:
    if viewing.state == "cancelled":
        return empty("Cancelled", "Nothing was kept. The film is still here: choose other frames, or ask again.")
    if viewing.answer is None:
        return empty("That does not work", viewing.reason, trouble=True)
    return _answered(viewing.answer)


def _answered(answer: Answer) -> Markup:
    if isinstance(answer, Enrolled):
        return rankings.enrolled(
            answer.name, pictures=answer.pictures, expires_at_ns=answer.expires_at_ns, shots=answer.shown.crops
        )
    if isinstance(answer, Compared):
        return rankings.compared(
            answer.name, said=answer.verdict, probability=answer.probability, shots=answer.shown.crops
        )
    if isinstance(answer, Several):
        return _several(answer)
    return _everybody(answer)


def _everybody(answer: Identified) -> Markup:
    return joined(
        rankings.named(
            rankings.brought(*one.shown.crops[:_SHOTS], says=_when(one.shown)), one.said, one.ranking, one.nobody
        )
        for one in answer.people
    )


def _several(answer: Several) -> Markup:
    people = joined(
        Markup(
            '<li class="card pad">{}<button type="button" class="btn" data-person="{}">This one</button></li>'
        ).format(rankings.brought(*one.crops[:_SHOTS], says=_when(one)), number)
        for number, one in enumerate(answer.people, 1)
    )
    return Markup(
        '<section class="stack"><div><h2>{} people are seen</h2><p class="soft">Who is meant? Or choose frames with '
        'one person alone.</p></div><ul class="row several">{}</ul></section>'
    ).format(len(answer.people), people)


def _when(shown: Shown) -> str:
    return f"frames {shown.from_frame} to {shown.to_frame}"
