"""Results as Markdown: a row for each trial, and what they come to."""

from collections.abc import Sequence

from benchmarks.gating.trying import Result

MATTERS = 0.5
"""Points of mAP."""


def markdown(results: Sequence[Result]) -> list[str]:
    """Rows by scenario and site, then the counts."""
    lines = [
        "| candidate | site | seed | gate | mAP before | after | change | first reason |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in results:
        trial = one.trial
        about = f" {trial.about:g}" if trial.about else ""
        before, after = ("" if value is None else f"{value:.3f}" for value in (one.before, one.after))
        change = "" if one.change is None else f"{one.change:+.1f}"
        gate = "promoted" if one.passed else "refused"
        lines.append(
            f"| {trial.scenario}{about} | {trial.site} | {trial.seed} | {gate} | {before} | {after} | {change} | "
            f"{one.reasons[0]} |"
        )
    better = [one for one in results if one.change is not None and one.change > MATTERS]
    worse = [one for one in results if one.change is not None and one.change < -MATTERS]
    wrong, missed = wrongly_promoted(results), [one for one in better if not one.passed]
    lines += [
        "",
        f"{len(results)} candidates, {sum(one.passed for one in results)} promoted.",
        f"Worse by more than {MATTERS} points of mAP: {len(worse)}, of which promoted: {len(wrong)}"
        + (f" ({', '.join(one.trial.name for one in wrong)})." if wrong else "."),
        f"Better by more than {MATTERS} points: {len(better)}, of which refused: {len(missed)}"
        + (f" ({', '.join(one.trial.name for one in missed)})." if missed else "."),
    ]
    return lines


def wrongly_promoted(results: Sequence[Result]) -> list[Result]:
    """Those that are worse than their parents by more than matters."""
    return [one for one in results if one.passed and one.change is not None and one.change < -MATTERS]
