"""The gate's benchmark: a hub that guesses, ways to go wrong, and the counts."""

import numpy as np

from benchmarks.gate import FIRST_SEED, sites, trials
from benchmarks.gating.poisons import frozen, shuffled, where
from benchmarks.gating.sites import hub_guess
from benchmarks.gating.tables import markdown, wrongly_promoted
from benchmarks.gating.trying import Result, Trial
from tests.training.gate.made_sites import made_site

SNAPSHOT, WHO = made_site(people=12, visits=8, crops=3)


def result(scenario: str, *, passed: bool, after: float | None) -> Result:
    return Result(
        trial=Trial(scenario=scenario, site="s"),
        passed=passed,
        reasons=["Because."],
        figures=[],
        tracklets=50,
        groups=9,
        before=0.5,
        after=after,
        seconds=1.0,
    )


def test_a_hub_links_most_of_a_persons_tracklets_and_few_wrongly() -> None:
    people = np.random.default_rng(1).integers(0, 30, 1500)
    alike = np.random.default_rng(2).normal(size=(1500, 1500))
    guessed = hub_guess(alike, people, draw=np.random.default_rng(3), linked=0.85, wrong=0.02)
    same = (guessed[:, None] == guessed) & ~np.eye(1500, dtype=bool)
    right = people[:, None] == people
    assert 0.7 < right[same].mean() < 1.0
    assert same[right].mean() > 0.02
    sure = hub_guess(alike, people, draw=np.random.default_rng(3), linked=1.0, wrong=0.0)
    assert ((sure[:, None] == sure) == right).all()
    assert len(np.unique(sure)) == 30


def test_poisons_stay_within_their_camera() -> None:
    cameras = SNAPSHOT.crop_cameras
    for order in (shuffled(SNAPSHOT, camera=1, seed=1), frozen(SNAPSHOT, camera=1)):
        assert (order[cameras != 1] == np.flatnonzero(cameras != 1)).all()
        assert (cameras[order] == cameras).all()
        assert (order[cameras == 1] != np.flatnonzero(cameras == 1)).mean() > 0.9


def test_a_part_of_a_snapshot_is_one() -> None:
    rows = np.flatnonzero(SNAPSHOT.camera_rows == 0)
    part = where(SNAPSHOT, rows)
    assert part.numbers.tolist() == SNAPSHOT.numbers[rows].tolist()
    assert part.crops == 3 * len(rows)
    assert (part.crop_cameras == 0).all()
    assert where(SNAPSHOT, np.zeros(0, np.int64)).crops == 0


def test_there_are_more_than_thirty_trials_at_sites_that_there_are() -> None:
    known = sites(FIRST_SEED)
    every = trials(list(known))
    assert len(every) > 30
    assert len({trial.name for trial in every}) == len(every)
    assert {trial.site for trial in every} <= set(known)


def test_a_worse_model_that_was_promoted_is_named() -> None:
    results = [
        result("honest", passed=True, after=0.52),
        result("honest", passed=False, after=0.56),
        result("damaged", passed=True, after=0.49),
        result("damaged", passed=False, after=0.3),
        result("unchanged", passed=True, after=0.498),
        result("empty", passed=False, after=None),
    ]
    assert [one.trial.scenario for one in wrongly_promoted(results)] == ["damaged"]
    lines = "\n".join(markdown(results))
    assert "6 candidates, 3 promoted." in lines
    assert "Worse by more than 0.5 points of mAP: 2, of which promoted: 1 (damaged.s.1)." in lines
    assert "Better by more than 0.5 points: 2, of which refused: 1 (honest.s.1)." in lines
