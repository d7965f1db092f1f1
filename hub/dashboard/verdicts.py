"""What the gate says of an adapted model, drawn: each figure of before and after, with what is sure of the change."""

from collections.abc import Sequence

from markupsafe import Markup

from hub.dashboard.markup import EMPTY, joined, table, tag
from passerby.adaptation.charts import chart, interval, legend, samples
from passerby.adaptation.verdict import Figure, Picture, Verdict


def verdict(said: Verdict) -> Markup:
    """The decision with its reasons, and all figures."""
    reasons = joined(Markup("<li>{}</li>").format(reason) for reason in said.reasons)
    return Markup(
        '<section class="card pad stack"><div class="row"><h2>{}</h2>{}</div><ul class="reasons">{}</ul>'
        '<p class="small soft">Judged by {} sightings of {} people that nothing was learned from, in {}. A dot is the '
        "change, better to the right; the bar what it may as well be by chance of people; the dashed line how much "
        "worse is put up with.</p>{}</section>"
    ).format(
        "The gate lets it pass" if said.passed else "The gate refuses it",
        tag("passed", "good") if said.passed else tag("refused", "bad"),
        reasons,
        said.tracklets,
        said.groups,
        ", ".join(said.cameras),
        table(("", "before", "after", "change, 95% sure", ""), map(_row, said.figures), numbers=(1, 2)),
    )


def pictures(said: Verdict) -> Markup:
    """Curves of before and after, as in the report; nothing where there was too little to draw them of."""
    drawn = joined(_picture(one) for one in sorted(said.pictures, key=lambda one: one.steps))
    if not drawn:
        return EMPTY
    return Markup(
        '<section class="card pad stack"><div><h2>Before and after</h2><p class="small soft">Dashed: the model that it '
        'started from; solid: the adapted one.</p></div><div class="halves curves">{}</div></section>'
    ).format(drawn)


def _picture(one: Picture) -> Markup:
    numbers = samples(one)
    told = EMPTY
    if numbers:
        rows = ((x, *(f"{y:.3f}" for y in ys)) for x, ys in numbers)
        titles = (one.x_label, *(line.name for line in one.lines))
        told = Markup('<details class="small"><summary class="soft">In numbers</summary>{}</details>').format(
            table(titles, rows, numbers=range(1, len(titles)))
        )
    return Markup(
        '<figure><figcaption><strong>{}</strong> {}<div class="small soft">{}</div></figcaption>{}{}</figure>'
    ).format(one.name, _svg(legend(one)), one.about, _svg(chart(one)), told)


def _row(one: Figure) -> Sequence[object]:
    name = Markup('<strong>{}</strong><div class="small soft">{}</div>').format(one.name, one.about)
    return name, _number(one.before), _number(one.after), _change(one), _judged(one)


def _change(one: Figure) -> Markup:
    """The interval of the change, good at the right."""
    if one.change is None or one.low is None or one.high is None:
        return EMPTY
    return Markup('{}<div class="small soft num">{} ({} to {})</div>').format(
        _svg(interval(one)), f"{one.change:+.3f}", f"{one.low:+.3f}", f"{one.high:+.3f}"
    )


def _judged(one: Figure) -> Markup:
    if not one.enough:
        return tag("too few to say")
    if one.regressed:
        return tag("worse", "bad")
    return tag("better", "good") if one.improved else tag("as before")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _svg(drawn: str) -> Markup:
    return Markup(drawn)  # noqa: S704 - the drawing escapes what is put into it
