"""What an event keeps of the reasons for a decision."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from hub.association import Assignment, CalibratedAssociator, Likeness, LinkProblem, MergeProblem, Outcome, Thresholds
from hub.association.odds import persons
from hub.association.reasoning import Reasoning
from hub.export import event_json
from hub.likelihood import Judge
from hub.merge_terms import MergeTerms
from hub.narration import placement, sentence
from hub.reader import SiteReader
from hub.records import EventKind, Evidence, Terms
from hub.site_hub import Hub
from passerby.arrays import Int64Array
from passerby.config import AssociationSettings
from passerby.ids import IdentityId, ModelId
from tests.hub.people import Sender, at, seen
from tests.hub.test_weighing import share_a_floor, watch

_BESIDE = 0.97


class Says:
    """An associator that says what it is told, of tracklets that it finds to be all on one spot."""

    reasoning = Reasoning()

    def __init__(self, *answers: Assignment) -> None:
        self._answers = answers

    def thresholds(self, model_id: ModelId) -> Thresholds:
        return CalibratedAssociator().thresholds(model_id)

    def link(self, problem: LinkProblem) -> Sequence[Assignment]:
        problem.same[:] = _BESIDE
        return self._answers[: len(problem.current)]

    def merge(self, problem: MergeProblem) -> Int64Array:
        return np.arange(len(problem.young), dtype=np.int64)


def answer(outcome: Outcome, *, identity: int = -1, group: int = -1, beside: int = -1) -> Assignment:
    likeness = Likeness(float("nan"), float("nan"))
    return Assignment(outcome, identity, group, identity, likeness, 0.4, 0.4, 0.6, beside)


def test_terms_of_a_merge_and_its_size_add_up_to_its_odds(tmp_path: Path) -> None:
    with Hub.open(tmp_path, association=AssociationSettings(normalize="none")) as hub:
        share_a_floor(hub)
        watch(hub, Sender(), (1, "a"), (2, "b"))
    with SiteReader(tmp_path) as reader:
        merged = next(event for event in reader.all_events() if event.kind is EventKind.MERGED)
    terms, probability = merged.evidence.terms, merged.evidence.probability
    assert terms is not None
    assert probability is not None
    assert (terms.place or 0.0) > 3.0
    total = sum(value or 0.0 for value in msgspec.structs.astuple(terms))
    of_a_fragment = np.log(persons(np.array([1]))).item()
    assert total + of_a_fragment == pytest.approx(np.log(probability / (1.0 - probability)), abs=0.01)
    assert merged.evidence.alike == (1, 2)


def test_odds_of_two_identities_are_their_terms(tmp_path: Path) -> None:
    with Hub.open(tmp_path, association=AssociationSettings(normalize="none")) as hub:
        watch(hub, Sender(), (1, "a"), (2, "b"))
        (space,) = hub.state.spaces.values()
        judge = Judge(hub.state, space, reasoning=Reasoning())
        pair, with_nobody = (IdentityId(1), IdentityId(2)), (IdentityId(1), IdentityId(99))
        (terms,) = judge.merge_terms([pair, with_nobody]).values()
        assert judge.merge_odds([pair, with_nobody]) == {pair: terms.log_odds, with_nobody: -np.inf}


def test_all_terms_of_a_merge_count() -> None:
    terms = MergeTerms(appearance=1.0, movement=2.0, worst_place=-4.0, best_place=8.0, apart=-16.0)
    assert (terms.place, terms.log_odds) == (4.0, -9.0)


def test_who_joins_the_one_beside_it_that_is_new_too_says_so(tmp_path: Path) -> None:
    new = answer(Outcome.NEW, group=0)
    with Hub.open(tmp_path, associator=Says(new, answer(Outcome.NEW, group=0, beside=0))) as hub:
        hub.ingest(
            Sender().send(seen(1, "hall", tracklet=1), seen(2, "yard", tracklet=2)),
            now_ns=at(2),
        )
    with SiteReader(tmp_path) as reader:
        created, linked = reader.all_events()
        assert (created.kind, linked.kind) == (EventKind.CREATED, EventKind.LINKED)
        assert created.evidence.beside is None
        why = linked.evidence
        assert (why.beside, why.probability, why.alike, why.terms) == (1, _BESIDE, (2, 1), None)
        assert (why.nearest, why.refused_because) == (None, None)
        assert "stands where tracklet 1 stands in hall" in sentence(linked, reader)
        assert "stands where tracklet 1 stands in hall" in placement(linked, reader)


def test_who_joins_the_one_beside_it_that_has_an_identity_says_so(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path, associator=Says(answer(Outcome.NEW, group=0))) as hub:
        hub.ingest(sender.send(seen(1, "hall", tracklet=1, end_s=4)), now_ns=at(4))
    kept = answer(Outcome.LINKED, identity=0)
    with Hub.open(tmp_path, associator=Says(kept, answer(Outcome.LINKED, identity=0, beside=0))) as hub:
        first = seen(1, "hall", tracklet=1, revision=2, end_s=6)
        hub.ingest(sender.send(first, seen(2, "yard", tracklet=2, begin_s=2, end_s=6)), now_ns=at(6))
    with SiteReader(tmp_path) as reader:
        linked = list(reader.all_events())[-1]
        assert (linked.kind, linked.tracklet, linked.identity_id) == (EventKind.LINKED, 2, 1)
        assert (linked.evidence.beside, linked.evidence.alike, linked.evidence.terms) == (1, (2, 1), None)
        assert json.loads(event_json(linked))["evidence"]["beside"] == 1


def test_who_is_new_after_all_is_beside_nobody(tmp_path: Path) -> None:
    alone = answer(Outcome.NEW, group=1, beside=0)  # nobody has begun its group
    with Hub.open(tmp_path, associator=Says(answer(Outcome.NEW, group=0), alone)) as hub:
        hub.ingest(Sender().send(seen(1, "hall", tracklet=1), seen(2, "yard", tracklet=2)), now_ns=at(2))
    with SiteReader(tmp_path) as reader:
        assert [(event.kind, event.evidence.beside) for event in reader.all_events()] == [
            (EventKind.CREATED, None),
            (EventKind.CREATED, None),
        ]


def test_evidence_of_former_versions_is_read() -> None:
    former = b'{"similarity":0.5,"model_id":"made-up@1","crop_pair":[[4,1],[3,1]],"terms":{"place":1.5}}'
    read = msgspec.json.decode(former, type=Evidence)
    assert read == Evidence(similarity=0.5, model_id=ModelId("made-up@1"), terms=Terms(place=1.5))
    assert (read.alike, read.beside) == (None, None)
