"""Who is held out."""

import dataclasses

import numpy as np
import pytest

from passerby.adaptation import Snapshot
from passerby.errors import ConfigError, NotEnoughDataError
from tests.training.gate.made_sites import made_site
from training.gate.holding_out import groups_of, hold_out

SNAPSHOT, _ = made_site()


def held_numbers(snapshot: Snapshot, *, seed: int = 1) -> set[int]:
    return set(snapshot.numbers[hold_out(snapshot, 0.3, seed=seed)[1]].tolist())


def test_all_tracklets_are_in_one_part_and_groups_are_whole() -> None:
    learned, held_out = hold_out(SNAPSHOT, 0.3, seed=1)
    assert sorted([*learned.tolist(), *held_out.tolist()]) == list(range(SNAPSHOT.tracklets))
    assert len(held_out) == pytest.approx(0.3 * SNAPSHOT.tracklets, abs=12)
    groups = groups_of(SNAPSHOT)
    assert not set(groups[learned].tolist()) & set(groups[held_out].tolist())
    assert len(groups_of(SNAPSHOT)) > len(set(groups.tolist())) > 40


def test_it_depends_on_the_seed_and_on_names_but_not_on_what_else_there_is() -> None:
    assert held_numbers(SNAPSHOT) == held_numbers(SNAPSHOT)
    assert held_numbers(SNAPSHOT) != held_numbers(SNAPSHOT, seed=2)
    kept = np.sort(np.random.default_rng(1).permutation(SNAPSHOT.tracklets)[:300])
    crops = np.flatnonzero(np.isin(SNAPSHOT.crop_tracklets, kept))
    of_tracklets = ("numbers", "camera_rows", "identities", "started_at_ns", "ended_at_ns", "clock_error_ns")
    of_crops = ("crop_ids", "captured_at_ns", "qualities", "embeddings", "jpeg_ends")
    fewer = dataclasses.replace(
        SNAPSHOT,
        crop_tracklets=np.searchsorted(kept, SNAPSHOT.crop_tracklets[crops]),
        **{name: getattr(SNAPSHOT, name)[kept] for name in of_tracklets},
        **{name: getattr(SNAPSHOT, name)[crops] for name in of_crops},
    )
    left = held_numbers(SNAPSHOT) & set(fewer.numbers.tolist())
    assert len(left & held_numbers(fewer)) > 0.8 * len(left)


def test_tracklets_without_crops_are_in_neither_part() -> None:
    kept = SNAPSHOT.crop_tracklets != 7
    of_crops = ("crop_tracklets", "crop_ids", "captured_at_ns", "qualities", "embeddings", "jpeg_ends")
    without = dataclasses.replace(SNAPSHOT, **{name: getattr(SNAPSHOT, name)[kept] for name in of_crops})
    assert not any(7 in part for part in hold_out(without, 0.3, seed=1))


def test_too_little_is_said_with_its_numbers() -> None:
    few, _ = made_site(people=5, visits=4)
    with pytest.raises(
        NotEnoughDataError, match=r"^not enough data: \d+ tracklets would judge \(\d+ in cam-0, .*; 40 "
    ):
        hold_out(few, 0.3, seed=1)
    alone, _ = made_site(cameras=1)
    with pytest.raises(NotEnoughDataError, match=r"with 10 in each of two cameras"):
        hold_out(alone, 0.3, seed=1)
    nobody, _ = made_site(people=1, visits=1)
    with pytest.raises(NotEnoughDataError):
        hold_out(nobody, 0.5, seed=1)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, float("nan")])
def test_a_share_is_between_nothing_and_all(share: float) -> None:
    with pytest.raises(ConfigError, match="cannot be held out"):
        hold_out(SNAPSHOT, share, seed=1)


def test_of_very_many_tracklets_not_more_than_2000_are_held_out() -> None:
    many, _ = made_site(people=250, visits=30, crops=1)
    assert 1900 < len(hold_out(many, 0.5, seed=1)[1]) <= 2010
