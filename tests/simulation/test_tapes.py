"""A tape of a small site: whole, true, the same every time, and like what an edge would send."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest

from passerby.arrays import l2_normalize
from passerby.codec import decode
from passerby.errors import ConfigError
from passerby.features.normalization import zscore_by_camera
from passerby.messages import Envelope, TrackletUpdate
from passerby.tape import read_tape
from simulation.ground_truth import SiteTruth
from simulation.site import SimulatedSite
from simulation.tapes.networks import network_profile
from simulation.tapes.recording import RecordedTape, record_tape
from simulation.tapes.truth import TapeTruth, TrackletTruth, read_tape_truth
from training.evaluate.mot_files import read_truth

SECONDS = 240.0


def record(
    folder: Path, *, seed: int = 5, cameras: int = 3, people: int | None = 9, seconds: float = 60
) -> RecordedTape:
    folder.mkdir(parents=True, exist_ok=True)
    site = SimulatedSite.make("default", seed=seed, cameras=cameras, people=people)
    return record_tape(site, folder / "a.tape", seconds=seconds, progress=lambda _: None)


@dataclass(frozen=True, slots=True)
class Made:
    recorded: RecordedTape
    envelopes: list[tuple[int, str, Envelope]]
    truth: TapeTruth

    def updates(self) -> dict[tuple[str, int], list[TrackletUpdate]]:
        """(boot, tracklet) -> its updates in the order on the tape."""
        found: dict[tuple[str, int], list[TrackletUpdate]] = defaultdict(list)
        for _, _, envelope in self.envelopes:
            assert isinstance(envelope.message, TrackletUpdate)
            found[envelope.boot_id.hex(), envelope.message.tracklet_id].append(envelope.message)
        return found

    def truths(self) -> dict[tuple[str, int], TrackletTruth]:
        return {(one.boot, one.tracklet): one for one in self.truth.tracklets}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    recorded = record(tmp_path_factory.mktemp("tape"), seconds=SECONDS)
    envelopes = [(one.received_at_ns, one.edge_id, decode(one.parts)) for one in read_tape(recorded.tape)]
    return Made(recorded, envelopes, read_tape_truth(recorded.truth))


def test_every_message_is_one_that_a_hub_takes(made: Made) -> None:
    assert len(made.envelopes) == made.recorded.messages > 200
    times = [at for at, _, _ in made.envelopes]
    assert times == sorted(times)
    by_boot: dict[bytes, list[int]] = defaultdict(list)
    for _, _, envelope in made.envelopes:
        by_boot[envelope.boot_id].append(envelope.seq)
    for numbers in by_boot.values():
        assert numbers == list(range(1, len(numbers) + 1))


def test_tracklets_open_grow_every_second_and_close(made: Made) -> None:
    for updates in made.updates().values():
        assert [one.revision for one in updates] == list(range(1, len(updates) + 1))
        assert [one.final for one in updates] == [False] * (len(updates) - 1) + [True]
        assert len({one.started_at_ns for one in updates}) == 1
        ends = [one.ended_at_ns for one in updates]
        assert ends == sorted(ends)
        seen = np.concatenate([one.observations.captured_at_ns for one in updates])
        assert (np.diff(seen) > 0).all()
        assert seen[0] == updates[0].started_at_ns
        assert seen[-1] == updates[-1].ended_at_ns
        for one in updates:
            assert 1 <= len(one.exemplars) <= 5
            assert (np.diff(one.exemplars.quality) <= 0).all()
            assert one.exemplars.captured_at_ns.max() <= one.ended_at_ns
            mean = one.exemplars.embeddings.astype(np.float32).mean(axis=0)
            np.testing.assert_allclose(one.embedding.astype(np.float32), mean, atol=0.02)


def test_nothing_is_received_before_it_was_captured(made: Made) -> None:
    for at, _, envelope in made.envelopes:
        assert isinstance(envelope.message, TrackletUpdate)
        assert envelope.message.ended_at_ns <= at + envelope.message.clock.error_ns


def test_clocks_are_off_but_within_what_they_say(made: Made) -> None:
    truths, start = made.truths(), made.truth.start_ns
    wrong = []
    for key, updates in made.updates().items():
        begin_ns = start + round(truths[key].begin_s * 1e9)
        wrong.append(abs(updates[0].started_at_ns - begin_ns))
        assert wrong[-1] <= updates[0].clock.error_ns + 2_000_000  # the truth is rounded to milliseconds
    assert max(wrong) > 1_000_000


def test_every_tracklet_has_its_truth_and_every_truth_a_tracklet(made: Made) -> None:
    assert set(made.updates()) == set(made.truths())
    for key, one in made.truths().items():
        updates = made.updates()[key]
        assert one.camera == updates[0].camera_id
        assert sum(part.sightings for part in one.stretches) == sum(len(u.observations) for u in updates)
        assert one.person in {part.person for part in one.stretches}


def test_boxes_of_a_tracklet_are_around_the_person_it_is(made: Made) -> None:
    boxes = read_truth(made.recorded.truth / "gt")
    overlaps = []
    for key, one in made.truths().items():
        if one.person == 0 or len(one.stretches) > 1:
            continue
        camera = boxes[one.camera]
        theirs = {
            int(frame): box
            for frame, box in zip(
                camera.frames[camera.ids == one.person], camera.boxes_xyxy[camera.ids == one.person], strict=True
            )
        }
        for update in made.updates()[key]:
            for frame, box in zip(update.observations.frame_numbers, update.observations.boxes_xyxy, strict=True):
                overlaps.append(_overlap(theirs[int(frame)], box))
    assert np.median(overlaps) > 0.85
    assert np.quantile(overlaps, 0.02) > 0.5


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    sides = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None)
    shared = float(sides.prod())
    return shared / (float((one[2:] - one[:2]).prod()) + float((other[2:] - other[:2]).prod()) - shared)


def test_tracklets_of_one_person_are_more_alike_across_cameras_than_those_of_two(made: Made) -> None:
    truths = made.truths()
    rows, people, cameras = [], [], []
    for key, updates in made.updates().items():
        if truths[key].person and len(truths[key].stretches) == 1 and len(updates[-1].exemplars) >= 3:
            rows.append(updates[-1].embedding.astype(np.float32))
            people.append(truths[key].person)
            cameras.append(truths[key].camera)
    unit = l2_normalize(zscore_by_camera(np.stack(rows), cameras))
    one, other = np.triu_indices(len(unit), 1)
    person, camera = np.array(people), np.array(cameras)
    across = camera[one] != camera[other]
    same = person[one] == person[other]
    similarity = (unit @ unit.T)[one, other]
    # Few people make a z-score: on real films of three and eleven people the median is 0.20 and 0.24.
    assert 0.15 < np.median(similarity[across & same]) < 0.65
    assert -0.25 < np.median(similarity[across & ~same]) < 0.1


def test_transit_times_and_overlaps_are_those_of_the_sightings(made: Made) -> None:
    truth = msgspec.json.decode((made.recorded.truth / "truth.json").read_bytes(), type=SiteTruth)
    assert truth.people == made.recorded.people
    assert truth.transits
    assert all(one.from_camera != one.to_camera for one in truth.transits)
    assert all(0 <= one.begin_s <= one.end_s <= SECONDS for one in truth.sightings)
    ends = {(one.person, one.camera, one.end_s) for one in truth.sightings}
    assert all((one.person, one.from_camera, one.left_s) in ends for one in truth.transits)


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    one, same, other = (record(tmp_path / name, seed=seed) for name, seed in (("a", -7), ("b", -7), ("c", 10**20)))
    assert one.tape.read_bytes() == same.tape.read_bytes()
    for name in ("truth.json", "tracklets.json"):
        assert (one.truth / name).read_bytes() == (same.truth / name).read_bytes()
    assert one.tape.read_bytes() != other.tape.read_bytes()


def test_a_site_without_people_makes_a_tape_without_people(tmp_path: Path) -> None:
    empty = record(tmp_path, people=0, cameras=1)
    truth = read_tape_truth(empty.truth)
    assert empty.people == 0
    assert {one.person for one in truth.tracklets} <= {0}


def test_a_tape_of_one_person_has_one_person(tmp_path: Path) -> None:
    recorded = record(tmp_path, people=1, cameras=2, seconds=180)
    truth = read_tape_truth(recorded.truth)
    assert {one.person for one in truth.tracklets} - {0} <= {1}


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), 1e9])
def test_no_tape_of_no_time_or_for_ever(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(ConfigError, match="expected 1 s to a week"):
        record(tmp_path, seconds=seconds)


def test_an_unknown_network_is_a_clear_mistake() -> None:
    with pytest.raises(ConfigError, match="like-retail-0288"):
        network_profile("resnet")
