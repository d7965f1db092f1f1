"""The gate's verdict as a page to look at: one file, nothing is loaded from anywhere."""

import base64
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from passerby.adaptation.charts import chart, interval, legend
from passerby.adaptation.verdict import Figure, Verdict
from passerby.arrays import Image
from passerby.errors import DataError
from training.gate.report_style import STYLE

if TYPE_CHECKING:
    from training.adapting.checkpoint import RoundReport


def write_report(
    path: Path,
    verdict: Verdict,
    *,
    title: str = "Adaptation",
    sheet: Image | None = None,
    rounds: Sequence["RoundReport"] = (),
) -> None:
    """Replace `path` by the page. `sheet` is the picture of the last round's clusters (`cluster_sheet`), `rounds` how
    the adaptation went. Raises DataError where it cannot be written."""
    parts = [
        _head(verdict, title),
        _figures(verdict.figures),
        _pictures(verdict),
        "" if sheet is None else _sheet(sheet),
        _rounds(rounds) if rounds else "",
        _foot(verdict),
    ]
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><style>{STYLE}</style></head><body><main>{"".join(parts)}</main></body></html>\n'
    )
    fresh = path.with_name(f".{path.name}.fresh")
    try:
        fresh.write_text(page, encoding="utf-8")
        os.replace(fresh, path)
    except OSError as error:
        raise DataError(f"{path}: the report cannot be written: {error.strerror}") from error


def _head(verdict: Verdict, title: str) -> str:
    word, kind = ("Promote", "passed") if verdict.passed else ("Refused", "refused")
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in verdict.reasons)
    return (
        f'<header class="{kind}"><p class="title">{escape(title)}</p><h1>{word}</h1><ul>{reasons}</ul>'
        f"<p>Judged by {verdict.tracklets} tracklets of about {verdict.groups} people in {len(verdict.cameras)} "
        "cameras, none of which was learned from.</p></header>"
    )


def _figures(figures: Sequence[Figure]) -> str:
    if not figures:
        return "<p>No figure could be measured.</p>"
    rows = "".join(map(_row, sorted(figures, key=lambda figure: not figure.enough)))
    return (
        "<h2>Before and after</h2><table><thead><tr><th>figure</th><th class=number>before</th><th class=number>after"
        "</th><th>change, 95%: better to the right</th><th></th></tr></thead><tbody>"
        f'{rows}</tbody></table><p class="note">A dot is the change, the bar around it what it may as well be by '
        "chance of people; the dashed line how much worse is put up with. Refused where a whole bar is beyond it, or "
        "where none of those marked * is wholly on the right.</p>"
    )


def _row(figure: Figure) -> str:
    if not figure.enough:
        state, word = "unknown", "too little to tell"
    elif figure.regressed:
        state, word = "worse", "worse"
    else:
        state, word = ("better", "better") if figure.improved else ("same", "no certain change")
    span = "" if figure.low is None or figure.high is None else f"{figure.low:+.3f} to {figure.high:+.3f}"
    star = "*" if figure.crossing else ""
    return (
        f'<tr class="{state}"><td><b>{escape(figure.name)}{star}</b><br><small>{escape(figure.about)}</small></td>'
        f"<td class=number>{_number(figure.before)}</td><td class=number>{_number(figure.after)}</td>"
        f'<td class="change">{interval(figure)}<br><small>{span}</small></td><td class="state">{word}</td></tr>'
    )


def _pictures(verdict: Verdict) -> str:
    cards = "".join(
        f"<figure><figcaption><b>{escape(picture.name)}</b> {legend(picture)}<br><small>{escape(picture.about)}</small>"
        f"</figcaption>{chart(picture)}</figure>"
        for picture in verdict.pictures
    )
    return f'<div class="pictures">{cards}</div>' if cards else ""


def _sheet(sheet: Image) -> str:
    done, jpeg = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])
    if not done:
        raise DataError(f"the sheet of clusters, {sheet.shape}, cannot be encoded")
    data = base64.b64encode(jpeg.tobytes()).decode()
    return (
        "<h2>Whom it took for one person</h2><p>Each row is a cluster of the last round, and should be one person; the "
        f'frame is the camera\'s colour.</p><img class="sheet" alt="clusters" src="data:image/jpeg;base64,{data}">'
    )


def _rounds(rounds: Sequence["RoundReport"]) -> str:
    names = ("round", "people", "nobody's", "cut", "same as before", "one camera", "steps", "loss", "seconds")
    head = "".join(f"<th class=number>{name}</th>" for name in names)
    lines = []
    for each in rounds:
        cells = (
            str(each.number),
            str(each.clusters),
            str(each.outliers),
            f"{each.cut:.2f}",
            "" if each.agreement is None else f"{each.agreement:.3f}",
            f"{each.camera_purity:.2f}",
            str(each.steps),
            f"{each.loss:.2f}",
            f"{each.seconds:.0f}",
        )
        lines.append("<tr>" + "".join(f"<td class=number>{cell}</td>" for cell in cells) + "</tr>")
    return f"<h2>Rounds</h2><table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _foot(verdict: Verdict) -> str:
    cameras = ", ".join(map(escape, verdict.cameras)) or "none"
    return f"<footer>Cameras of the tracklets that judged: {cameras}. Seed {verdict.seed}.</footer>"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"
