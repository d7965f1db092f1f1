"""`passerby identify`: people who were seen at the same moment are different people, and have different names."""

from pathlib import Path

import numpy as np
import pytest

from hub.enrolment.records import Look
from passerby.cli.looking.answering import name_together
from passerby.cli.looking.people import Person, Sighting
from passerby.cli.looking.session import Eyes, Viewed
from tests.edge.engines import MeanColourEmbedder, ScriptedDetector
from tests.hub.enrolment.upload import likeness, uploaded
from tests.hub.people import SECOND


def person(look: Look, *spans_s: tuple[float, float], picture: bool = False) -> Person:
    """Somebody seen in a film in these spans, or in a picture."""
    return Person(
        tuple(
            Sighting(
                look,
                np.array([0 if picture else 1 + round(5 * begin)], np.int64),
                np.array([[10, 10, 50, 200]], np.float32),
                (round(begin * SECOND), round(end * SECOND)),
            )
            for begin, end in spans_s
        )
    )


@pytest.mark.parametrize(
    ("mine", "theirs", "together"),
    [
        ([(0, 5)], [(4, 9)], True),
        ([(0, 5)], [(4.5, 9)], False),  # a tracker may have drawn one person twice
        ([(0, 5)], [(7, 9)], False),
        ([(0, 5), (10, 15)], [(6, 9), (12, 14)], True),
    ],
)
def test_who_shares_a_view_for_a_while_was_there_at_once(
    mine: list[tuple[float, float]], theirs: list[tuple[float, float]], together: bool
) -> None:
    one, other = person(uploaded(1), *mine), person(uploaded(1), *theirs)
    assert one.seen_with(other) == other.seen_with(one) == together


def test_everybody_in_a_picture_was_there_at_once() -> None:
    assert person(uploaded(1), (0, 0), picture=True).seen_with(person(uploaded(2), (0, 0), picture=True))


@pytest.fixture
def eyes(tmp_path: Path) -> Eyes:
    return Eyes(ScriptedDetector(), MeanColourEmbedder(), likeness(tmp_path), tmp_path)


def said(eyes: Eyes, *people: Person, enrolled: tuple[int, ...] = (1, 2), sure: float = 0.9) -> list[str]:
    known = {f"person {who}": [eyes.likeness.known(uploaded(who, seed=9), origin="1")] for who in enrolled}
    named = name_together(eyes, Viewed("film", list(people)), known=known)
    return [one.identification.said(sure) for one in named]


def test_two_who_look_alike_have_one_name_one_after_the_other_and_not_at_once(eyes: Eyes) -> None:
    first, later, meanwhile = (
        person(uploaded(1, seed=n), span) for n, span in enumerate([(0, 5), (20, 25), (1, 4)], 1)
    )
    assert said(eyes, first, later) == ["person 1", "person 1"]
    assert said(eyes, first, meanwhile) == ["unsure", "unsure"]


def test_others_have_their_names_as_before(eyes: Eyes) -> None:
    people = [person(uploaded(who, seed=3), (0, 5)) for who in (1, 2, 77)]
    assert said(eyes, *people) == ["person 1", "person 2", "nobody known"]


def test_of_two_who_are_quite_the_same_neither_has_the_name_however_little_is_asked(eyes: Eyes) -> None:
    twins = [person(uploaded(1, seed=3), (0, 5)), person(uploaded(1, seed=3), (0, 5))]
    assert "person 1" not in said(eyes, *twins, enrolled=(1,), sure=0.5)
