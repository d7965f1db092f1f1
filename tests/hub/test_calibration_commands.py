"""`passerby calibration`, over what a hub has learned."""

import json
from pathlib import Path
from typing import Any
from xml.dom.minidom import Document, parseString

import numpy as np
import pytest
from typer.testing import CliRunner

from hub.association.calibration import Calibration, expected_line
from hub.knowledge import Knowledge
from hub.site_hub import Hub
from passerby.cli.app import app
from passerby.cli.showing.fits import Fits, drawn_as_svg, drawn_in_text, formula
from passerby.errors import DataError
from passerby.ids import ModelId
from tests.hub.people import MODEL, Sender, at, seen


def teach(knowledge: Knowledge, model_id: ModelId) -> None:
    """Sixty pairs of each kind whose fits lie apart, and a hundred tracklets that have ended, most of them sure."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        knowledge.calibration(model_id).learn(float(rng.normal(8, 4)), seen_here=False, genuine=True)
        knowledge.calibration(model_id).learn(float(rng.normal(-8, 4)), seen_here=False, genuine=False)
    knowledge.calibration(model_id).refit()
    for probability in [0.9999] * 90 + [0.8] * 5 + [0.4] * 3 + [0.1] * 2:
        knowledge.promise.learn(probability)
    knowledge.has_calibrated(model_id)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    sender = Sender()
    with Hub.open(tmp_path / "data") as hub:
        with hub._transaction(at(0)):
            teach(hub.state.knowledge, MODEL)
        hub.ingest(sender.send(seen(1, "lobby", tracklet=1, final=True)), now_ns=at(2))
    return tmp_path / "data"


def run(data: Path, *arguments: object) -> str:
    command = ["calibration", "show", *map(str, arguments), "--data", str(data)]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def parsed(svg: str) -> Document:
    return parseString(svg)  # noqa: S318 - our own


def test_the_line_is_shown_with_the_pairs_that_it_goes_through(data: Path) -> None:
    told = run(data)
    assert f"{MODEL}, calibrated 1 times" in told
    assert "through 60 genuine and 60 impostor pairs" in told
    assert "through 0 genuine and 0 impostor pairs; 6% of the genuine ones are taken to be two people" in told


def test_the_rates_say_what_would_be_linked(data: Path) -> None:
    told: dict[str, Any] = json.loads(run(data, "--json"))
    assert told["false_link_rate"] == 0.01
    rates = told["rates"]
    assert [one["false_link_rate"] for one in rates] == [0.005, 0.01, 0.02, 0.05]
    boundaries = [one["boundary"] for one in rates]
    assert boundaries == sorted(boundaries, reverse=True)
    for one in rates:
        assert one["linked"] + one["candidates"] + one["new"] >= 100
        assert one["linked"] >= 90
        assert one["expected_wrong"] <= max(1.0, one["false_link_rate"] * one["linked"] * 2)
    (model,) = told["models"]
    assert model["model_id"] == MODEL
    assert len(model["settings"]["other"]["genuine"]) == len(model["settings"]["other"]["impostors"]) == 60


def test_a_rate_of_the_site_file_is_marked(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    says = "association: {false_link_rate: 0.03}"
    file.write_text(f"site: a\ndata: {data}\ncameras: {{hall: {{url: a.mp4}}}}\n{says}\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["calibration", "show", "--config", str(file)], catch_exceptions=False)
    (line,) = (line for line in result.stdout.splitlines() if "this site" in line)
    assert line.split()[0] == "3%"


def test_it_is_drawn(data: Path, tmp_path: Path) -> None:
    run(data, "--out", tmp_path / "drawn.svg")
    drawn = parsed((tmp_path / "drawn.svg").read_text(encoding="utf-8"))
    assert len(drawn.getElementsByTagName("polyline")) == 2
    assert len(drawn.getElementsByTagName("rect")) > 10
    with pytest.raises(DataError, match=r"nowhere/drawn\.svg: cannot draw there"):
        run(data, "--out", tmp_path / "nowhere" / "drawn.svg")


def test_a_site_that_has_learned_nothing_says_so(tmp_path: Path) -> None:
    Hub.open(tmp_path).close()
    assert "nothing is learned yet" in run(tmp_path, "--out", tmp_path / "empty.svg")
    parsed((tmp_path / "empty.svg").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("genuine", "impostors"), [([], []), ([1.0], []), ([], [-3.0]), ([2.0] * 9, [2.0]), ([1e6, -1e6], [0.0])]
)
def test_any_fits_can_be_drawn(genuine: list[float], impostors: list[float]) -> None:
    fits = Fits(title="a <b>", genuine=genuine, impostors=impostors, line=expected_line("own"))
    lines = list(drawn_in_text(fits))
    assert len(lines) == 14
    assert sum(int(one) for line in lines[2:] for one in line.split()[1:-1] if one.isdigit()) == len(
        genuine + impostors
    )
    parsed(drawn_as_svg([[fits]]))


def test_the_formula_is_the_line() -> None:
    line = Calibration().lines["own"]
    assert formula(line).startswith(f"evidence = {line.slope:.2f} (±0.12) x fit + {line.offset:.2f}")
