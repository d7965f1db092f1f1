"""Who crosses whom, and when both are clear again."""

from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from passerby.features.crossings import CLEAR, CROSSING, Crossing, Crossings, covered_shares

MS = 1_000_000
Place = tuple[int, float]
"""(key, left edge); everybody is 40 wide and 100 high, and so is in another one by 1 - distance / 40."""


def boxes(places: Sequence[Place]) -> np.ndarray:
    return np.array([[x, 0, x + 40, 100] for _, x in places], np.float32).reshape(-1, 4)


def play(
    script: Sequence[Sequence[Place]],
    *,
    kept: Callable[[int], Sequence[str]] = lambda key: [f"{key} before"],
    crossings: Crossings[str] | None = None,
    good: bool = True,
) -> list[tuple[int, Crossing[str]]]:
    """(frame, crossing) of frames 200 ms apart."""
    following = Crossings[str]() if crossings is None else crossings
    return [
        (number, found)
        for number, places in enumerate(script)
        for found in following.see(
            np.array([key for key, _ in places], np.int64),
            boxes(places),
            at_ns=number * 200 * MS,
            kept=kept,
            picture=lambda row, at=number, who=places: f"{who[row][0]} at {at}" if good else None,
        )
    ]


def meeting(*distances: float) -> list[list[Place]]:
    return [[(7, 100), (3, 100 + distance)] for distance in distances]


def test_two_who_met_are_compared_when_both_are_clear() -> None:
    ((number, found),) = play(meeting(90, 20, 10, 30, 38, 90))
    assert number == 4
    assert found.keys == (3, 7)
    assert (found.began_ns, found.ended_ns) == (200 * MS, 400 * MS)
    assert found.before == (("3 before",), ("7 before",))
    assert found.after == ["3 at 4", "7 at 4"]


def test_who_only_comes_near_does_not_cross() -> None:
    assert play(meeting(90, 25, 25, 90)) == []


def test_two_who_meet_again_before_they_were_clear_have_crossed_once() -> None:
    ((number, found),) = play(meeting(10, 30, 10, 90, 90))
    assert (number, found.began_ns, found.ended_ns) == (3, 0, 400 * MS)


def test_who_never_was_seen_alone_before_is_not_asked_about() -> None:
    assert play(meeting(10, 90), kept=lambda key: [] if key == 3 else ["before"]) == []


def test_who_is_clear_waits_a_moment_for_who_is_not() -> None:
    script = [*meeting(10), *[[(7, 100.0)]] * 5]
    ((number, found),) = play(script)
    assert number == 4
    assert found.after == [None, "7 at 1"]


def test_a_third_person_in_the_way_is_waited_for_and_then_nobody_asks_any_more() -> None:
    together: list[Place] = [(3, 100), (5, 130), (7, 160)]
    assert play([*meeting(10), *[together] * 30, *meeting(90)]) == []


def test_pictures_that_are_not_good_enough_are_none() -> None:
    assert play(meeting(10, 90, 90, 90, 90, 90), good=False) == []


def test_who_came_apart_is_in_doubt_for_a_second_or_until_compared() -> None:
    crossings = Crossings[str]()
    play(meeting(10), crossings=crossings)
    assert crossings.doubted(0) == set()
    assert crossings.doubted(200 * MS) == crossings.doubted(1000 * MS) == {3, 7}
    assert crossings.doubted(1001 * MS) == set()
    crossings.forget([7])
    assert crossings.doubted(200 * MS) == set()
    compared = Crossings[str]()
    play(meeting(10, 90), crossings=compared)
    assert compared.doubted(200 * MS) == set()


def test_an_empty_picture_is_no_trouble() -> None:
    assert play([[], *meeting(10), [], [], []]) == []


@given(st.lists(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 120)), unique_by=lambda one: one[0]), max_size=30))
def test_each_crossing_is_one_that_there_was_and_is_given_once(script: list[list[Place]]) -> None:
    covering: dict[tuple[int, int], list[int]] = {}
    for number, places in enumerate(script):
        shares = covered_shares(boxes(places))
        for i, j in np.argwhere(np.triu(shares >= CROSSING, 1)).tolist():
            one, other = sorted((places[i][0], places[j][0]))
            covering.setdefault((one, other), []).append(number * 200 * MS)
    given_until: dict[tuple[int, int], int] = {}
    for number, found in play(script):
        assert found.keys[0] < found.keys[1]
        assert found.began_ns <= found.ended_ns < number * 200 * MS
        assert found.began_ns > given_until.get(found.keys, -1)
        assert {found.began_ns, found.ended_ns} <= set(covering[found.keys])
        assert any(found.after)
        for key, after in zip(found.keys, found.after, strict=True):
            if after is not None:
                at = int(after.removeprefix(f"{key} at "))
                row = [who for who, _ in script[at]].index(key)
                assert covered_shares(boxes(script[at]))[row].max() < CLEAR
                assert at * 200 * MS > found.ended_ns
        given_until[found.keys] = found.ended_ns


@given(st.lists(st.tuples(*[st.integers(0, 30)] * 4), max_size=6))
def test_covered_shares_are_those_of_one_pair_at_a_time(corners: list[tuple[int, int, int, int]]) -> None:
    some = np.array([[x, y, x + w, y + h] for x, y, w, h in corners], np.float32).reshape(-1, 4)
    expected = np.array([[_share(a, b) if i != j else 0 for j, b in enumerate(some)] for i, a in enumerate(some)])
    np.testing.assert_allclose(covered_shares(some), expected.reshape(len(some), len(some)))


def _share(a: np.ndarray, b: np.ndarray) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return float(width * height / smaller) if width > 0 and height > 0 else 0.0
