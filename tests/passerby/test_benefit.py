"""What camera normalization is worth, as a figure."""

import numpy as np
import pytest

from passerby.arrays import l2_normalize
from passerby.errors import DataError
from passerby.features.benefit import _variance_of_dyads, benefit
from tests.passerby.reference_auc import separation, variance_of_dyads


def _site(seed, *, people=60, noise=0.5, d=24):
    """Each person once in two cameras: plain, with the cameras' shifts, and without them; (2p, d) each."""
    random = np.random.default_rng(seed)
    who = np.repeat(random.normal(size=(people, d)), 2, axis=0) + noise * random.normal(size=(2 * people, d))
    shifts = np.random.default_rng(0).normal(size=(2, d))
    plain = l2_normalize((who + np.tile(shifts, (people, 1))).astype(np.float32))
    genuine = np.arange(2 * people).reshape(-1, 2)
    impostors = np.stack([genuine[:, 0], np.roll(genuine[:, 1], 1)], axis=1)
    return plain, l2_normalize(who.astype(np.float32)), genuine, impostors


@pytest.mark.parametrize("seed", range(5))
def test_separations_are_those_of_the_naive_twin(seed):
    plain, ours, genuine, impostors = _site(seed, people=12)
    found = benefit(plain, ours, genuine=genuine, impostors=impostors)
    for value, rows in ((found.without, plain), (found.with_normalization, ours)):
        expected = separation(*([float(rows[a] @ rows[b]) for a, b in pairs] for pairs in (genuine, impostors)))
        assert value == pytest.approx(expected)


def test_the_error_of_the_gain_is_that_of_many_samples():
    random = np.random.default_rng(0)
    found = []
    for _ in range(300):
        who = random.normal(size=(50, 24))
        rows = np.concatenate([who, who, random.normal(size=(100, 24))]) + 1.5 * random.normal(size=(200, 24))
        half = np.repeat([[1.0], [0.0], [1.0], [0.0]], 50, axis=0)  # Of the second camera each.
        plain, ours = l2_normalize((rows + half).astype(np.float32)), l2_normalize(rows.astype(np.float32))
        pairs = np.arange(200).reshape(2, 2, 50).transpose(0, 2, 1)  # No row twice.
        found.append(benefit(plain, ours, genuine=pairs[0], impostors=pairs[1]))
    told = np.mean([one.standard_error for one in found])
    assert told == pytest.approx(np.std([one.gain for one in found]), rel=0.15)


@pytest.mark.parametrize("seed", range(5))
def test_the_variance_of_pairs_of_few_people_is_that_of_the_naive_twin(seed):
    random = np.random.default_rng(seed)
    parts, members = random.normal(size=40), random.integers(-3, 4, (40, 2))
    assert _variance_of_dyads(parts, members) == pytest.approx(variance_of_dyads(parts, members.tolist()))
    alone = np.array([[3, 3]])
    assert _variance_of_dyads(parts[:1], alone) == pytest.approx(parts[0] ** 2)


def test_the_error_of_the_gain_of_few_people_is_that_of_many_samples():
    """Ten people, seen over and over by each of two cameras: their pairs are many, and hardly tell more."""
    random = np.random.default_rng(0)
    people = np.tile(np.arange(120) % 10, 2)
    genuine = np.stack([np.arange(120), np.arange(120, 240)], axis=1)
    impostors = np.stack([np.arange(120), 120 + (np.arange(120) + 1 + np.arange(120) // 10 % 9) % 120], axis=1)
    assert (people[impostors[:, 0]] != people[impostors[:, 1]]).all()
    before = np.where(np.arange(240)[:, None] < 120, 1.5 * random.normal(size=12), 0.0)
    found, naive = [], []
    for _ in range(300):
        looks = random.normal(size=(10, 12))[people] + 0.7 * random.normal(size=(240, 12))
        rows = l2_normalize((looks + before).astype(np.float32)), l2_normalize(looks.astype(np.float32))
        found.append(benefit(*rows, genuine=genuine, impostors=impostors, people=people))
        naive.append(benefit(*rows, genuine=genuine, impostors=impostors))
    spread = np.std([one.gain for one in found])
    assert np.mean([one.standard_error for one in naive]) < 0.85 * spread
    assert np.mean([one.standard_error for one in found]) == pytest.approx(spread, rel=0.2)


def test_the_same_rows_twice_gain_nothing():
    plain, _, genuine, impostors = _site(0)
    found = benefit(plain, plain, genuine=genuine, impostors=impostors)
    assert found.gain == found.standard_error == 0.0
    assert (found.genuine_pairs, found.impostor_pairs) == (60, 60)


def test_pairs_that_are_all_alike_are_a_coins_toss():
    rows = np.tile(np.array([[1.0, 0.0]], np.float32), (4, 1))
    pairs = np.array([[0, 1], [2, 3]])
    assert benefit(rows, rows, genuine=pairs, impostors=pairs).without == 0.5


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"genuine": np.zeros((0, 2), np.int64)}, "0 genuine pairs, expected at least 2"),
        ({"impostors": np.array([[0, 1]])}, "1 impostors pairs"),
        ({"genuine": np.array([[0, 1], [2, 400]])}, "name rows 0 to 400, expected 0 to 119"),
        ({"impostors": np.array([[-1, 1], [2, 3]])}, "name rows -1 to 3"),
        ({"genuine": np.zeros((3, 3), np.int64)}, "genuine has shape"),
        ({"people": np.zeros(3, np.int64)}, "people has shape"),
    ],
)
def test_pairs_that_do_not_fit_are_refused(changed, problem):
    plain, ours, genuine, impostors = _site(0)
    with pytest.raises(DataError, match=problem):
        benefit(plain, ours, **{"genuine": genuine, "impostors": impostors, **changed})


def test_what_is_no_number_and_other_counts_are_refused():
    plain, ours, genuine, impostors = _site(0)
    with pytest.raises(DataError, match="with_normalization has shape"):
        benefit(plain, ours[:-1], genuine=genuine, impostors=impostors)
    ours[3] = np.nan
    with pytest.raises(DataError, match="NaN or infinity"):
        benefit(plain, ours, genuine=genuine, impostors=impostors)
