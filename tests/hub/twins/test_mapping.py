"""A map between two spaces: the best rotation there is, and none where it does not hold."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hub.twins.mapping import LEAST_AGREEMENT, LEAST_PAIRS, fitted_map
from passerby.arrays import Float32Array, l2_normalize


def spaces(n: int, *, source: int, target: int, noise: float, seed: int = 0) -> tuple[Float32Array, Float32Array]:
    """The same n people in two spaces, of which one is the other turned, stretched and moved."""
    chance = np.random.default_rng(seed)
    people = chance.normal(size=(n, min(source, target)))
    first = people @ turned(min(source, target), source, chance) + 0.5
    second = people @ turned(min(source, target), target, chance) - 1.0
    return (
        (first + noise * chance.normal(size=first.shape)).astype(np.float32),
        (7 * (second + noise * chance.normal(size=second.shape))).astype(np.float32),
    )


def turned(rows: int, columns: int, chance: np.random.Generator) -> NDArray[np.float64]:
    rotation: NDArray[np.float64] = np.linalg.qr(chance.normal(size=(columns, columns)))[0][:rows]
    return rotation


@pytest.mark.parametrize(("source", "target"), [(16, 16), (12, 20), (20, 12)])
def test_who_was_seen_by_one_model_alone_is_found_in_the_others_space(source: int, target: int) -> None:
    first, second = spaces(600, source=source, target=target, noise=0.05)
    space_map = fitted_map(first[:500], second[:500])
    assert space_map is not None
    assert space_map.agreement > 0.9
    mapped = l2_normalize(space_map(first[500:])) - l2_normalize(second).mean(axis=0)
    wanted = l2_normalize(second[500:]) - l2_normalize(second).mean(axis=0)
    nearest = (l2_normalize(mapped.astype(np.float32)) @ l2_normalize(wanted.astype(np.float32)).T).argmax(axis=1)
    assert (nearest == np.arange(100)).mean() > 0.95


def test_no_other_rotation_errs_less() -> None:
    first, second = spaces(LEAST_PAIRS, source=6, target=6, noise=0.3)
    space_map = fitted_map(first, second)
    assert space_map is not None
    away = l2_normalize(first).astype(np.float64) - space_map.centre
    wanted = l2_normalize(second).astype(np.float64) - space_map.target
    assert np.allclose(space_map.rotation @ space_map.rotation.T, np.eye(6))
    error = np.linalg.norm(away @ space_map.rotation - wanted)
    chance = np.random.default_rng(1)
    for _ in range(200):
        step, _ = np.linalg.qr(np.eye(6) + 0.1 * chance.normal(size=(6, 6)))
        step *= np.sign(np.diag(step))  # near the identity
        assert np.linalg.norm(away @ space_map.rotation @ step - wanted) >= error


def test_the_length_is_that_of_the_other_space() -> None:
    first, second = spaces(400, source=8, target=8, noise=0.01)
    space_map = fitted_map(first, second)
    assert space_map is not None
    lengths = np.linalg.norm(space_map(first), axis=1)
    assert np.median(lengths) == pytest.approx(np.median(np.linalg.norm(second, axis=1)), rel=0.1)


def test_there_is_no_map_from_few_pairs_nor_between_spaces_that_have_nothing_in_common() -> None:
    first, second = spaces(LEAST_PAIRS, source=8, target=8, noise=0.01)
    assert fitted_map(first[:-1], second[:-1]) is None
    shuffled = second[np.random.default_rng(0).permutation(len(second))]
    assert fitted_map(first, shuffled) is None
    same = np.ones_like(first)
    assert fitted_map(same, same) is None
    found = fitted_map(first, second)
    assert found is not None
    assert found.agreement >= LEAST_AGREEMENT
