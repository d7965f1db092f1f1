"""The drawings of a verdict, which the report and the dashboard share: true to the numbers, and told in words too."""

import re
import xml.etree.ElementTree as ET

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from passerby.adaptation.charts import chart, in_words, interval, legend, samples
from passerby.adaptation.verdict import Figure, Line, Picture

RATES = np.geomspace(1e-3, 1.0, 61).tolist()
ROC = Picture(
    name="ROC <1>",
    about="",
    x_label="taken for one",
    y_label="recognized",
    lines=[
        Line(name="before", model="before", x=RATES, y=np.linspace(0.2, 1.0, 61).tolist()),
        Line(name="after", model="after", x=RATES, y=np.linspace(0.4, 1.0, 61).tolist()),
    ],
    log_x=True,
)
RANKS = [float(rank) for rank in range(1, 21)]
CMC = Picture(
    name="CMC",
    about="",
    x_label="rank",
    y_label="found",
    lines=[Line(name="after", model="after", x=RANKS, y=[rank / 20 for rank in RANKS])],
)


def test_rates_and_ranks_are_told_in_numbers() -> None:
    assert [x for x, _ in samples(ROC)] == ["0.001", "0.01", "0.1"]
    assert samples(ROC)[0][1] == [0.2, 0.4]
    assert samples(CMC) == [("1", [0.05]), ("5", [0.25]), ("10", [0.5]), ("20", [1.0])]
    assert (
        in_words(CMC)
        == "CMC: found by rank; at 1: after 0.050; at 5: after 0.250; at 10: after 0.500; at 20: after 1.000"
    )
    assert samples(Picture(name="", about="", x_label="", y_label="", lines=CMC.lines, steps=True)) == []
    assert samples(Picture(name="", about="", x_label="", y_label="", lines=[])) == []


def test_a_picture_says_what_it_shows_and_each_line_has_a_class_of_its_own() -> None:
    drawn = ET.fromstring(chart(ROC))  # noqa: S314 - our own
    assert drawn.attrib["role"] == "img"
    assert drawn.attrib["aria-label"] == in_words(ROC)
    assert [line.attrib["class"] for line in drawn.iter("polyline")] == ["line before one", "line after one"]
    assert re.findall(r'class="([^"]*)"', legend(ROC)) == ["key before one", "key after one"]


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=40))
def test_a_line_stays_in_its_frame_and_rises_as_its_values_do(values: list[float]) -> None:
    line = Line(name="after", model="after", x=[float(x) for x in range(len(values))], y=values)
    drawn = ET.fromstring(chart(Picture(name="p", about="", x_label="", y_label="", lines=[line])))  # noqa: S314
    found = next(drawn.iter("polyline")).attrib["points"].split()
    points = np.array([[float(number) for number in point.split(",")] for point in found])
    width, height = (float(size) for size in drawn.attrib["viewBox"].split()[2:])
    assert (points >= 0).all()
    assert (points <= [width, height]).all()
    falls = np.diff(points[:, 1])
    assert (falls[np.diff(values) >= 0] <= 0.1).all()


def test_an_interval_is_better_to_the_right_and_tells_its_numbers() -> None:
    figure = Figure(
        name="f", about="", before=0.5, after=0.4, change=-0.1, low=-0.2, high=-0.05, better="lower", tolerance=0.1,
        regressed=False, improved=True, crossing=False, enough=True,
    )  # fmt: skip
    drawn = ET.fromstring(interval(figure))  # noqa: S314 - our own
    assert drawn.attrib["aria-label"] == "change -0.100, from -0.200 to -0.050"
    assert drawn.attrib["class"] == "interval better"
    assert float(next(drawn.iter("circle")).attrib["cx"]) > 110
