"""What the gate says of an adapted model, drawn: each figure of before and after, with what is sure of the change."""

from collections.abc import Sequence

from markupsafe import Markup

from hub.dashboard.markup import EMPTY, joined, table, tag
from passerby.adaptation.verdict import Figure, Verdict


def verdict(said: Verdict) -> Markup:
    """The decision with its reasons, and all figures."""
    reasons = joined(Markup("<li>{}</li>").format(reason) for reason in said.reasons)
    return Markup(
        '<section class="card pad stack"><div class="row"><h2>{}</h2>{}</div><ul class="reasons">{}</ul>'
        '<p class="small soft">Judged by {} sightings of {} people that nothing was learned from, in '
        "{}.</p>{}</section>"
    ).format(
        "The gate lets it pass" if said.passed else "The gate refuses it",
        tag("passed", "good") if said.passed else tag("refused", "bad"),
        reasons,
        said.tracklets,
        said.groups,
        ", ".join(said.cameras),
        table(("", "before", "after", "change, 95% sure", ""), map(_row, said.figures), numbers=(1, 2)),
    )


def _row(one: Figure) -> Sequence[object]:
    name = Markup('<strong>{}</strong><div class="small soft">{}</div>').format(one.name, one.about)
    return name, _number(one.before), _number(one.after), _change(one), _judged(one)


def _change(one: Figure) -> Markup:
    """The interval of the change on a scale of the tolerance, good at the right."""
    if one.change is None or one.low is None or one.high is None:
        return EMPTY
    sign = 1.0 if one.better == "higher" else -1.0
    low, high = sorted((sign * one.low, sign * one.high))
    full = max(abs(low), abs(high), 2.0 * one.tolerance, 1e-9)
    left, right = (50.0 + 50.0 * value / full for value in (low, high))
    colour = "var(--good)" if one.improved else "var(--bad)" if one.regressed else "var(--soft)"
    return Markup(
        '<div class="interval" role="img" aria-label="change {0}, from {1} to {2}"><i style="left:{3}%;width:{4}%;'
        'background:{5}"></i></div><div class="small soft num">{0} ({1} to {2})</div>'
    ).format(
        f"{one.change:+.3f}",
        f"{one.low:+.3f}",
        f"{one.high:+.3f}",
        round(left, 1),
        round(max(right - left, 0.8), 1),
        colour,
    )


def _judged(one: Figure) -> Markup:
    if not one.enough:
        return tag("too few to say")
    if one.regressed:
        return tag("worse", "bad")
    return tag("better", "good") if one.improved else tag("as before")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
