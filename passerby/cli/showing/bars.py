"""Small histograms in a line of text."""

from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"


def bars(counts: Sequence[float]) -> str:
    """One block a count, the highest for the greatest; a dot for nothing.

    >>> bars([0, 1, 4, 8])
    '·▁▄█'
    """
    greatest = max(counts, default=0.0)
    return "".join(_BLOCKS[max(round(one / greatest * 8), 1) - 1] if one > 0.0 else "·" for one in counts)


def bar(value: float, greatest: float, *, width: int) -> str:
    """A horizontal bar of at most `width` letters, in eighths of one.

    >>> bar(3, 8, width=2), bar(0, 8, width=2)
    ('▊', '')
    """
    eighths = round(value / greatest * width * 8) if greatest > 0.0 else 0
    whole, rest = divmod(max(eighths, int(value > 0.0)), 8)
    return "█" * whole + (" ▏▎▍▌▋▊▉"[rest] if rest else "")
