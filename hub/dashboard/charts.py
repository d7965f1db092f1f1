"""Small drawings of what was learned, as SVG that takes the colours of the page."""

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from hub.association.calibration import Line
from hub.dashboard.markup import EMPTY, joined

_EVIDENCE = 10.0
"""Evidence (nat) beyond this is drawn at the edge: there nothing is left to be decided."""

_BINS = 28
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 460, 240, 12, 40, 12, 34


def fits(genuine: Sequence[float], impostors: Sequence[float], line: Line, *, title: str) -> Markup:
    """Fits of known pairs as two histograms, each by itself, and the line that makes evidence of them."""
    both = [*genuine, *impostors]
    if not both:
        return EMPTY
    low, high = math.floor(min(both)), max(math.ceil(max(both)), math.floor(min(both)) + 1)
    edges = np.linspace(low, high, _BINS + 1)
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def x(fit: float) -> float:
        return round(_LEFT + (fit - low) / (high - low) * (right - _LEFT), 1)

    def level(evidence: float) -> float:
        bounded = max(-_EVIDENCE, min(_EVIDENCE, evidence))
        return round(bottom - (0.5 + bounded / _EVIDENCE / 2) * (bottom - _TOP), 1)

    bars = []
    for values, colour in ((impostors, "var(--bad)"), (genuine, "var(--good)")):
        counts, _ = np.histogram(values, edges)
        greatest = max(int(counts.max(initial=0)), 1)
        for column, count in enumerate(counts.tolist()):
            if count:
                height = round(0.9 * count / greatest * (bottom - _TOP), 1)
                bars.append(
                    Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}" fill-opacity=".5"/>').format(
                        x(edges[column]),
                        bottom - height,
                        round(x(edges[column + 1]) - x(edges[column]), 1),
                        height,
                        colour,
                    )
                )
    curve = " ".join(f"{x(fit)},{level(line.evidence(fit))}" for fit in np.linspace(low, high, 60).tolist())
    axis = joined(
        Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(x(at), bottom + 14, f"{at:.0f}")
        for at in np.linspace(low, high, 5).tolist()
    )
    scale = joined(
        Markup('<text x="{}" y="{}">{}</text>').format(right + 6, level(at) + 4, f"{at:+.0f}" if at else "0")
        for at in (-10, 0, 10)
    )
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}: {} pairs of one person, {} of two"><path '
        'd="M{},{}H{}" stroke="var(--line)" fill="none"/>{}<polyline points="{}" fill="none" stroke="var(--ink)" '
        'stroke-width="1.8"/>{}{}<text x="{}" y="{}" text-anchor="middle">fit of looks; right: evidence (nat)'
        "</text></svg>"
    ).format(
        _WIDTH,
        _HEIGHT,
        title,
        len(genuine),
        len(impostors),
        _LEFT,
        level(0.0),
        right,
        joined(bars),
        curve,
        axis,
        scale,
        (_LEFT + right) / 2,
        _HEIGHT - 4,
    )


def steps(counts: Sequence[float], labels: Sequence[str], *, title: str) -> Markup:
    """Counts as a small histogram, with a label under the first, the middle and the last bar."""
    greatest = max(counts, default=0.0)
    if not greatest:
        return EMPTY
    wide, high = 12, 36
    bars = joined(
        Markup(
            '<rect x="{}" y="{}" width="{}" height="{}" rx="1.5" fill="var(--accent)"><title>{}: {}</title></rect>'
        ).format(
            at * wide + 1,
            round(high - count / greatest * high, 1),
            wide - 2,
            round(count / greatest * high, 1),
            labels[at],
            f"{count:.0f}",
        )
        for at, count in enumerate(counts)
        if count
    )
    ends = joined(
        Markup('<text x="{}" y="{}" text-anchor="{}" style="font-size:8px">{}</text>').format(
            at * wide + wide / 2, high + 10, anchor, labels[at]
        )
        for at, anchor in ((0, "start"), (len(counts) - 1, "end"))
    )
    return Markup(
        '<svg class="chart" style="max-width:{}px" viewBox="0 0 {} {}" role="img" aria-label="{}">{}<path d="M0,{}H{}" '
        'stroke="var(--line)"/>{}</svg>'
    ).format(1.3 * wide * len(counts), wide * len(counts), high + 12, title, bars, high + 0.5, wide * len(counts), ends)


def graph(
    nodes: Sequence[str], edges: Sequence[tuple[str, str, float, str]], *, overlaps: Sequence[tuple[str, str]]
) -> Markup:
    """Cameras in a circle; an arrow (from, to, share 0-1, words) is as strong as its share, a band an overlap."""
    if not nodes:
        return EMPTY
    width, height, radius = 560.0, 380.0, 130.0
    at = {
        name: (
            width / 2 + 1.45 * radius * math.cos(2 * math.pi * place / len(nodes) - math.pi / 2),
            height / 2 + radius * math.sin(2 * math.pi * place / len(nodes) - math.pi / 2),
        )
        for place, name in enumerate(nodes)
    }
    drawn = [
        Markup(
            '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="var(--good)" stroke-width="7" stroke-opacity=".35"><title>'
            "{} and {} overlap</title></line>"
        ).format(*(round(v, 1) for v in (*at[a], *at[b])), a, b)
        for a, b in overlaps
        if a in at and b in at
    ]
    for before, after, share, words in edges:
        if before in at and after in at and before != after:
            drawn.append(_arrow(at[before], at[after], share, words))
    for name, (x, y) in at.items():
        drawn.append(
            Markup(
                '<circle cx="{0}" cy="{1}" r="9" fill="var(--card)" stroke="var(--accent)" stroke-width="2.5"/>'
                '<text class="strong" x="{0}" y="{2}" text-anchor="middle">{3}</text>'
            ).format(round(x, 1), round(y, 1), round(y + (-18 if y < height / 2 else 26), 1), name)
        )
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="Ways between cameras; the table tells the same">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto" '
        'markerUnits="userSpaceOnUse"><path d="M0,0L8,4L0,8z" fill="var(--accent)"/></marker></defs>{}</svg>'
    ).format(int(width), int(height), joined(drawn))


def _arrow(begin: tuple[float, float], end: tuple[float, float], share: float, words: str) -> Markup:
    (x1, y1), (x2, y2) = begin, end
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    # Bent to its own left, so that there and back are two lines.
    bx, by = (x1 + x2) / 2 - uy * 22, (y1 + y2) / 2 + ux * 22
    return Markup(
        '<path d="M{},{}Q{},{} {},{}" fill="none" stroke="var(--accent)" stroke-width="{}" stroke-opacity="{}" '
        'marker-end="url(#tip)"><title>{}</title></path>'
    ).format(
        *(round(v, 1) for v in (x1 + ux * 13, y1 + uy * 13, bx, by, x2 - ux * 14, y2 - uy * 14)),
        round(1.0 + 5.0 * share, 1),
        round(0.25 + 0.75 * share, 2),
        words,
    )
