"""Recorded cameras through the whole system: the same twice, the same from tape, and who is who."""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import pytest
import yaml

from hub.export import tracks
from passerby.cli.replaying.footage import START_NS
from tests.system.truth import fourcam_truth, sightings, tworooms_truth

pytestmark = pytest.mark.system

_FRAME_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """A finished replay: its folder and what it printed."""

    out: Path
    stdout: str
    stderr: str

    def files(self) -> dict[str, bytes]:
        """Every result by its name, without the hub's own data."""
        return {path.name: path.read_bytes() for path in sorted(self.out.iterdir()) if path.is_file()}

    def summary(self) -> dict[str, object]:
        """The JSON object on the last line."""
        found: dict[str, object] = json.loads(self.stdout.strip().splitlines()[-1])
        return found


Replay = Callable[..., Replayed]


@pytest.fixture(scope="module")
def replay(shared_data: Callable[[str], Path]) -> Replay:
    """Runs `passerby replay` with the real weights; raises when it fails, unless `fails`."""
    environment = {**os.environ, "PASSERBY_MODEL_DIR": str(shared_data("models"))}

    def run(out: Path, *arguments: object, fails: bool = False) -> Replayed:
        command = [sys.executable, "-m", "passerby", "replay", "--out", out, "--json", *arguments]
        done = subprocess.run(
            [str(word) for word in command],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stderr
        return Replayed(out, done.stdout, done.stderr)

    return run


def write_site(folder: Path, films: dict[str, Path | str], **settings: object) -> Path:
    """A site file whose cameras are these recordings."""
    file = folder / "site.yaml"
    document = {
        "site": "replayed",
        "data": "living-data",
        "models": {"detector": "person-detection-retail-0013", "reid": "person-reidentification-retail-0277"},
        "defaults": {"fps": 5},
        "cameras": {name: {"url": str(film)} for name, film in films.items()},
        **settings,
    }
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


def cut(film: Path, target: Path, *, frames: int) -> Path:
    """The first frames of a film, not encoded anew."""
    with av.open(str(film)) as source, av.open(str(target), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if number >= frames or packet.dts is None:
                break
            packet.stream = stream
            container.mux(packet)
    return target


@pytest.fixture(scope="module")
def short_site(tmp_path_factory: pytest.TempPathFactory, shared_data: Callable[[str], Path]) -> Path:
    """Two of the laboratory's cameras, their first five seconds."""
    folder = tmp_path_factory.mktemp("short")
    films = {
        name: cut(shared_data(f"footage/fourcam/{name}.mp4"), folder / f"{name}.mp4", frames=50)
        for name in ("cam0", "cam2")
    }
    return write_site(folder, films)


def test_a_replay_gives_the_same_files_twice_and_from_its_tape(
    replay: Replay, short_site: Path, tmp_path: Path
) -> None:
    first = replay(tmp_path / "first", "--config", short_site, "--tape", tmp_path / "tape", "--video")
    again = replay(tmp_path / "again", "--config", short_site, "--tape", tmp_path / "tape2")
    from_tape = replay(tmp_path / "taped", tmp_path / "tape", "--config", short_site)

    results = {name: text for name, text in first.files().items() if not name.endswith(".mp4")}
    assert sorted(results) == ["cam0.txt", "cam2.txt", "events.jsonl"]
    assert all(results.values())
    assert again.files() == results
    assert from_tape.files() == results
    assert (tmp_path / "tape").read_bytes() == (tmp_path / "tape2").read_bytes()

    with av.open(str(first.out / "cam0.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 50


def test_a_mot_line_has_ten_columns_and_frames_from_one(replay: Replay, short_site: Path, tmp_path: Path) -> None:
    result = replay(tmp_path / "out", "--config", short_site, "--as-decided")
    rows = [line.split(",") for line in (result.out / "cam2.txt").read_text().splitlines()]
    assert {len(row) for row in rows} == {10}
    assert {tuple(row[7:]) for row in rows} == {("-1", "-1", "-1")}
    frames = [int(row[0]) for row in rows]
    assert frames == sorted(frames)
    assert frames[0] >= 1
    assert frames[-1] <= 50
    assert all(int(row[1]) >= 1 for row in rows)


def test_an_earlier_replay_is_replaced_and_the_sites_own_data_are_not(
    replay: Replay, short_site: Path, tmp_path: Path
) -> None:
    first = replay(tmp_path / "out", "--config", short_site)
    assert replay(tmp_path / "out", "--config", short_site).files() == first.files()
    refused = replay(short_site.parent / "living-data", "--config", short_site, fails=True)
    assert "choose another folder" in refused.stderr
    assert not (short_site.parent / "living-data").exists()


def test_a_live_stream_cannot_be_replayed_and_its_password_is_not_told(replay: Replay, tmp_path: Path) -> None:
    site = write_site(tmp_path, {"door": "rtsp://admin:hunter2@127.0.0.1:9/x"})
    refused = replay(tmp_path / "out", "--config", site, fails=True)
    assert "live stream" in refused.stderr
    assert "hunter2" not in refused.stderr + refused.stdout


def test_the_two_walking_men_are_one_person_each_over_four_cameras(
    replay: Replay, shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    films = {name: shared_data(f"footage/fourcam/{name}.mp4") for name in ("cam0", "cam1", "cam2", "cam3")}
    result = replay(tmp_path / "out", "--config", write_site(tmp_path, films))
    found = sightings(
        fourcam_truth(), tracks(result.out / "hub-data"), lambda _, at_ns: 1 + round((at_ns - START_NS) / _FRAME_NS)
    )
    seen = {man: Counter(one.identity for one in found if one.standing.man == man) for man in "AB"}
    person = {man: identities.most_common(1)[0][0] for man, identities in seen.items()}
    assert person["A"] != person["B"]
    assert 0 not in person.values()
    for man in "AB":
        assert seen[man][person[man]] >= 0.95 * seen[man].total(), seen
        cameras = {one.standing.camera for one in found if one.identity == person[man]}
        assert cameras == set(films)
    assert len({one.standing for one in found}) >= 0.9 * len(fourcam_truth())


def test_nobody_is_two_people_in_a_room_and_no_two_people_are_one_over_two_rooms(
    replay: Replay, shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    films = {"room-a": shared_data("footage/tworooms/room-a.mp4"), "room-b": shared_data("footage/tworooms/room-b.264")}
    result = replay(tmp_path / "out", "--config", write_site(tmp_path, films))
    truth = tworooms_truth()
    found = sightings(
        truth.standings,
        tracks(result.out / "hub-data"),
        lambda room, at_ns: truth.frame_number(room, at_ns, start_ns=START_NS),
    )
    assert len({one.standing for one in found}) >= 0.9 * len(truth.standings)
    identities: dict[tuple[str, str], set[int]] = defaultdict(set)
    people: dict[int, set[str]] = defaultdict(set)
    for one in found:
        identities[one.standing.man, one.standing.camera].add(one.identity)
        people[one.identity].add(one.standing.man)
    assert 0 not in people
    assert {person: kept for person, kept in identities.items() if len(kept) > 1} == {}
    # Only tom and max are in both rooms, and may be one identity there or two: the truth itself is not sure.
    assert {identity: mixed for identity, mixed in people.items() if len(mixed) > 1} == {}
