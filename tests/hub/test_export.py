"""What is written for others to read: tracks, events, and who a tracklet was taken for when."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.association import PlainAssociator
from hub.export import CameraTracks, event_json, interpolate, one_row_each, tracks, write_events, write_mot
from hub.history import DecisionHistory
from hub.reader import SiteReader
from hub.records import Event, EventId, EventKind, TrackletNumber
from hub.site_hub import Hub
from passerby.config import AssociationSettings
from passerby.ids import CameraId, IdentityId
from passerby.messages import Observations
from tests.hub.people import Sender, at, seen

BEGIN = 1_700_000_000 * 10**9


def observed(frames: list[int]) -> Observations:
    numbers = np.array(frames, np.int64)
    boxes = np.stack([numbers, 2 * numbers, numbers + 10, 2 * numbers + 30], axis=1).astype(np.float32).reshape(-1, 4)
    return Observations(numbers, BEGIN + numbers * 40_000_001, boxes, (numbers / 1000).astype(np.float32))


def test_frames_between_two_sightings_are_filled_on_a_straight_line() -> None:
    filled, made_up = interpolate(observed([3, 6]))
    expected = observed([3, 4, 5, 6])
    assert made_up.tolist() == [False, True, True, False]
    assert filled.frame_numbers.tolist() == [3, 4, 5, 6]
    assert filled.captured_at_ns.tolist() == expected.captured_at_ns.tolist()
    np.testing.assert_allclose(filled.boxes_xyxy, expected.boxes_xyxy)


def test_nobody_seen_is_nobody_interpolated() -> None:
    filled, made_up = interpolate(Observations.empty())
    assert (len(filled), len(made_up)) == (0, 0)


def test_a_long_silence_stays_open() -> None:
    assert interpolate(observed([1, 500]), max_gap_frames=100)[0].frame_numbers.tolist() == [1, 500]


@given(frames=st.lists(st.integers(1, 400), max_size=30))
def test_interpolation_keeps_every_sighting_whatever_the_order(frames: list[int]) -> None:
    filled, made_up = interpolate(observed(frames), max_gap_frames=1000)
    assert set(filled.frame_numbers[~made_up].tolist()) == set(frames)
    if frames:
        assert filled.frame_numbers.tolist() == list(range(min(frames), max(frames) + 1))
        np.testing.assert_allclose(filled.boxes_xyxy, observed(filled.frame_numbers.tolist()).boxes_xyxy, rtol=1e-5)


def test_mot_files_hold_frame_identity_and_box(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path / "data", associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "hall", begin_s=0, end_s=1, final=True)), now_ns=at(1))
    written = write_mot(tmp_path / "data", tmp_path / "out", cameras=[CameraId("empty"), CameraId("hall")])
    assert [file.name for file in written] == ["empty.txt", "hall.txt"]
    assert written[0].read_text() == ""
    lines = written[1].read_text().splitlines()
    assert lines[0] == "1,1,10.00,20.00,50.00,160.00,0.9000,-1,-1,-1"
    assert len(lines) == 6


def test_as_decided_tells_what_was_known_two_seconds_after_the_frame(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path, association=AssociationSettings(normalize="none"), associator=PlainAssociator()) as hub:
        others = [seen(1, "a", tracklet=1, final=True), seen(2, "b", tracklet=2, final=True)]
        hub.ingest(sender.send(*others), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "c", tracklet=3, begin_s=10, end_s=11)), now_ns=at(11))
        hub.ingest(sender.send(seen(2, "c", tracklet=3, revision=2, begin_s=11.2, end_s=20)), now_ns=at(20))
    found = tracks(tmp_path)[CameraId("c")]
    assert set(found.identities.tolist()) == {2}
    assert found.decided[found.captured_at_ns == at(10)].tolist() == [1]
    assert found.decided[found.captured_at_ns == at(19)].tolist() == [2]


def test_events_are_json_lines_with_their_evidence(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1)), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "b", tracklet=2, begin_s=5, end_s=7)), now_ns=at(7))
    assert write_events(tmp_path, tmp_path / "events.jsonl") == 2
    created, linked = (json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines())
    assert (created["kind"], linked["kind"], linked["identity"], linked["camera"]) == ("created", "linked", 1, "b")
    assert linked["evidence"]["similarity"] > linked["evidence"]["threshold"]


def event(
    number: int, kind: EventKind, identity: int, *, other: int | None = None, tracklet: int | None = None
) -> Event:
    return Event(
        event_id=EventId(number),
        at_ns=number * 100,
        kind=kind,
        identity_id=IdentityId(identity),
        other_identity_id=None if other is None else IdentityId(other),
        tracklet=None if tracklet is None else TrackletNumber(tracklet),
    )


def test_history_follows_tracklets_through_merges_and_moves() -> None:
    told = DecisionHistory(
        [
            event(1, EventKind.CREATED, 1, tracklet=1),
            event(2, EventKind.CREATED, 2, tracklet=2),
            event(3, EventKind.LINKED, 2, tracklet=3),
            event(4, EventKind.LINKED, 1, other=2, tracklet=3),
            event(5, EventKind.MERGED, 1, other=2),
        ]
    )
    assert told.decisions(TrackletNumber(2)) == [(200, 2), (500, 1)]
    assert told.decisions(TrackletNumber(3)) == [(300, 2), (400, 1)]
    assert [told.identity_at(TrackletNumber(3), at_ns) for at_ns in (299, 300, 399, 400)] == [None, 2, 2, 1]
    assert told.last_identity(TrackletNumber(9)) is None


def test_the_log_and_the_tracklets_say_the_same(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        for step in range(20):
            update = seen(step % 5, f"c{step % 3}", tracklet=step + 1, begin_s=step, end_s=step + 3, noise=0.9)
            hub.ingest(sender.send(update), now_ns=at(step + 3))
    with SiteReader(tmp_path) as reader:
        told = DecisionHistory(reader.all_events())
        assert {t.number: t.identity_id for t in reader.tracklets()} == {
            t.number: told.last_identity(t.number) for t in reader.tracklets()
        }


def test_an_event_of_nobody_else_leaves_that_out() -> None:
    assert "other_identity" not in json.loads(event_json(event(1, EventKind.EXPIRED, 1)))


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_events_are_read_in_pages(tmp_path: Path, limit: int) -> None:
    sender = Sender()
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(*(seen(n, tracklet=n) for n in range(1, 4))), now_ns=at(2))
    with SiteReader(tmp_path) as reader:
        assert [one.event_id for one in reader.events(after=1, limit=limit)] == [2, 3][:limit]
        assert reader.last_event_id() == 3


def test_two_boxes_of_one_person_in_a_frame_become_the_one_that_was_looked_at() -> None:
    rows = CameraTracks(
        frame_numbers=np.array([1, 1, 1, 2, 2, 2], np.int64),
        captured_at_ns=np.zeros(6, np.int64),
        tracklets=np.array([1, 2, 3, 1, 2, 3], np.int64),
        identities=np.array([7, 7, 8, 7, 7, 0], np.int64),
        decided=np.zeros(6, np.int64),
        boxes_xyxy=np.zeros((6, 4), np.float32),
        confidence=np.array([0.9, 0.5, 0.5, 0.6, 0.7, 0.9], np.float32),
        interpolated=np.array([True, False, False, False, False, False]),
    )
    assert one_row_each(rows, rows.identities).tolist() == [1, 2, 4]
    assert one_row_each(rows, rows.decided).tolist() == []
