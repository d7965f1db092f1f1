"""From figures to a decision, and to sentences that say why."""

from collections.abc import Sequence

from passerby.adaptation.verdict import Figure


def decide(figures: Sequence[Figure], *, hindrance: str | None) -> tuple[bool, list[str]]:
    """Whether to promote, and the reasons: everything that speaks against it, or else what speaks for it.

    Refused where `hindrance` says that nothing can be told, where any figure has regressed, and where none of people
    across cameras can be measured, or has improved, or where another of these fell by more than is put up with, though
    that may be chance.
    """
    against = [] if hindrance is None else [hindrance]
    against += [f"Worse: {_said(figure)}." for figure in figures if figure.regressed]
    crossing = [figure for figure in figures if figure.crossing and figure.enough]
    better = [figure for figure in crossing if figure.improved]
    if hindrance is None and not crossing:
        against.append("Cannot tell: nothing of people across cameras could be measured.")
    elif (
        not against
        and better
        and (fallen := [figure for figure in crossing if _gain(figure, figure.change) < -figure.tolerance])
    ):
        against += [f"Contradictory: better is {_said(better[0])}, but not {_said(each)}." for each in fallen]
    elif hindrance is None and not better and not against:
        nearest = max(crossing, key=_standing)
        against.append(
            f"No better: none of {len(crossing)} figures of people across cameras rose for certain; "
            f"at best {_said(nearest)}."
        )
    if against:
        return False, against
    return True, [f"Better: {_said(figure)}." for figure in better]


def _standing(figure: Figure) -> float:
    """How near a figure came to a certain gain: the worse end of its interval, in widths of it."""
    ends = sorted((_gain(figure, figure.low), _gain(figure, figure.high)))
    return ends[0] / max(ends[1] - ends[0], 1e-9)


def _gain(figure: Figure, change: float | None) -> float:
    """How much better a change is; 0 where it is not known."""
    if change is None:
        return 0.0
    return change if figure.better == "higher" else -change


def _said(figure: Figure) -> str:
    """As `guard mAP from 0.61 to 0.52 (-0.12 to -0.05)`."""
    if figure.low == figure.high:
        return f"{figure.name} from {_shown(figure.before)} to {_shown(figure.after)}"
    return (
        f"{figure.name} from {_shown(figure.before)} to {_shown(figure.after)} "
        f"(change {_shown(figure.low, sign=True)} to {_shown(figure.high, sign=True)})"
    )


def _shown(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return "-"
    digits = 1 if abs(value) >= 10 else 3
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
