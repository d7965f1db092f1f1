"""Simulated sites as crops and tracklets."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.adapting.sites import SiteCrops, choose_sites, seen_visits, site_subject, spread, visits
from benchmarks.adapting.subjects import read_tracklets
from passerby.errors import ConfigError
from simulation.site import SimulatedSite

SITE = SiteCrops("overlapping", 4, 3, 0.5, 6, crops=40)


def naive_visits(people: list[int], frames: list[int], longest_gap: int) -> list[list[int]]:
    found = []
    for person in sorted(set(people)):
        stay: list[int] = []
        for row in sorted((row for row, one in enumerate(people) if one == person), key=lambda row: frames[row]):
            if stay and frames[row] - frames[stay[-1]] > longest_gap:
                found.append(stay)
                stay = []
            stay.append(row)
        found.append(stay)
    return [stay for stay in found if len(stay) > 1]


@given(st.sets(st.tuples(st.integers(0, 40), st.integers(1, 4))), st.integers(1, 10))
def test_a_stay_ends_where_the_gap_is_too_long(seen: set[tuple[int, int]], longest_gap: int) -> None:
    rows = sorted(seen)
    people, frames = [row[1] for row in rows], [row[0] for row in rows]
    found = visits(np.array(people, np.int64), np.array(frames, np.int64), longest_gap=longest_gap)
    assert [stay.tolist() for stay in found] == naive_visits(people, frames, longest_gap)


def test_crops_are_spread_over_a_stay() -> None:
    assert spread(np.array([4, 7, 9]), 8).tolist() == [4, 7, 9]
    assert spread(np.arange(100), 8)[[0, -1]].tolist() == [0, 99]
    assert len(set(spread(np.arange(9), 8).tolist())) == 8


def test_sites_take_kinds_and_cameras_in_turn() -> None:
    sites = choose_sites(3, first_seed=7, minutes=10, fewest_people=24, crops=100, kinds=("crowded", "sparse"))
    assert [site.name for site in sites] == ["crowded-7-4x10-28-100", "sparse-8-3x10-24-100", "crowded-9-4x10-28-100"]
    assert [site.people for site in sites] == [28, 24, 28]
    with pytest.raises(ConfigError, match="no kind of site is called 'empty'"):
        choose_sites(1, first_seed=7, minutes=10, fewest_people=24, crops=100, kinds=("empty",))


def test_visits_are_of_one_person_in_frames_that_there_are() -> None:
    site = SimulatedSite.make("sparse", seed=3, cameras=2, people=5)
    found = seen_visits(site, seconds=60.0)
    assert found
    assert len({one.tracklet for one in found}) == len(found)
    for one in found:
        assert one.person_id in site.person_ids
        assert 2 <= len(one.frames) <= 8
        assert list(one.frames) == sorted(set(one.frames))
        assert one.frames[-1] < 60.0 * site.spec(site.camera_ids[one.camera]).fps


def test_a_site_is_rendered_once(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    subject = site_subject(SITE, tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1]
    assert subject.tracklets is not None
    tracklets = read_tracklets(subject.tracklets)
    assert 10 <= len(subject.judged) <= SITE.crops
    assert {file.name for file in subject.judged.files} == set(tracklets)
    owners: dict[str, set[str]] = {}
    for name, tracklet in tracklets.items():
        owners.setdefault(tracklet, set()).add(name[:7])
    assert all(len(of) == 1 for of in owners.values())
    told.clear()
    again = site_subject(SITE, tmp_path, progress=lambda done, total: told.append((done, total)))
    assert again.judged.files == subject.judged.files
    assert told == []
