"""Enrolment, verification, identification and search on real footage with real weights, by the real command."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import pytest

from tests.system.processes import TREE, LiveSite
from tests.system.truth import fourcam_truth

pytestmark = pytest.mark.system

MakeSite = Callable[..., LiveSite]


class People:
    """The commands on one site, with their answers."""

    def __init__(self, site: LiveSite) -> None:
        self.site = site

    def run(self, *words: object) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of `passerby WORDS --config SITE`."""
        command = [sys.executable, "-m", "passerby", *map(str, words), "--config", str(self.site.config)]
        environment = {**self.site.environment, "PYTHONPATH": str(TREE)}
        done = subprocess.run(
            command,
            cwd=self.site.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def told(self, *words: object, code: int = 0) -> Any:
        """What it says as JSON."""
        found, out, error = self.run(*words, "--json")
        assert found == code, out + error
        return json.loads(out)


@pytest.fixture
def people(make_site: MakeSite, shared_data: Callable[[str], Path]) -> People:
    return People(make_site({"cam1": str(shared_data("footage/fourcam/cam1.mp4"))}))


@pytest.fixture
def fourcam(shared_data: Callable[[str], Path]) -> Callable[[int], Path]:
    return lambda number: shared_data(f"footage/fourcam/cam{number}.mp4")


def box_of(man: str, camera: int, *, frame: int = 120) -> str:
    """Where a man stands by eye, as the option `--box` takes it."""
    (x1, y1, x2, y2) = next(
        one.box_xyxy for one in fourcam_truth() if (one.man, one.camera, one.frame) == (man, f"cam{camera}", frame)
    )
    return f"{x1},{y1},{x2 - x1},{y2 - y1}"


def most_at_once(answers: list[dict[str, Any]]) -> float:
    """The greatest probability, together, of two people who were surely seen at once having one name."""
    chances = [{one["name"]: one["probability"] for one in answer["ranking"]} for answer in answers]
    return max(
        chances[first][name] + chances[second][name]
        for first, second in itertools.combinations(range(len(answers)), 2)
        if _frames_shared(answers[first], answers[second]) > 60
        for name in chances[first]
    )


def _frames_shared(first: dict[str, Any], second: dict[str, Any]) -> int:
    return int(min(first["to_frame"], second["to_frame"]) - max(first["from_frame"], second["from_frame"]))


def test_of_two_men_at_once_no_more_than_one_is_the_only_one_enrolled(
    people: People, fourcam: Callable[[int], Path]
) -> None:
    """Also where the site takes every look for anybody's: both men are enrolled under one name."""
    for man in "AB":
        people.told("enroll", "man", "--video", fourcam(0), "--box", box_of(man, 0))
    answers = people.told("identify", "--video", fourcam(3), "--sure", "0.5")
    walkers = [one for one in answers if one["to_frame"] - one["from_frame"] > 100]
    assert len(walkers) == 2
    assert most_at_once(walkers) <= 1.0 + 1e-5
    assert [one["verdict"] for one in answers].count("man") <= 1
    assert min(one["ranking"][0]["probability"] for one in walkers) > 0.05  # it is not said of one alone


def test_two_men_enrolled_in_one_camera_are_identified_in_the_others(
    people: People, fourcam: Callable[[int], Path]
) -> None:
    code, _, error = people.run("enroll", "A", "--video", fourcam(0))
    assert code == 1
    assert "2 people are seen in cam0.mp4" in error
    for man in "AB":
        told = people.told("enroll", man, "--video", fourcam(0), "--box", box_of(man, 0), "--reason", "test")
        assert (told["name"], told["pictures"]) == (man, 5)
    assert [one["name"] for one in people.told("enroll", "--list")] == ["A", "B"]

    for camera in (1, 3):
        answers = people.told("identify", "--video", fourcam(camera))
        walkers = [one for one in answers if one["to_frame"] - one["from_frame"] > 100]
        assert sorted(one["ranking"][0]["name"] for one in walkers) == ["A", "B"]
        assert min(one["ranking"][0]["probability"] for one in walkers) > 0.8
        assert max(one["ranking"][1]["probability"] for one in walkers) < 0.05
        assert most_at_once(answers) <= 1.0 + 1e-5
        sitting = [one for one in answers if one not in walkers]
        assert all(one["nobody_known"] > 0.5 for one in sitting)  # C, who is not enrolled


def test_a_claim_is_verified_and_the_exit_code_says_how(people: People, fourcam: Callable[[int], Path]) -> None:
    people.told("enroll", "B", "--video", fourcam(0), "--box", box_of("B", 0))
    same = people.told("verify", "B", "--video", fourcam(3), "--box", box_of("B", 3))
    assert same["verdict"] == "same"
    other = people.told("verify", "B", "--video", fourcam(3), "--box", box_of("A", 3), "--sure", "0.6", code=2)
    assert other["verdict"] == "another"
    unsure = people.told("verify", "B", "--video", fourcam(3), "--box", box_of("B", 3), "--sure", "0.9999", code=1)
    assert unsure["verdict"] == "unsure"
    for wrong in (["verify", "Z", "--video", fourcam(3), "--largest"], ["verify", "B", "--video", fourcam(3)]):
        code, out, error = people.run(*wrong)
        assert (code, out) == (3, ""), error
    code, out, _ = people.run("enroll", "--remove", "B")
    assert (code, "gone for good" in out) == (0, True)
    assert people.run("verify", "B", "--video", fourcam(3), "--largest")[0] == 3


def test_who_is_enrolled_in_one_room_is_first_of_all_in_another(
    people: People, shared_data: Callable[[str], Path]
) -> None:
    rooms = [shared_data(f"footage/tworooms/{name}") for name in ("room-a.mp4", "room-b.264")]
    for name, first, last in (("tom", 780, 880), ("max", 1270, 1390)):
        people.told("enroll", name, "--video", rooms[0], "--from-frame", first, "--to-frame", last)
    answers = people.told("identify", "--video", rooms[1])
    # tom walks by in frames 186 to 236, max from 347 on: by name or unsure, but never somebody else.
    best = {(one["from_frame"] - 1) // 100: one["ranking"][0]["name"] for one in answers if one["box_xyxy"][0] < 250}
    assert (best[1], best[3]) == ("tom", "max")
    said = [one["verdict"] for one in answers if one["from_frame"] not in range(180, 240)]
    assert "tom" not in said


def test_a_picture_finds_its_man_among_the_sites_identities(
    people: People, fourcam: Callable[[int], Path], tmp_path: Path
) -> None:
    picture = tmp_path / "picture.png"
    with av.open(str(fourcam(0))) as film:
        frames = (frame.to_ndarray(format="bgr24") for frame in film.decode(video=0))
        assert cv2.imwrite(str(picture), next(image for number, image in enumerate(frames, 1) if number == 120))
    assert people.run("search", "--image", picture)[0] == 1  # no hub has been here yet
    code, _, error = people.run("replay", "--out", tmp_path / "replayed")
    assert code == 0, error
    (tmp_path / "replayed" / "hub-data").rename(people.site.data)

    sheets = tmp_path / "sheets"
    found = {}
    for man in "AB":
        (answer,) = people.told("search", "--image", picture, "--box", box_of(man, 0), "--out", sheets)
        assert answer["found"][0]["probability"] > 0.5
        assert {seen["camera"] for seen in answer["found"][0]["sightings"]} == {"cam1"}
        assert cv2.imread(answer["sheet"]) is not None
        found[man] = answer["found"][0]["identity"]
    assert found["A"] != found["B"]
    nobody = people.told("search", "--image", picture, "--largest", "--camera", "attic")
    assert (nobody[0]["searched"], nobody[0]["nobody"]) == (0, 1.0)
