"""The reliability diagram as SVG: what the hub said of its links, and how many of them were right."""

from collections.abc import Sequence

from scipy.stats import beta

from benchmarks.judging.promise import Bin

_SIDE, _LEFT, _TOP, _COUNTS = 320.0, 64.0, 20.0, 70.0
_GREY, _BLUE = "#888", "#1f5fa8"


def reliability_svg(bins: Sequence[Bin], *, title: str) -> str:
    """Share of right links (with 90% intervals by Clopper and Pearson) over their probability; counts below."""
    low = min([0.5, *(one.low for one in bins)])
    width, height = _LEFT + _SIDE + 24.0, _TOP + _SIDE + _COUNTS + 94.0
    floor = _TOP + _SIDE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width:g}" height="{height:g}" fill="white"/>',
        f'<path d="M{_LEFT:g} {floor:g} L{_LEFT + _SIDE:g} {_TOP:g}" stroke="{_GREY}" stroke-dasharray="4 4"/>',
        f'<rect x="{_LEFT:g}" y="{_TOP:g}" width="{_SIDE:g}" height="{_SIDE:g}" fill="none" stroke="{_GREY}"/>',
    ]

    def across(value: float) -> float:
        return _LEFT + _SIDE * (value - low) / (1.0 - low)

    def up(value: float) -> float:
        return floor - _SIDE * max(value - low, 0.0) / (1.0 - low)

    for tick in range(6):
        value = low + (1.0 - low) * tick / 5
        parts.append(f'<text x="{across(value):.1f}" y="{floor + 16:g}" text-anchor="middle">{value:.2g}</text>')
        parts.append(f'<text x="{_LEFT - 8:g}" y="{up(value) + 4:.1f}" text-anchor="end">{value:.2g}</text>')
    most = max((one.right.all for one in bins), default=1)
    base = floor + 44 + _COUNTS
    for one in bins:
        right, wrong = one.right.all - one.right.wrong, one.right.wrong
        least = float(beta.ppf(0.05, right, wrong + 1)) if right else 0.0
        at_most = float(beta.ppf(0.95, right + 1, wrong)) if wrong else 1.0
        x = across(one.said)
        parts += [
            f'<path d="M{x:.1f} {up(least):.1f} V{up(at_most):.1f}" stroke="{_BLUE}" stroke-width="2"/>',
            f'<circle cx="{x:.1f}" cy="{up(right / one.right.all):.1f}" r="4" fill="{_BLUE}"/>',
            f'<rect x="{across(one.low):.1f}" y="{base - _COUNTS * one.right.all / most:.1f}" '
            f'width="{across(one.high) - across(one.low):.1f}" height="{_COUNTS * one.right.all / most:.1f}" '
            f'fill="{_BLUE}" fill-opacity="0.5"/>',
        ]
    middle = _LEFT + _SIDE / 2
    parts += [
        f'<text x="{middle:g}" y="{floor + 32:g}" text-anchor="middle">probability of the link, as the hub said</text>',
        f'<text x="{middle:g}" y="{base + 18:g}" text-anchor="middle">how many links</text>',
        f'<text x="{width / 2:g}" y="{base + 36:g}" text-anchor="middle" font-size="9" fill="{_GREY}">{title}</text>',
        f'<text transform="translate(16 {_TOP + _SIDE / 2:g}) rotate(-90)" text-anchor="middle">links that were right'
        "</text>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
