"""People made of two: each half of one person, before the same cameras, told from both."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.adapting.composing import composed, composition, loss_with_made  # noqa: E402 torch is optional
from training.losses import batch_contrast  # noqa: E402

BATCHES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), min_size=1, max_size=24)


@given(BATCHES, st.floats(0.0, 1.0), st.integers(0, 99))
def test_whoever_is_made_has_the_lower_part_of_one_other_in_the_same_camera(
    rows: list[tuple[int, int]], share: float, seed: int
) -> None:
    people, cameras = (np.array(each, np.int64) for each in zip(*rows, strict=True))
    found = composition(people, cameras, share=share, draw=np.random.default_rng(seed))
    (real,) = np.nonzero(~found.made)
    assert len(real)
    assert (found.lower[real] == real).all()
    assert (found.people[real] == people[real]).all()
    assert (cameras[found.lower] == cameras).all()
    made = np.unique(found.people[found.made])
    assert len(made) <= round(share * len(np.unique(people)))
    assert not set(made.tolist()) & set(people.tolist())
    for name in made:
        rows_of = found.people == name
        upper, lower = np.unique(people[rows_of]), np.unique(people[found.lower[rows_of]])
        assert (len(upper), len(lower)) == (1, 1)
        assert upper[0] != lower[0]
        assert (people == upper[0]).sum() == rows_of.sum()
        assert len(np.unique(found.cuts[rows_of])) == 1


def test_of_a_share_of_none_nobody_is_made() -> None:
    people, cameras = np.repeat(np.arange(4), 4), np.tile([0, 1], 8)
    found = composition(people, cameras, share=0.0, draw=np.random.default_rng(0))
    assert not found.made.any()
    assert composition(people, cameras, share=0.5, draw=np.random.default_rng(0)).made.sum() == 8


def test_a_picture_is_put_together_at_the_cut() -> None:
    pictures = np.arange(8, dtype=np.uint8)[:, None, None, None] * np.ones((1, 20, 6, 3), np.uint8)
    people, cameras = np.repeat(np.arange(4), 2), np.tile([0, 1], 4)
    how = composition(people, cameras, share=0.5, draw=np.random.default_rng(1))
    result = composed(pictures, how)
    for row in range(8):
        cut = round(20 * how.cuts[row])
        assert (result[row, :cut] == row).all()
        assert (result[row, cut:] == how.lower[row]).all()
    assert how.made.sum() == 4
    assert (pictures[:, -1, 0, 0] == np.arange(8)).all()


def test_the_made_count_as_much_as_they_have_pictures() -> None:
    people, cameras = np.repeat(np.arange(4), 4), np.tile([0, 1], 8)
    features = torch.randn(16, 5, generator=torch.Generator().manual_seed(1))
    nobody = composition(people, cameras, share=0.0, draw=np.random.default_rng(0))
    assert float(loss_with_made(torch.tensor(3.0), features, nobody, temperature=0.1)) == 3.0
    how = composition(people, cameras, share=0.25, draw=np.random.default_rng(0))
    contrast = batch_contrast(
        torch.nn.functional.normalize(features),
        torch.from_numpy(how.people),
        asked=torch.from_numpy(how.made),
        temperature=0.1,
    )
    found = loss_with_made(torch.tensor(3.0), features, how, temperature=0.1)
    assert float(found) == pytest.approx(0.75 * 3.0 + 0.25 * float(contrast))
