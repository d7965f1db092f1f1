"""`passerby identities merge ...` and `passerby review`, over data that a hub has written."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from hub.association import PlainAssociator
from hub.reader import SiteReader
from hub.records import EventKind, Evidence, TrackletNumber
from hub.site_hub import Hub
from passerby.cli.app import app
from passerby.config import AssociationSettings
from passerby.errors import DataError
from passerby.ids import CameraId, IdentityId
from tests.hub.people import MODEL, Sender, at, seen


def picture(colour: tuple[int, int, int]) -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((96, 40, 3), colour, np.uint8))[1].tobytes())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Person 1 has tracklets 1 and 2, person 2 has 3; the hub asks whether person 3 is person 2."""
    sender, folder = Sender(), tmp_path / "data"
    with Hub.open(folder, association=AssociationSettings(normalize="none"), associator=PlainAssociator()) as hub:
        red, blue = {1: picture((0, 0, 200)), 2: picture((0, 0, 100))}, {1: picture((200, 0, 0))}
        hub.ingest(sender.send(seen(1, "lobby", tracklet=1, final=True, crops=red)), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "hall", tracklet=2, begin_s=14, end_s=16, crops=red)), now_ns=at(16))
        hub.ingest(sender.send(seen(2, "hall", tracklet=3, begin_s=14, end_s=16, crops=blue)), now_ns=at(16))
        hub.ingest(sender.send(seen(3, "yard", tracklet=4, begin_s=30, end_s=32, crops=blue)), now_ns=at(32))
        with hub._transaction(at(33)):  # as any associator asks
            hub.state.say(
                EventKind.CANDIDATE,
                IdentityId(3),
                other=IdentityId(2),
                tracklet=TrackletNumber(4),
                camera_id=CameraId("yard"),
                evidence=Evidence(
                    similarity=0.55, threshold=0.6, model_id=MODEL, alike=(TrackletNumber(4), TrackletNumber(3))
                ),
            )
    return folder


def run(data: Path, *arguments: object, keys: str = "", fails: bool = False) -> str:
    command = [*map(str, arguments), "--data", str(data)]
    result = CliRunner().invoke(app, command, input=keys, catch_exceptions=False)
    assert (result.exit_code != 0) == fails, result.output
    return result.stdout


def identities(data: Path) -> dict[int, int | None]:
    with SiteReader(data) as reader:
        return {tracklet.number: tracklet.identity_id for tracklet in reader.tracklets()}


def test_corrections_say_what_they_have_changed(data: Path) -> None:
    assert "event 6: person 2 is person 1 (by an operator)" in run(data, "identities", "merge", 1, 2)
    assert "event 7: person 2 is not person 1: tracklet 3 back (by an operator, undoes event 6)" in run(
        data, "identities", "undo", 6
    )
    assert "hall tracklet 2 -> new person 4 (not person 1) (by an operator)" in run(data, "identities", "split", 1, 2)
    assert "hall tracklet 2 is not person 2" in run(data, "identities", "reject", 2, 2)
    assert "person 1 has the name Ada" in run(data, "identities", "rename", 1, "Ada")
    assert "Ada" in run(data, "identities", "list")
    assert "no name any more" in run(data, "identities", "rename", 1, "--none")
    assert "what was said about person 4 counts no more" in run(data, "identities", "undo", 9)
    assert identities(data) == {1: 1, 2: 4, 3: 2, 4: 3}


def test_corrections_for_programs(data: Path) -> None:
    told: dict[str, Any] = json.loads(run(data, "identities", "merge", 1, 2, "--json"))
    assert told["act"] == 1
    assert [(one["kind"], one["identity"], one["other_identity"], one["act"]) for one in told["events"]] == [
        ("merged", 1, 2, 1)
    ]


