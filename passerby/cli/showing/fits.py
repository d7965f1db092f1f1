"""Fits of known pairs beside the line that makes evidence of them: in text, and as a panel of an SVG."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from hub.association.calibration import Line
from passerby.cli.showing.bars import bar

_EVIDENCE = 10.0
"""Evidence (nat) beyond this is drawn at the edge: there nothing is left to be decided."""

_BAR_WIDTH = 16
_TRACK_WIDTH = 21

WIDTH, HEIGHT = 460, 340
"""Of a panel, in the SVG's units."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 46, 58, 44
_GENUINE, _IMPOSTOR, _LINE = "#2a7f62", "#c1502e", "#30343f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """Fits of pairs of one model and setting; `line` makes evidence of them."""

    title: str
    genuine: Sequence[float]
    impostors: Sequence[float]
    line: Line

    def bins(self, count: int) -> tuple[list[float], list[int], list[int]]:
        """Edges (count + 1,) from the lowest fit to the highest, and how many genuine and impostor fits lie between.

        Without fits, the edges span the evidence that is drawn.
        """
        both = [*self.genuine, *self.impostors]
        if not both:
            span = [(side * _EVIDENCE / 2 - self.line.offset) / self.line.slope for side in (-1, 1)]
        else:
            span = [min(both), max(both)]
        low, high = math.floor(span[0]), math.ceil(span[1])
        edges = np.linspace(low, max(high, low + 1), count + 1)
        genuine, impostors = (np.histogram(one, edges)[0].tolist() for one in (self.genuine, self.impostors))
        return edges.tolist(), genuine, impostors


def formula(line: Line) -> str:
    """`evidence = 0.52 x fit + 0.40`, with how sure the two are, and through which pairs."""
    slope_sd, offset_sd = math.sqrt(line.covariance[0]), math.sqrt(line.covariance[2])
    sign = "-" if line.offset < 0.0 else "+"
    return (
        f"evidence = {line.slope:.2f} (±{slope_sd:.2f}) x fit {sign} {abs(line.offset):.2f} (±{offset_sd:.2f}), "
        f"through {line.pairs[0]} genuine and {line.pairs[1]} impostor pairs; "
        f"{100 * line.mistaken:.0f}% of the genuine ones are taken to be two people"
    )


def drawn_in_text(fits: Fits, *, rows: int = 12) -> Iterator[str]:
    """Lines of text: the highest fits first, how many pairs have them, and what they are worth."""
    edges, genuine, impostors = fits.bins(rows)
    yield f"{fits.title}: {formula(fits.line)}"
    yield f"{'fit':>6}  {'genuine':<{_BAR_WIDTH + 5}}{'impostors':<{_BAR_WIDTH + 5}}evidence"
    greatest = max(*genuine, *impostors)
    for row in reversed(range(rows)):
        middle = (edges[row] + edges[row + 1]) / 2
        evidence = fits.line.evidence(middle)
        cells = (
            f"{count or '':>4} {bar(count, greatest, width=_BAR_WIDTH):<{_BAR_WIDTH}}"
            for count in (genuine[row], impostors[row])
        )
        yield f"{middle:6.1f}  {''.join(cells)}{evidence:+6.1f}  {_track(evidence)}".rstrip()


def drawn_as_svg(panels: Sequence[Sequence[Fits]]) -> str:
    """An SVG of rows of panels, one row a model."""
    width, height = WIDTH * max(map(len, panels), default=1), HEIGHT * max(len(panels), 1)
    drawn = [
        f'<g transform="translate({WIDTH * column},{HEIGHT * row})">{_panel(fits)}</g>'
        for row, line in enumerate(panels)
        for column, fits in enumerate(line)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def _track(evidence: float) -> str:
    """Where the evidence lies between the two edges, with a bar at 0."""
    middle = _TRACK_WIDTH // 2
    track = [" "] * _TRACK_WIDTH
    track[middle] = "│"
    track[middle + round(max(-1.0, min(1.0, evidence / _EVIDENCE)) * middle)] = "●"
    return "".join(track)


def _panel(fits: Fits, *, count: int = 24) -> str:
    edges, genuine, impostors = fits.bins(count)
    low, high = edges[0], edges[-1]
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT

    def x(fit: float) -> float:
        return _LEFT + (fit - low) / (high - low) * (right - _LEFT)

    def y(share: float) -> float:
        return bottom - share * (bottom - _TOP)

    def level(evidence: float) -> float:
        return y(0.5 + max(-_EVIDENCE, min(_EVIDENCE, evidence)) / _EVIDENCE / 2)

    parts = [
        _text(_LEFT, 18, fits.title, size=13, anchor="start"),
        _text(_LEFT, 34, formula(fits.line).split(", through")[0], anchor="start"),
        _text(_LEFT, 49, f"{len(fits.genuine)} genuine", colour=_GENUINE, anchor="start"),
        _text(_LEFT + 90, 49, f"{len(fits.impostors)} impostors", colour=_IMPOSTOR, anchor="start"),
        _text((_LEFT + right) / 2, HEIGHT - 8, "fit of looks (nat by the model)"),
        _text(right, 49, "evidence (nat)", anchor="end", colour=_LINE),
    ]
    # Each kind by itself: they are compared by shape, not by how often they occur.
    for counts, colour in ((genuine, _GENUINE), (impostors, _IMPOSTOR)):
        greatest = max(*counts, 1)
        for left, end, n in zip(edges, edges[1:], counts, strict=False):
            if n:
                top = y(0.9 * n / greatest)
                parts.append(
                    f'<rect x="{x(left):.1f}" y="{top:.1f}" width="{x(end) - x(left):.1f}" '
                    f'height="{bottom - top:.1f}" fill="{colour}" fill-opacity="0.45"/>'
                )
    parts.append(
        f'<path d="M{_LEFT},{_TOP}V{bottom}H{right}V{_TOP}M{_LEFT},{level(0):.1f}H{right}" '
        f'fill="none" stroke="#999" stroke-width="0.7"/>'
    )
    parts += [_text(x(at), bottom + 15, f"{at:.0f}") for at in np.linspace(low, high, 5).tolist()]
    parts += [
        _text(right + 4, level(at) + 4, f"{at:+.0f}" if at else "0", anchor="start") for at in (-10, -5, 0, 5, 10)
    ]
    curve = " ".join(
        f"{x(fit):.1f},{level(fits.line.evidence(fit)):.1f}" for fit in np.linspace(low, high, 80).tolist()
    )
    parts.append(f'<polyline points="{curve}" fill="none" stroke="{_LINE}" stroke-width="2"/>')
    for fit, ratio in _measured(edges, genuine, impostors):
        parts.append(f'<circle cx="{x(fit):.1f}" cy="{level(ratio):.1f}" r="3" fill="{_LINE}"/>')
    return "".join(parts)


def _measured(edges: list[float], genuine: list[int], impostors: list[int]) -> Iterator[tuple[float, float]]:
    """Where both kinds occur: the middle of the bin, and the logarithm of how much likelier the genuine are in it."""
    for low, high, same, other in zip(edges, edges[1:], genuine, impostors, strict=False):
        if same and other:
            yield (low + high) / 2, math.log(same / sum(genuine) / (other / sum(impostors)))


def _text(x: float, y: float, text: str, *, size: int = 11, anchor: str = "middle", colour: str = "#222") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>'
    )
