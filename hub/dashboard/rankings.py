"""Answers about people who were brought, drawn: whom each may be with which probability, also that it is nobody."""

from collections.abc import Sequence

from markupsafe import Markup

from hub.dashboard.evidence import percent
from hub.dashboard.markup import EMPTY, data_picture, joined, moment, tag
from hub.enrolment.identifying import NOBODY_KNOWN, UNSURE
from hub.enrolment.posterior import SURE, Verdict

_RANKED = 8


def enrolled(name: str, *, pictures: int, expires_at_ns: int | None, shots: Sequence[bytes]) -> Markup:
    """That somebody is known from now on, with the crops that are kept."""
    until = (
        Markup("until removed") if expires_at_ns is None else Markup("until {}").format(moment(expires_at_ns, "day"))
    )
    return Markup(
        '<div class="card pad stack"><h2>{} is enrolled</h2><p class="soft">{}, kept {}.</p>'
        '<div class="row">{}</div><p><a class="btn" href="/enrolment">See who is enrolled</a></p></div>'
    ).format(
        name,
        "1 picture" if pictures == 1 else f"{pictures} pictures",
        until,
        joined(data_picture(jpeg, alt=f"enrolled as {name}") for jpeg in shots),
    )


def compared(name: str, *, said: Verdict, probability: float, shots: Sequence[bytes]) -> Markup:
    """Whether it is who was claimed."""
    words = {"same": f"This is {name}", "unsure": f"Perhaps {name}", "another": f"This is not {name}"}[said]
    kind = {"same": "good", "unsure": "warn", "another": "bad"}[said]
    return Markup(
        '<div class="card pad stack"><div class="row"><h2 class="grow">{}</h2>{}</div><div class="row">{}</div>{}'
        '<p class="small soft">If it was as likely as not before. {} and more is said to be so.</p></div>'
    ).format(
        words,
        tag(percent(probability), kind),
        joined(data_picture(jpeg, alt="brought") for jpeg in shots),
        meter(probability),
        percent(SURE),
    )


def named(shots: Markup, said: str, ranking: Sequence[tuple[str, float]], nobody: float) -> Markup:
    """Who one person may be: what is said of it plainly, then all names, and nobody known, by probability."""
    rows = [(p, rank(EMPTY, Markup("<strong>{}</strong>").format(name), p)) for name, p in ranking[:_RANKED]]
    rows.append((nobody, nobody_row("Nobody known", nobody)))
    return card(shots, said_plainly(said, ranking, nobody), joined(row for _, row in sorted(rows, key=lambda r: -r[0])))


def said_plainly(said: str, ranking: Sequence[tuple[str, float]], nobody: float) -> Markup:
    """The heading of an identification, and a sentence."""
    if said == NOBODY_KNOWN:
        title, kind, probability = "Nobody known", "", nobody
        words = "It is not the one person" if len(ranking) == 1 else f"It is none of the {len(ranking)} people"
        words += f" who {'is' if len(ranking) == 1 else 'are'} enrolled; {percent(SURE)} and more is said to be so."
    elif said == UNSURE:
        name, probability = ranking[0]
        title, kind = "Unsure", "warn"
        words = f"{name} is the likeliest of the enrolled; {percent(SURE)} and more is said to be so."
    else:
        probability = ranking[0][1]
        title, kind, words = f"This is {said}", "good", f"{percent(SURE)} and more is said to be so."
    return Markup('<div class="row"><h2 class="grow">{}</h2>{}</div><p class="small soft">{}</p>').format(
        title, tag(percent(probability), kind), words
    )


def card(shots: Markup, heading: Markup, rows: Markup) -> Markup:
    """Somebody who was brought, beside whom they may be."""
    return Markup(
        '<section class="card pad" style="margin-bottom:16px"><div class="row" style="align-items:flex-start;gap:20px;'
        'flex-wrap:nowrap">{}<div class="grow">{}{}</div></div></section>'
    ).format(shots, heading, rows)


def rank(picture: Markup, words: Markup, probability: float, *, colour: float = 0.0) -> Markup:
    """One line of a ranking."""
    return Markup('<div class="rank" style="--hue:{}">{}<div>{}{}</div><span class="p num">{}</span></div>').format(
        colour, picture or Markup("<span></span>"), words, meter(probability), percent(probability)
    )


def nobody_row(words: str, probability: float) -> Markup:
    """The line of a ranking that is nobody's."""
    return rank(EMPTY, Markup('<strong class="soft">{}</strong>').format(words), probability)


def brought(*jpegs: bytes, says: str = "brought") -> Markup:
    """What was brought: the first crop large enough to see, the others beside it."""
    return Markup(
        '<figure class="brought"><div class="row">{}</div><figcaption class="small soft">{}</figcaption></figure>'
    ).format(joined(data_picture(jpeg, alt="brought") for jpeg in jpegs), says)


def meter(probability: float) -> Markup:
    """A probability as a bar."""
    return Markup('<div class="meter"><i style="width:{}%"></i></div>').format(round(100.0 * probability, 1))
