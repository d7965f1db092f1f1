"""The verdict in a file, and as a page."""

import re
from pathlib import Path

import numpy as np
import pytest

from passerby.adaptation.verdict import Verdict, read_verdict, write_verdict
from passerby.errors import DataError
from tests.training.gate.test_judging import BETTER, HELD_OUT, PARENT, RANDOM, SNAPSHOT, guard_of
from training.adapting.checkpoint import RoundReport
from training.gate.judging import judge
from training.gate.report import write_report


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    return judge(SNAPSHOT, HELD_OUT, parent=PARENT, candidate=BETTER, guard=guard_of(worse=False), seed=1)


def test_a_verdict_comes_back_from_its_file(verdict: Verdict, tmp_path: Path) -> None:
    write_verdict(verdict, tmp_path / "verdict.json")
    assert read_verdict(tmp_path / "verdict.json") == verdict
    assert [each.name for each in tmp_path.iterdir()] == ["verdict.json"]


def test_a_file_of_something_else_is_no_verdict(tmp_path: Path) -> None:
    file = tmp_path / "verdict.json"
    with pytest.raises(DataError, match="cannot read the verdict"):
        read_verdict(file)
    file.write_text('{"passed": "yes"}')
    with pytest.raises(DataError, match="not a verdict of the gate"):
        read_verdict(file)
    with pytest.raises(DataError, match="cannot be written"):
        write_verdict(
            Verdict(passed=False, reasons=[], figures=[], tracklets=0, groups=0, cameras=[], seed=1),
            tmp_path / "no" / "v.json",
        )


def test_the_page_needs_nothing_else_and_says_the_reasons_first(verdict: Verdict, tmp_path: Path) -> None:
    rounds = [
        RoundReport(
            number=1,
            clusters=31,
            outliers=4,
            cut=0.6,
            independence=None,
            camera_purity=0.5,
            agreement=None,
            steps=12,
            loss=1.5,
            seconds=2.0,
        )
    ]
    write_report(tmp_path / "report.html", verdict, sheet=np.zeros((10, 20, 3), np.uint8), rounds=rounds)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h1>Promote</h1>" in page
    assert page.index("Better: hub&#x27;s links") < page.index("<table>")
    assert re.findall(r"(?:src|href)=[\"']?([a-z]+:)", page) == ["data:"]
    assert "http" not in page
    assert page.count('<svg class="interval') == sum(each.low is not None for each in verdict.figures)
    assert page.count('<svg class="chart') == len(verdict.pictures) == 4
    assert "<td class=number>31</td>" in page
    assert "nan" not in page
    assert "prefers-color-scheme: dark" in page


def test_a_refusal_is_a_page_as_well(tmp_path: Path) -> None:
    refused = judge(SNAPSHOT, HELD_OUT, parent=PARENT, candidate=RANDOM, guard=None, seed=1)
    nothing = judge(SNAPSHOT, HELD_OUT[:3], parent=PARENT, candidate=BETTER, guard=None, seed=1)
    for verdict, said in ((refused, "Worse: "), (nothing, "Cannot tell: ")):
        write_report(tmp_path / "report.html", verdict, title="lobby <1>")
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert "<h1>Refused</h1>" in page
        assert said in page
        assert "lobby &lt;1&gt;" in page
