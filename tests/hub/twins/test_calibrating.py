"""A model that is promoted knows what looks are worth: as much as the one before has learned, from the same people."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from hub.association.calibration import expected_line
from hub.corrections.acts import Rollback, Stage
from hub.playback import AFTERWARDS_NS, batches
from hub.reader import SiteReader
from hub.records import TrackletNumber
from hub.site_hub import Hub
from hub.twins.calibrating import find_witnesses
from passerby.adaptation.twins import Twins
from passerby.arrays import Float32Array
from passerby.ids import ModelId
from passerby.tape import read_tape
from simulation.site import SimulatedSite
from simulation.tapes.recording import record_tape
from tests.hub.corrections.operators import Operator
from tests.hub.fingerprint import fingerprint

OTHER = ModelId("another@1")


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tape") / "site.tape"
    record_tape(SimulatedSite.make("default", seed=4, cameras=4), file, seconds=240, progress=lambda _: None)
    return file


def turned(embeddings: Sequence[Float32Array]) -> Float32Array:
    """The same people in a space that lies otherwise: what looks are worth there is known."""
    rows = np.stack(embeddings).astype(np.float64)
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(rows.shape[1],) * 2))
    return (rows @ rotation).astype(np.float32)


def test_looks_are_worth_about_what_the_former_model_has_learned(tmp_path: Path, tape: Path) -> None:
    with Hub.open(tmp_path) as hub:
        for batch in batches(read_tape(tape)):
            hub.ingest(batch.deliveries, now_ns=batch.received_at_ns)
        now_ns = batch.received_at_ns + AFTERWARDS_NS
        hub.tick(now_ns)
        operator = Operator(tmp_path)
        operator.ask(hub, Stage(model=OTHER, stage="shadow"), now_ns=now_ns)
        with SiteReader(tmp_path) as reader:
            missing = reader.without_twin(OTHER, most=4000)
            former = reader.latest_model()
        assert former is not None
        hub.take_twins(
            [
                Twins(
                    model_id=OTHER,
                    numbers=np.array([t.number for t in missing], np.int64),
                    revisions=np.array([t.revision for t in missing], np.int64),
                    embeddings=turned([t.embedding for t in missing]),
                    mapped=np.zeros(len(missing), bool),
                )
            ]
        )
        knowledge = hub.state.knowledge
        assert knowledge.calibration(OTHER).version == 0
        operator.ask(hub, Stage(model=OTHER, stage="promoted"), now_ns=now_ns)
        learned, known = knowledge.calibration(OTHER), knowledge.calibration(former)
        assert learned.version == 1
        assert hub.state.spaces[OTHER].active_version > 0
        assert learned.measured.impostors.mean == pytest.approx(known.measured.impostors.mean, abs=0.15)
        assert learned.shares(OTHER).common == pytest.approx(known.shares(former).common, abs=0.15)
        for setting in ("own", "other"):
            assert len(learned.impostors[setting]) >= 20
            assert np.median(learned.impostors[setting]) < 0
        assert len(learned.genuine["other"]) >= 5
        assert np.median(learned.genuine["other"]) > np.median(learned.impostors["other"])
        assert learned.lines["other"].covariance[2] < 0.95 * expected_line("other").covariance[2]
        for fit in (-5.0, 0.0, 5.0):
            ours, theirs = (one.evidence(fit, seen_here=False) for one in (learned, known))
            assert ours == pytest.approx(theirs, abs=0.6)
        before = fingerprint(hub.state)
    with Hub.open(tmp_path) as again:
        assert fingerprint(again.state) == before
        operator.ask(again, Rollback(), now_ns=now_ns)
        assert again.state.rollout.deployed == former


def test_where_nobody_was_described_there_are_no_witnesses(tmp_path: Path) -> None:
    with Hub.open(tmp_path), SiteReader(tmp_path) as reader:
        assert find_witnesses(reader, OTHER) is None
        assert reader.twins_of(TrackletNumber(1)) == []
