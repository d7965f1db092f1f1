"""Why a decision was taken, drawn: the probability against the boundary, and each term to the side it speaks for."""

from markupsafe import Markup

from hub.dashboard.markup import EMPTY, joined, table
from hub.records import Evidence, Terms

_FULL = 8.0
"""Evidence (nat) that fills a side: 3000 to 1."""

_NAMES = {"appearance": "Looks", "movement": "Way and time", "place": "Place", "apart": "Seen apart"}


def percent(probability: float) -> str:
    """As a person reads it: never 100% for what is only probable.

    >>> percent(0.9996), percent(0.982), percent(0.0002)
    ('> 99.9%', '98.2%', '< 0.1%')
    """
    if probability > 0.999:
        return "> 99.9%"
    if probability < 0.001:
        return "< 0.1%"
    return f"{100.0 * probability:.1f}%" if probability > 0.9 or probability < 0.1 else f"{100.0 * probability:.0f}%"


def gauge(probability: float, boundary: float | None) -> Markup:
    """The probability as a bar, with a mark from where on links are made."""
    mark = (
        EMPTY
        if boundary is None
        else Markup(
            '<span class="says" style="left:{0}%">links from {1}</span><span class="mark" style="left:{0}%"></span>'
        ).format(round(100.0 * boundary, 1), percent(boundary))
    )
    return Markup(
        '<div class="gauge" role="img" aria-label="{0} probable"><span class="fill" style="width:{1}%"></span>{2}</div>'
        '<p class="small soft">{0} that they are one person</p>'
    ).format(percent(probability), round(100.0 * probability, 1), mark)


def terms(seen: Terms) -> Markup:
    """The log-likelihood ratios that add up, in nat: to the right for one person, to the left for two."""
    values = {name: getattr(seen, name) for name in _NAMES}
    return Markup('<div class="terms">{}</div>').format(
        joined(_term(_NAMES[name], value) for name, value in values.items() if value is not None)
    )


def evidence(seen: Evidence) -> Markup:
    """All that is known of a decision; nothing where it has no numbers."""
    parts = []
    if seen.probability is not None:
        parts.append(gauge(seen.probability, seen.boundary))
    if seen.terms is not None:
        parts.append(terms(seen.terms))
    figures = [
        ("Similarity", None if seen.similarity is None else f"{seen.similarity:.3f}"),
        ("Next best", None if seen.runner_up is None else f"{seen.runner_up:.3f}"),
        ("Chosen among", None if seen.candidates is None else f"{seen.candidates} people"),
        ("Stands where", None if seen.beside is None else f"tracklet {seen.beside} stands"),
        ("Not linked because", seen.refused_because),
        ("Model", seen.model_id),
    ]
    known = [(name, value) for name, value in figures if value is not None]
    if known:
        parts.append(
            Markup('<details class="small"><summary class="soft">Figures</summary>{}</details>').format(
                table(("", ""), known)
            )
        )
    return Markup('<div class="stack">{}</div>').format(joined(parts)) if parts else EMPTY


def _term(name: str, value: float) -> Markup:
    width = round(min(abs(value) / _FULL, 1.0) * 50.0, 1)
    return Markup(
        '<span class="name">{}</span><span class="track"><span class="bar {}" style="width:{}%"></span></span>'
        '<span class="value">{}</span>'
    ).format(name, "for" if value >= 0.0 else "against", width, f"{value:+.1f}")
