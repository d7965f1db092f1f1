"""Adaptations are judged rightly, on what was meant, and once."""

import os
import subprocess
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.adapting.cores import sets_of_cores
from benchmarks.adapting.scoring import Figures, GuessQuality, Ranking, figures, guess_quality, read_guess
from benchmarks.adapting.subjects import (
    VARIANTS,
    Variant,
    make_subject,
    misplaced,
    read_tracklets,
    variant,
    write_tracklets,
)
from benchmarks.adapting.tables import by_site, by_subject
from benchmarks.adapting.trying import Result, Trial, do_all, missing, read_results
from passerby.errors import DataError
from training.evaluate import LabelledImages, read_labelled_images


def naive_guess(guessed: list[int], people: list[int]) -> tuple[float, float, float]:
    """Agreement, precision and recall, pair by pair."""
    alone = [("cluster", one) if one >= 0 else ("outlier", row) for row, one in enumerate(guessed)]
    pairs = list(combinations(range(len(people)), 2))
    right = sum(alone[i] == alone[j] and people[i] == people[j] for i, j in pairs)
    joined = sum(alone[i] == alone[j] for i, j in pairs)
    true = sum(people[i] == people[j] for i, j in pairs)
    chance, most = joined * true / max(len(pairs), 1), (joined + true) / 2
    rand = 1.0 if most == chance else (right - chance) / (most - chance)
    return rand, right / joined if joined else 1.0, right / true if true else 1.0


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(1, 5)), max_size=24))
def test_a_guess_is_judged_by_its_pairs(rows: list[tuple[int, int]]) -> None:
    guessed, people = [row[0] for row in rows], [row[1] for row in rows]
    found = guess_quality(np.array(guessed, np.int64), np.array(people, np.int64))
    assert (found.agreement, found.precision, found.recall) == pytest.approx(naive_guess(guessed, people))
    assert found.clusters == len({one for one in guessed if one >= 0})
    assert (found.outliers, found.images) == (guessed.count(-1), len(people))


def test_every_image_searches_all_others_of_other_cameras() -> None:
    people, cameras = np.array([1, 1, 2, 2, 0]), np.array([1, 2, 1, 2, 1])
    images = LabelledImages(tuple(Path(f"{row}.png") for row in range(5)), people, cameras)
    person = np.array([[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0], [-1.0, 0.1], [0.0, 1.0]], np.float32)
    found = figures(images, person)
    assert (found.plain.mean_average_precision, found.plain.rank1) == (1.0, 1.0)
    assert found.plain.mean_inverse_negative_penalty == 1.0
    # A camera that moves everybody far away is seen through by the z-score alone.
    moved = figures(images, person + np.where(cameras == 2, 50.0, 0.0)[:, None].astype(np.float32))
    assert moved.normalized.mean_average_precision > moved.plain.mean_average_precision