def test_timeline_tells_each_sighting_and_how_it_was_linked(data: Path) -> None:
    run(data, "identities", "merge", 1, 2)
    rows = json.loads(run(data, "identities", "timeline", 1, "--json"))
    assert [(row["camera"], row["tracklet"], row["decided_by"]["kind"]) for row in rows] == [
        ("lobby", 1, "created"),
        ("hall", 2, "linked"),
        ("hall", 3, "merged"),
    ]
    assert "was person 2, by an operator" in " ".join(run(data, "identities", "timeline", 1).split())
    with pytest.raises(DataError, match="person 2 is part of person 1"):
        run(data, "identities", "timeline", 2)


def test_erase_asks_first(data: Path) -> None:
    asked = run(data, "identities", "erase", 1, keys="n\n", fails=True)
    assert "person 1: 2 tracklets in hall, lobby" in asked
    assert 1 in identities(data)
    told = run(data, "identities", "erase", 1, keys="y\n")
    assert "gone for good: person 1: 2 tracklets" in told
    assert identities(data) == {3: 2, 4: 3}
    assert json.loads(run(data, "identities", "erase", 2, "--yes", "--json"))["erased"]["tracklets"] == 1


@pytest.mark.parametrize("arguments", [("rename", 1), ("rename", 1, "Ada", "--none")])
def test_a_name_is_given_or_taken_away(data: Path, arguments: tuple[object, ...]) -> None:
    with pytest.raises(DataError, match="one of the two"):
        run(data, "identities", *arguments)


def test_review_lists_what_is_asked(data: Path) -> None:
    (asked,) = json.loads(run(data, "review", "--list", "--json"))
    assert (asked["candidate"], asked["identity"], asked["other_identity"], asked["camera"]) == (5, 3, 2, "yard")
    line = run(data, "review", "--list")
    assert line.startswith("5: is person 3 person 2? yard tracklet 4 at ")
    assert "similarity ." in line


@pytest.mark.parametrize(
    ("word", "end", "said"),
    [
        ("same", {1: 1, 2: 1, 3: 2, 4: 2}, "person 3 is person 2"),
        ("different", {1: 1, 2: 1, 3: 2, 4: 3}, "person 3 is not person 2"),
        ("unsure", {1: 1, 2: 1, 3: 2, 4: 3}, "noted; nothing has changed"),
    ],
)
def test_an_answer_settles_a_candidate(data: Path, word: str, end: dict[int, int], said: str) -> None:
    assert said in run(data, "review", "--answer", 5, word)
    assert identities(data) == end
    assert json.loads(run(data, "review", "--list", "--json")) == []
    left = json.loads(run(data, "review", "--list", "--json", "--unsure"))
    assert [one["answer"] for one in left] == (["unsure"] if word == "unsure" else [])


def test_review_shows_both_side_by_side_and_takes_a_key(data: Path, tmp_path: Path) -> None:
    told = run(data, "review", "--out", tmp_path / "pictures", keys="xs")
    sheet = cv2.imread(str(tmp_path / "pictures" / "candidate-5.jpg"))
    assert sheet is not None
    half = sheet.shape[1] // 2
    assert (sheet[:, :half, 0].astype(int) - sheet[:, :half, 2]).max() > 100, "blue on the left"
    assert (sheet[:, half:, 0].astype(int) - sheet[:, half:, 2]).max() > 100, "blue on the right"
    assert f"1 of 1: {tmp_path / 'pictures' / 'candidate-5.jpg'}" in told
    assert "event 6: person 3 is person 2" in told
    assert run(data, "review") == "nothing to be answered\n"


def test_review_can_be_left(data: Path, tmp_path: Path) -> None:
    run(data, "review", "--out", tmp_path / "pictures", keys="nq")
    run(data, "review", "--out", tmp_path / "pictures", keys="q")
    assert len(json.loads(run(data, "review", "--list", "--json"))) == 1


def test_an_answer_is_one_of_three_words(data: Path) -> None:
    with pytest.raises(DataError, match="'maybe' is no answer; say same, different or unsure"):
        run(data, "review", "--answer", 5, "maybe")


def test_identities_reject_takes_a_candidate_too(data: Path) -> None:
    assert "person 3 is not person 2" in run(data, "identities", "reject", 5)
    with pytest.raises(DataError, match="event 1 is no candidate"):
        run(data, "identities", "reject", 1)
