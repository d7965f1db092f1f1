"""Vectors under numbers: the same as a dictionary of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.prototype_rows import PrototypeRows
from hub.records import TrackletNumber


@given(st.lists(st.tuples(st.integers(1, 200), st.booleans()), max_size=600))
def test_it_holds_what_a_dictionary_would(acts: list[tuple[int, bool]]) -> None:
    rows, known = PrototypeRows(3), dict[TrackletNumber, np.ndarray]()
    for step, (name, put) in enumerate(acts):
        number = TrackletNumber(name)
        if put:
            known[number] = np.full(3, step, np.float32)
            rows.put([number], known[number][None])
        elif number in known:
            del known[number]
            rows.remove(number)
    assert len(rows) == len(known)
    assert all(number in rows for number in known)
    assert rows.rows(list(known)).tolist() == [vector.tolist() for vector in known.values()]


def test_nobody_gives_no_rows() -> None:
    assert PrototypeRows(3).rows([]).shape == (0, 3)


def test_an_unknown_number_is_an_error_and_a_removed_vector_is_gone() -> None:
    rows = PrototypeRows(2)
    rows.put([TrackletNumber(1)], np.array([[5, 6]], np.float32))
    rows.remove(TrackletNumber(1))
    assert not rows._rows.any()
    rows.remove(TrackletNumber(1))
    with pytest.raises(KeyError):
        rows.rows([TrackletNumber(1)])


def test_many_are_put_as_one_after_the_other() -> None:
    numbers = [TrackletNumber(number) for number in range(1, 1001)]
    vectors = np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)
    together, apart = PrototypeRows(3), PrototypeRows(3)
    together.put(numbers, vectors)
    for number, vector in zip(numbers, vectors, strict=True):
        apart.put([number], vector[None])
    assert together.rows(numbers[::-1]).tolist() == apart.rows(numbers[::-1]).tolist() == vectors[::-1].tolist()