def test_a_guess_is_read_in_the_order_of_the_images(tmp_path: Path) -> None:
    file = tmp_path / "pseudo-labels.csv"
    file.write_text("image,person\nb.png,3\na.png,-1\n")
    images = LabelledImages((Path("x/a.png"), Path("x/b.png")), np.array([1, 2]), np.array([1, 1]))
    assert read_guess(file, images).tolist() == [-1, 3]
    file.write_text("image,person\nb.png,3\n")
    with pytest.raises(DataError, match=r"does not name a\.png"):
        read_guess(file, images)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten people, two cameras, four pictures of each in each, two to a tracklet."""
    folder = tmp_path_factory.mktemp("people")
    tracklets = {}
    for person in range(1, 11):
        for camera in (1, 2):
            for number in range(4):
                name = f"{person:04d}_c{camera}s1_{number:06d}_00.png"
                cv2.imwrite(str(folder / name), np.full((4, 2, 3), 10 * person + number, np.uint8))
                tracklets[name] = f"t{person}-{camera}-{number // 2}"
    write_tracklets(folder / "tracklets.csv", tracklets)
    return folder


def test_what_is_given_is_judged_by_all_its_images(root: Path, tmp_path: Path) -> None:
    for which, tracklets in (("as-given", root / "tracklets.csv"), ("single", None)):
        subject = make_subject(variant(which), root, seed=1, scratch=tmp_path / which)
        assert (subject.folder, subject.tracklets, len(subject.judged)) == (root, tracklets, 80)


def test_a_tenth_of_the_crops_gets_into_a_strangers_tracklet_of_their_camera(root: Path, tmp_path: Path) -> None:
    subject = make_subject("wrong", root, seed=1, scratch=tmp_path / "wrong")
    assert subject.tracklets is not None
    right, wrong = read_tracklets(root / "tracklets.csv"), read_tracklets(subject.tracklets)
    changed = [name for name in right if right[name] != wrong[name]]
    assert len(changed) == 8
    for name in changed:
        person, camera, _ = wrong[name].removeprefix("t").split("-")
        assert int(person) != int(name[:4])
        assert f"_c{camera}s" in name
    assert (subject.folder, len(subject.judged)) == (root, 80)


def test_a_crop_with_nobody_else_in_its_camera_stays() -> None:
    images = LabelledImages((Path("a.png"), Path("b.png")), np.array([1, 1]), np.array([1, 1]))
    tracklets = {"a.png": "t1", "b.png": "t2"}
    assert misplaced(tracklets, images, draw=np.random.default_rng(0), share=0.9) == tracklets


def test_disjoint_people_are_half_in_one_camera_and_half_in_the_other(root: Path, tmp_path: Path) -> None:
    subject = make_subject("disjoint", root, seed=1, scratch=tmp_path / "disjoint")
    left = read_labelled_images(subject.folder)
    of = {camera: set(left.people[left.cameras == camera].tolist()) for camera in (1, 2)}
    assert len(of[1]) == len(of[2]) == 5
    assert not of[1] & of[2]
    assert len(left) == 40
    assert len(subject.judged) == 80
    assert subject.tracklets is not None
    assert set(read_tracklets(subject.tracklets)) == {file.name for file in left.files}


def test_the_unseen_are_judged_and_nobody_else(root: Path, tmp_path: Path) -> None:
    subject = make_subject("unseen", root, seed=1, scratch=tmp_path / "unseen")
    adapted = set(read_labelled_images(subject.folder).people.tolist())
    judged = set(subject.judged.people.tolist())
    assert (len(adapted), len(judged)) == (6, 4)
    assert not adapted & judged
    assert len(subject.judged) == 32


@pytest.mark.parametrize("which", VARIANTS)
def test_the_seed_chooses_whom(root: Path, tmp_path: Path, which: Variant) -> None:
    def seen(seed: int, scratch: str) -> object:
        subject = make_subject(which, root, seed=seed, scratch=tmp_path / scratch)
        tracklets = None if subject.tracklets is None else subject.tracklets.read_text()
        return sorted(file.name for file in read_labelled_images(subject.folder).files), tracklets

    assert seen(1, "a") == seen(1, "b") == seen(1, "a")
    if which not in {"as-given", "single"}:
        assert seen(1, "a") != seen(2, "c")


def test_an_unknown_variant_is_named() -> None:
    with pytest.raises(DataError, match="no variant is called 'hard'; expected as-given, single"):
        variant("hard")


def result(subject: str, recipe: str, seed: int, *, gain: float = 0.5) -> Result:
    before, after = Ranking(0.124, 0.1, 0.05), Ranking(0.124 + gain, 0.9, 0.5)
    return Result(
        trial=Trial(experiment="real", subject=subject, recipe=recipe, model="net.pth", minutes=8.0, seed=seed),
        model="model@1", people=44, cameras=2, tracklets=176, judged_people=44, judged_images=704,
        before=Figures(before, before), after=Figures(after, after),
        guess=GuessQuality(agreement=0.8, precision=0.9, recall=0.75, clusters=50, outliers=3, images=704),
        steps=300, seconds=470.0, process_seconds=480.0, load_before=1.0, cores=2,
    )  # fmt: skip


def test_a_table_has_means_over_seeds_with_the_least_and_the_greatest() -> None:
    results = [result("as-given", "passerby", 1), result("as-given", "passerby", 2, gain=0.7)]
    results.append(result("as-given", "learn-by-guessing", 1, gain=0.25))
    lines = by_subject(results)
    assert len({line.count("|") for line in lines}) == 1
    assert [line.split(" | ")[:5] for line in lines[2:]] == [
        ["| as-given", "", "as it is", "2", ".124"],
        ["| as-given", "8", "passerby", "2", ".724 (.624-.824)"],
        ["| as-given", "8", "learn-by-guessing", "1", ".374"],
    ]
    assert lines[3].endswith("| .800 | .900 | .750 | 50 | 300 | 470 |")
    assert len(by_subject([])) == 2


def test_sites_have_a_row_each_and_a_mean() -> None:
    lines = by_site([result("default-1-4x10", "passerby", 1), result("sparse-2-3x10", "passerby", 1, gain=0.7)])
    assert len({line.count("|") for line in lines}) == 1
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| default-1-4x10", "| sparse-2-3x10", "| mean"]
    assert lines[-1].split(" | ")[6:8] == [".124", ".724 (.624-.824)"]


@pytest.fixture
def attempts() -> list[Trial]:
    return []


@pytest.fixture
def attempt(attempts: list[Trial]) -> Callable[[Trial], Result]:
    """Writes down what is asked for; seed 2 fails, as a process does."""

    def tried(trial: Trial) -> Result:
        attempts.append(trial)
        if trial.seed == 2:
            raise subprocess.CalledProcessError(1, "passerby")
        return result(trial.subject, trial.recipe, trial.seed)

    return tried


def test_what_has_a_result_is_not_done_again(
    tmp_path: Path, attempts: list[Trial], attempt: Callable[[Trial], Result]
) -> None:
    trials = [result("as-given", "passerby", seed).trial for seed in (1, 2, 3)]
    folder = tmp_path / "results"
    assert missing(trials, folder) == trials
    assert do_all(missing(trials, folder), folder, attempt=attempt) == [trials[1]]
    assert attempts == trials
    assert missing(trials, folder) == [trials[1]]
    assert missing(trials, folder, again=True) == trials
    assert [one.trial for one in read_results(folder)] == [trials[0], trials[2]]
    another = msgspec.structs.replace(trials[0], minutes=2.0)
    assert missing([another], folder) == [another]


def tried_elsewhere(trial: Trial) -> Result:
    """Seed 2 fails; the others say which process they were in, and on how many cores."""
    if trial.seed == 2:
        raise subprocess.CalledProcessError(1, "passerby")
    done = result(trial.subject, trial.recipe, trial.seed)
    return msgspec.structs.replace(done, model=str(os.getpid()), cores=len(os.sched_getaffinity(0)))


def test_side_by_side_each_has_cores_of_its_own(tmp_path: Path) -> None:
    trials = [result("as-given", "passerby", seed).trial for seed in (1, 2, 3)]
    assert do_all(trials, tmp_path, attempt=tried_elsewhere, cores=sets_of_cores(1, each=1)) == [trials[1]]
    done = list(read_results(tmp_path))
    assert [(one.trial, one.cores) for one in done] == [(trials[0], 1), (trials[2], 1)]
    assert {one.model for one in done}.isdisjoint({str(os.getpid())})


def test_no_core_is_dealt_out_twice() -> None:
    cores = os.sched_getaffinity(0)
    dealt = sets_of_cores(len(cores), each=1)
    assert frozenset().union(*dealt) == cores
    assert sum(map(len, dealt)) == len(cores)
    with pytest.raises(DataError, match=f"let --jobs be {len(cores)} or less"):
        sets_of_cores(len(cores) + 1, each=1)
