"""`passerby calibration`: what looks are worth on this site, and from which probability on links are made."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from hub.association import Boundaries
from hub.association.calibration import SETTINGS, Calibration, Setting
from hub.association.promise import Promise
from hub.knowledge import Knowledge
from hub.reader import SiteReader
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.cli.showing.fits import Fits, drawn_as_svg, drawn_in_text
from passerby.config import AssociationSettings, load_site
from passerby.errors import DataError
from passerby.ids import ModelId

app = typer.Typer()

_RATES = (0.005, 0.01, 0.02, 0.05)
_TITLES: dict[Setting, str] = {"own": "known from this camera", "other": "known from other cameras"}


@app.callback()
def _group() -> None:
    """What looks are worth on this site, and from which probability on links are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _AtRate:
    """What a rate of false links means at present. The counts are of the latest tracklets that have ended."""

    false_link_rate: float
    boundary: float
    linked: int
    candidates: int
    new: int
    expected_wrong: float
    """Of the linked ones: the sum of their doubts."""


@app.command()
def show(
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Draw it there.")] = None,
) -> None:
    """Show how looks become evidence, from which pairs that was learned, and what the rate of false links leads to."""
    with SiteReader(data_folder(config, data)) as reader:
        knowledge = reader.knowledge()
    wanted = (AssociationSettings() if config is None else load_site(config).association).false_link_rate
    rates = [_at_rate(knowledge.promise, rate) for rate in sorted({*_RATES, wanted})]
    if out is not None:
        rows = [(model_id, _panels(knowledge, model_id)) for model_id in knowledge.calibrated_models]
        # A picture stands alone: each panel says which model it is of.
        _write(out, drawn_as_svg([[replace(one, title=f"{name}, {one.title}") for one in row] for name, row in rows]))
    if as_json:
        models = [_model_json(model_id, knowledge.calibration(model_id)) for model_id in knowledge.calibrated_models]
        told = {"false_link_rate": wanted, "rates": [asdict(one) for one in rates], "models": models}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for model_id in knowledge.calibrated_models:
        typer.echo(f"{model_id}, calibrated {knowledge.calibration(model_id).version} times\n")
        for fits in _panels(knowledge, model_id):
            typer.echo("\n".join(drawn_in_text(fits)) + "\n")
    if not knowledge.calibrated_models:
        typer.echo("nothing is learned yet: looks are worth what they are on an unknown site\n")
    typer.echo(f"the latest {len(knowledge.promise.probabilities)} tracklets that have ended")
    Console().print(_rates_table(rates, wanted))
    if out is not None:
        typer.echo(f"drawn in {out}", err=True)


def _at_rate(promise: Promise, rate: float) -> _AtRate:
    boundary = promise.boundary(rate)
    linked = [p for p in promise.probabilities if p >= boundary]
    asked = sum(Boundaries().candidate <= p < boundary for p in promise.probabilities)
    return _AtRate(
        false_link_rate=rate,
        boundary=boundary,
        linked=len(linked),
        candidates=asked,
        new=len(promise.probabilities) - len(linked) - asked,
        expected_wrong=sum(1.0 - p for p in linked),
    )


def _rates_table(rates: list[_AtRate], wanted: float) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("false link rate", "linked from", "linked", "asked", "new", "wrong expected"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for one in rates:
        table.add_row(
            f"{100.0 * one.false_link_rate:g}%",
            f"{one.boundary:.3f}",
            str(one.linked),
            str(one.candidates),
            str(one.new),
            f"{one.expected_wrong:.1f}",
            "this site" if one.false_link_rate == wanted else "",
        )
    return table


def _panels(knowledge: Knowledge, model_id: ModelId) -> list[Fits]:
    calibration = knowledge.calibration(model_id)
    return [
        Fits(
            title=_TITLES[setting],
            genuine=calibration.genuine[setting],
            impostors=calibration.impostors[setting],
            line=calibration.lines[setting],
        )
        for setting in SETTINGS
    ]


def _model_json(model_id: ModelId, calibration: Calibration) -> dict[str, Any]:
    return {
        "model_id": model_id,
        "version": calibration.version,
        "settings": {
            setting: {
                **msgspec.to_builtins(calibration.lines[setting]),
                "genuine": calibration.genuine[setting],
                "impostors": calibration.impostors[setting],
            }
            for setting in SETTINGS
        },
    }


def _write(file: Path, svg: str) -> None:
    try:
        file.write_text(svg, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{file}: cannot draw there: {error.strerror}") from error
