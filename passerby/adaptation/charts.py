"""Lines and intervals of a verdict as SVG, in colours that the page's style gives them."""

from collections.abc import Callable
from html import escape

import numpy as np

from passerby.adaptation.verdict import Figure, Line, Picture

_WIDTH, _HEIGHT = 380, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 10, 38
_BAR_WIDTH, _BAR_HEIGHT = 220, 26
_TOLD_RANKS = (1.0, 5.0, 10.0, 20.0)


def samples(picture: Picture) -> list[tuple[str, list[float]]]:
    """A picture in numbers: at some x, as text, the y of each line. Those of its x that are a power of ten below 1
    where they are logarithmic, else some ranks; nothing of steps, which say nothing one by one.

    >>> line = Line(name="after", model="after", x=[0.01, 0.05, 0.1, 1.0], y=[0.5, 0.7, 0.8, 1.0])
    >>> samples(Picture(name="ROC", about="", x_label="", y_label="", lines=[line], log_x=True))
    [('0.01', [0.5]), ('0.1', [0.8])]
    """
    if picture.steps or not picture.lines:
        return []
    xs = np.asarray(picture.lines[0].x)
    wanted = 10.0 ** np.arange(-6, 0) if picture.log_x else _TOLD_RANKS
    rows = [int(row) for x in wanted for row in np.flatnonzero(np.isclose(xs, x))]
    return [(_tick(xs[row]), [line.y[row] for line in picture.lines]) for row in rows]


def in_words(picture: Picture) -> str:
    """What a picture shows, for who does not see it."""
    told = "; ".join(
        f"at {x}: " + ", ".join(f"{line.name} {y:.3f}" for line, y in zip(picture.lines, ys, strict=True))
        for x, ys in samples(picture)
    )
    axes = f"{picture.y_label} by {picture.x_label}"
    return f"{picture.name}: {axes}{f'; {told}' if told else ''}"


def chart(picture: Picture) -> str:
    """A frame with axes, and a line for each of the picture's; empty where it has none."""
    if not picture.lines:
        return ""
    xs = [value for line in picture.lines for value in line.x]
    ys = [value for line in picture.lines for value in line.y]
    if picture.log_x:
        low, high = np.log10(max(min(xs), 1e-9)), np.log10(max(xs))
        x_ticks = [10.0**power for power in range(int(np.ceil(low - 1e-9)), int(high + 1e-9) + 1)]
    else:
        low, high = min(xs), max(xs) + (xs[1] - xs[0] if picture.steps and len(xs) > 1 else 0.0)
        x_ticks = _round_numbers(low, high)
    span = max(high - low, 1e-9)
    top = 1.0 if max(ys) > 0.5 else max(max(ys) * 1.08, 1e-6)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (np.log10(max(x, 1e-9)) if picture.log_x else x) - low
        return (
            _LEFT + across / span * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - y / top * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(in_words(picture))}">'
    ]
    for value in _round_numbers(0.0, top):
        x, y = place(xs[0], value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{_tick(value)}</text>')
    for value in x_ticks:
        x, y = place(value, 0.0)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y + 14:.1f}" text-anchor="middle">{_tick(value)}</text>')
    parts.append(
        f'<text class="tick" x="{_WIDTH / 2}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(picture.x_label)}</text>'
    )
    parts += [_line(line, picture, place) for line in picture.lines]
    return "".join([*parts, "</svg>"])


def _line(line: Line, picture: Picture, place: Callable[[float, float], tuple[float, float]]) -> str:
    points = [place(x, y) for x, y in zip(line.x, line.y, strict=True)]
    if picture.steps:
        width = points[1][0] - points[0][0] if len(points) > 1 else 0.0
        points = [corner for x, y in points for corner in ((x, y), (x + width, y))]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="line {_class(line)}" points="{path}"/>'


def legend(picture: Picture) -> str:
    """Which line is which."""
    return " ".join(f'<span class="key {_class(line)}">{escape(line.name)}</span>' for line in picture.lines)


def interval(figure: Figure) -> str:
    """The 95% interval of the change, better to the right; the line in the middle is no change, the dashed one how much
    worse is put up with. Empty where it is not known."""
    if figure.change is None or figure.low is None or figure.high is None:
        return ""
    sign = 1.0 if figure.better == "higher" else -1.0
    low, high = sorted((sign * figure.low, sign * figure.high))
    reach = 1.1 * max(abs(low), abs(high), figure.tolerance, 1e-6)
    middle, half = _BAR_HEIGHT / 2, _BAR_WIDTH / 2

    def across(value: float) -> float:
        return half + value / reach * half

    state = "worse" if figure.regressed else "better" if figure.improved else "same"
    return (
        f'<svg class="interval {state}" viewBox="0 0 {_BAR_WIDTH} {_BAR_HEIGHT}" role="img" aria-label="change '
        f'{figure.change:+.3f}, from {figure.low:+.3f} to {figure.high:+.3f}">'
        f'<line class="axis" x1="0" x2="{_BAR_WIDTH}" y1="{middle}" y2="{middle}"/>'
        f'<line class="zero" x1="{half}" x2="{half}" y1="2" y2="{_BAR_HEIGHT - 2}"/>'
        f'<line class="limit" x1="{across(-figure.tolerance):.1f}" x2="{across(-figure.tolerance):.1f}" y1="5" '
        f'y2="{_BAR_HEIGHT - 5}"/>'
        f'<rect x="{across(low):.1f}" y="{middle - 3}" height="6" rx="3" '
        f'width="{max(across(high) - across(low), 2.0):.1f}"/>'
        f'<circle cx="{across(sign * figure.change):.1f}" cy="{middle}" r="5"/></svg>'
    )


def _class(line: Line) -> str:
    """A name and a model have a colour of their own; before is dashed."""
    return f"{line.model} {'two' if line.name.startswith('two') else 'one'}"


def _round_numbers(low: float, high: float) -> list[float]:
    """About five round numbers from `low` to `high`.

    >>> _round_numbers(-1.0, 1.0), _round_numbers(1.0, 20.0)
    ([-1.0, -0.5, 0.0, 0.5, 1.0], [5.0, 10.0, 15.0, 20.0])
    """
    rough = max(high - low, 1e-9) / 5.0
    size = 10.0 ** np.floor(np.log10(rough))
    step = float(min((size * factor for factor in (1, 2, 5, 10)), key=lambda step: abs(np.log(step / rough))))
    first, last = int(np.ceil(low / step - 1e-6)), int(np.floor(high / step + 1e-6))
    return [round(number * step, 12) for number in range(first, last + 1)]


def _tick(value: float) -> str:
    return f"{value:.3g}"
