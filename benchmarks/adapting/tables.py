"""Results as Markdown: means over seeds, with the least and the greatest."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.adapting.scoring import Figures
from benchmarks.adapting.trying import Result

_FIGURES: tuple[tuple[str, Callable[[Figures], float]], ...] = (
    ("mAP", lambda of: of.plain.mean_average_precision),
    ("R1", lambda of: of.plain.rank1),
    ("mINP", lambda of: of.plain.mean_inverse_negative_penalty),
    ("z mAP", lambda of: of.normalized.mean_average_precision),
    ("z R1", lambda of: of.normalized.rank1),
    ("z mINP", lambda of: of.normalized.mean_inverse_negative_penalty),
)

_GUESSES: tuple[tuple[str, Callable[[Result], float], int], ...] = (
    ("ARI", lambda one: one.guess.agreement, 3),
    ("precision", lambda one: one.guess.precision, 3),
    ("recall", lambda one: one.guess.recall, 3),
    ("clusters", lambda one: one.guess.clusters, 0),
    ("steps", lambda one: one.steps, 0),
    ("s", lambda one: one.seconds, 0),
)


def by_subject(results: Sequence[Result]) -> list[str]:
    """Of each subject a row as it is, and one for each recipe and time that adapted to it."""
    head = [
        "images",
        "minutes",
        "network",
        "seeds",
        *(name for name, _ in _FIGURES),
        *(name for name, _, _ in _GUESSES),
    ]
    lines = _head(head)
    groups: dict[tuple[str, float], dict[str, list[Result]]] = {}
    for one in results:
        recipes = groups.setdefault((one.trial.subject, one.trial.minutes), {})
        recipes.setdefault(one.trial.recipe, []).append(one)
    for (subject, minutes), recipes in groups.items():
        # Which images judge may follow from the seed, and all recipes have the same.
        before = {one.trial.seed: one.before for of in recipes.values() for one in of}
        cells = [_spread([value(each) for each in before.values()], 3) for _, value in _FIGURES]
        lines.append(_row([subject, "", "as it is", str(len(before)), *cells, *[""] * len(_GUESSES)]))
        for recipe, of in recipes.items():
            cells = [_spread([value(one.after) for one in of], 3) for _, value in _FIGURES]
            cells += [_spread([value(one) for one in of], digits) for _, value, digits in _GUESSES]
            lines.append(_row([subject, f"{minutes:g}", Path(recipe).stem, str(len(of)), *cells]))
    return lines


def by_site(results: Sequence[Result]) -> list[str]:
    """A row for each site, recipe and time, and the mean of each recipe and time over its sites."""
    shown = [(name, value) for name, value in _FIGURES if name in {"mAP", "z mAP", "R1", "z R1"}]
    columns = [f"{name} {when}" for name, _ in shown for when in ("before", "after")]
    guesses = [(name, value, digits) for name, value, digits in _GUESSES if name != "s"]
    head = ["site", "people", "cameras", "images", "recipe", "minutes", *columns, *(name for name, _, _ in guesses)]
    lines = _head(head)
    groups: dict[tuple[str, float], list[Result]] = {}
    for one in results:
        groups.setdefault((one.trial.recipe, one.trial.minutes), []).append(one)
    for (recipe, minutes), of in groups.items():
        sites: dict[str, list[Result]] = {}
        for one in of:
            sites.setdefault(one.trial.subject, []).append(one)
        for name, group in (*sites.items(), ("mean", of)):
            first = group[0]
            about = ["", "", ""] if name == "mean" else [str(first.people), str(first.cameras), str(first.guess.images)]
            cells = [
                _spread([value(figures) for figures in when], 3)
                for _, value in shown
                for when in ([one.before for one in group], [one.after for one in group])
            ]
            cells += [_spread([value(one) for one in group], digits) for _, value, digits in guesses]
            lines.append(_row([name, *about, Path(recipe).stem, f"{minutes:g}", *cells]))
    return lines


def _spread(values: Sequence[float], digits: int) -> str:
    """Mean, and least to greatest where they differ as shown."""
    mean, least, most = (_number(value, digits) for value in (float(np.mean(values)), min(values), max(values)))
    return mean if least == most else f"{mean} ({least}-{most})"


def _number(value: float, digits: int) -> str:
    """As mAP is written: .814."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("0") if digits and text.startswith("0.") else text


def _head(columns: Sequence[str]) -> list[str]:
    return [_row(columns), "|" + "---|" * len(columns)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
