"""What normalization is worth at a site, as the operator sees it: with pairs that looks have not chosen."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from hub.association import PlainAssociator
from hub.camera_reports import _joined, normalization_worth
from hub.corrections.acts import Merge, Split, Undo
from hub.known_pairs import known_pairs
from hub.playback import Playback, batches
from hub.reader import SiteReader
from hub.records import EventKind, TrackletNumber
from hub.site_hub import Hub
from passerby.cli.app import app
from passerby.ids import IdentityId
from passerby.tape import read_tape
from simulation.site import SimulatedSite
from simulation.tapes.recording import record_tape, truth_folder
from simulation.tapes.truth import read_tape_truth
from tests.hub.corrections.operators import Operator
from tests.hub.people import MODEL, Sender, at, seen

pytestmark = pytest.mark.xdist_group("corridor")
"""What they share is made once."""


def run(data: Path, *arguments: str) -> str:
    command = ["normalization", "show", *arguments, "--data", str(data)]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def worth(data: Path) -> dict[str, Any]:
    (told,) = json.loads(run(data, "--json"))["worth"]
    assert isinstance(told, dict)
    return told


@pytest.fixture(scope="module")
def corridor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a hub that has seen twelve minutes of a simulated site; its tape with the truth lies beside."""
    folder = tmp_path_factory.mktemp("site")
    site = SimulatedSite.make("overlapping", seed=901, cameras=3)
    record_tape(site, folder / "site.tape", seconds=720.0, progress=lambda _: None)
    with Hub.open(folder / "data") as hub:
        playback = Playback(hub)
        for batch in batches(read_tape(folder / "site.tape")):
            playback.take(batch)
        playback.finish()
    return folder


def test_the_pairs_of_a_site_are_what_they_are_said_to_be(corridor: Path) -> None:
    truth = read_tape_truth(truth_folder(corridor / "site.tape"))
    people = {(one.boot, one.tracklet): one.person for one in truth.tracklets}
    with SiteReader(corridor / "data") as reader:
        (model_id,) = reader.model_ids()
        tracklets = reader.latest_tracklets(model_id, most=3000)
        knowledge, paths = reader.knowledge(), reader.paths(tracklets)
    pairs = known_pairs(tracklets, paths=paths, floor=knowledge.floor, topology=knowledge.topology)
    who = np.array([people[t.boot_id.hex(), t.tracklet_id] for t in tracklets])
    assert min(len(pairs.genuine), len(pairs.impostors)) >= 30
    assert (who[pairs.genuine[:, 0]] == who[pairs.genuine[:, 1]]).mean() > 0.95
    assert (who[pairs.impostors[:, 0]] != who[pairs.impostors[:, 1]]).mean() > 0.98


def test_the_command_says_what_it_is_worth_beside_a_hub_and_without(corridor: Path) -> None:
    told = worth(corridor / "data")
    assert told["normalizes"] is True
    assert told["genuine_pairs"] >= told["least_pairs"]
    assert told["gain"] == pytest.approx(told["with"] - told["without"], abs=2e-6)
    assert 0.5 < told["with"] <= 1.0
    assert 0.0 < told["standard_error"] < 0.1
    text = run(corridor / "data")
    assert f"{told['with']:.1%} of comparisons, without normalization in {told['without']:.1%}" in text
    assert f"by {told['genuine_pairs']} pairs of one person" in text
    with Hub.open(corridor / "data"):
        assert worth(corridor / "data") == told


def test_the_paths_that_are_read_are_those_that_the_hub_has_in_mind(corridor: Path) -> None:
    with Hub.open(corridor / "data") as hub, SiteReader(corridor / "data") as reader:
        kept = hub.state.paths
        found = reader.paths(reader.tracklets_numbered(list(kept)))
    assert kept.keys() == found.keys()
    for number, path in kept.items():
        np.testing.assert_array_equal(path.feet, found[number].feet)
        np.testing.assert_array_equal(path.at_ns, found[number].at_ns)


def test_where_pairs_are_too_few_it_says_what_is_missing(tmp_path: Path) -> None:
    Hub.open(tmp_path / "empty").close()
    assert normalization_worth(tmp_path / "empty") == {}
    sender = Sender()
    with Hub.open(tmp_path / "data") as hub:
        hub.ingest(sender.send(seen(1, final=True)), now_ns=at(2))
    told = worth(tmp_path / "data")
    assert (told["normalizes"], told["gain"], told["genuine_pairs"], told["impostor_pairs"]) == (False, None, 0, 0)
    assert "worth: nothing is normalized so far" in run(tmp_path / "data")
    with Hub.open(tmp_path / "data") as hub:
        for number in range(2, 12):
            update = seen(number, tracklet=number, begin_s=10 * number, end_s=10 * number + 2, final=True)
            hub.ingest(sender.send(update), now_ns=at(10 * number + 2))
        hub.tick(at(400))
    assert worth(tmp_path / "data")["normalizes"] is True
    text = run(tmp_path / "data")
    assert "worth: not measured yet: 0 genuine pairs of two cameras and 0 impostor pairs" in text
    assert "at least 30 of each are needed" in text


def test_operators_pairs_are_of_the_two_sides_of_their_merges_as_long_as_these_hold(tmp_path: Path) -> None:
    """Person 1 has tracklets 1 and 2, which the hub has linked by their looks, and person 2 has 3."""
    sender, operator = Sender(), Operator(tmp_path)

    def joined() -> set[tuple[int, int]]:
        with SiteReader(tmp_path) as reader:
            return set(_joined(reader))

    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1, final=True)), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "b", tracklet=2, begin_s=4, end_s=6, final=True)), now_ns=at(6))
        hub.ingest(sender.send(seen(2, "c", tracklet=3, begin_s=8, end_s=10, final=True)), now_ns=at(10))
        assert [t.identity_id for t in hub.state.tracklets.values()] == [1, 1, 2]
        assert joined() == set()
        merge = Merge(survivor=IdentityId(1), absorbed=IdentityId(2))
        done = operator.ask(hub, merge, now_ns=at(11))
        assert joined() == {(1, 3), (2, 3)}
        # Who is seen later and looks like them was linked by looks.
        hub.ingest(sender.send(seen(2, "a", tracklet=4, begin_s=20, end_s=22, final=True)), now_ns=at(22))
        assert hub.state.tracklets[TrackletNumber(4)].identity_id == 1
        assert joined() == {(1, 3), (2, 3)}
        split = Split(identity=IdentityId(1), tracklets=(TrackletNumber(2),))
        apart = operator.ask(hub, split, now_ns=at(23))
        assert joined() == {(1, 3)}
        assert apart.first_event is not None
        operator.ask(hub, Undo(event=apart.first_event), now_ns=at(24))
        assert joined() == {(1, 3), (2, 3)}
        with SiteReader(tmp_path) as reader:
            (merged,) = reader.operators_merges(most=10)
            assert (merged.kind, merged.event_id) == (EventKind.MERGED, done.last_event)
            assert reader.operators_merges(most=0) == []
            assert [t.number for t in reader.latest_tracklets(MODEL, most=2)] == [4, 3]
        operator.ask(hub, Undo(event=merged.event_id), now_ns=at(25))
        assert joined() == set()
