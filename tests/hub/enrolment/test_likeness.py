"""Looks from outside are compared as the site compares its own."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from sqlalchemy import insert

from hub.association.appearance import fit_of_sets
from hub.association.calibration import Calibration, Line
from hub.database import schema
from hub.database.opening import open_for_writing
from hub.enrolment.grouping import people_in_film
from hub.enrolment.likeness import Likeness, by_name, load_likeness
from hub.enrolment.records import Enrolment, Look, Picture
from hub.site_hub import Hub
from passerby.errors import DataError, StoreError
from passerby.ids import ModelId
from tests.hub.enrolment.upload import likeness, manifest, uploaded
from tests.hub.people import DIMENSION, MODEL, SECOND, Sender, at, seen


def enrolment(number: int, name: str, *looks: Look, model_id: ModelId = MODEL) -> Enrolment:
    return Enrolment(
        enrolment_id=number, name=name, model_id=model_id, reason="", enrolled_at_ns=0, expires_at_ns=None, looks=looks
    )


def test_the_same_person_has_evidence_for_it_and_another_against_it(tmp_path: Path) -> None:
    compare = likeness(tmp_path)
    ann = [compare.known(uploaded(1), origin="1")]
    assert compare.evidence(ann, [compare.known(uploaded(1, seed=1), origin="seen")]) > 2
    assert compare.evidence(ann, [compare.known(uploaded(2), origin="seen")]) < -2


def test_a_single_picture_that_somebody_chose_is_no_brief_look() -> None:
    compare = Likeness(ModelId("person-reidentification-retail-0288@1"), None, Calibration(most_pictures=5))
    first, second = ([compare.known(uploaded(1, seed=n, pictures=1), origin=str(n))] for n in (1, 2))
    shares = compare.calibration.shares(compare.model_id)
    assert shares.brief > 0.0
    brief = compare.calibration.evidence(fit_of_sets(first, second, shares=shares), seen_here=False)
    assert compare.evidence(first, second) > 1.5 * brief > 0.0


def test_another_enrolment_of_a_person_says_more_than_more_of_the_same(tmp_path: Path) -> None:
    compare = likeness(tmp_path)
    probe = [compare.known(uploaded(1, seed=9, noise=0.5), origin="seen")]
    one = by_name([enrolment(1, "ann", uploaded(1, seed=1, noise=0.5))], compare)["ann"]
    same = uploaded(1, seed=1, noise=0.5)
    more = by_name([enrolment(1, "ann", same, same)], compare)["ann"]
    two = by_name([enrolment(n, "ann", uploaded(1, seed=n, noise=0.5)) for n in (1, 2)], compare)["ann"]
    evidence = [compare.evidence(known, probe) for known in (one, more, two)]
    assert evidence[0] < evidence[2]
    assert evidence[1] < evidence[2]


def test_enrolments_of_another_network_are_not_compared(tmp_path: Path) -> None:
    other = enrolment(2, "ben", uploaded(2), model_id=ModelId("other@1"))
    assert list(by_name([enrolment(1, "ann", uploaded(1)), other], likeness(tmp_path))) == ["ann"]


def test_what_the_site_has_learned_about_looks_counts(tmp_path: Path) -> None:
    known = Calibration()
    known.lines["other"] = Line(1.0, -3.0, (0.0, 0.0, 0.0), (100, 100))
    engine = open_for_writing(tmp_path)
    with engine.begin() as connection:
        row = {"part": f"calibration {MODEL}", "data": msgspec.msgpack.encode(known)}
        connection.execute(insert(schema.knowledge), [row])
    engine.dispose()
    learned, fresh = likeness(tmp_path), likeness(tmp_path / "none")
    pair = [learned.known(uploaded(1), origin="1")], [learned.known(uploaded(1, seed=1), origin="2")]
    assert learned.evidence(*pair) != fresh.evidence(*pair)
    assert likeness(tmp_path).calibration.lines["other"].offset == -3.0


def test_the_cameras_statistics_are_taken_from_pictures_of_outside_too(tmp_path: Path) -> None:
    sender = Sender()
    common = np.random.default_rng(0).normal(size=DIMENSION).astype(np.float32)
    with Hub.open(tmp_path) as hub:
        for person in range(12):
            raw = seen(person).embedding + common
            update = seen(
                person, tracklet=person + 1, begin_s=10 * person, end_s=10 * person + 2, embedding=raw, final=True
            )
            hub.ingest(sender.send(update), now_ns=at(10 * person + 2))
        hub.tick(at(500))
    shifted = [
        [Look((Picture(uploaded(p, seed=seed, noise=0.6).embedding + common, 0.9, b""),)) for p in range(8)]
        for seed in (1, 2)
    ]

    def separation(compare: Likeness) -> float:
        """Mean evidence of one person's pairs less that of two people's."""
        first, second = ([[compare.known(look, origin=str(n))] for look in looks] for n, looks in enumerate(shifted))
        evidence = np.array([[compare.evidence(a, b) for b in second] for a in first])
        same = np.eye(len(evidence), dtype=bool)
        return float(evidence[same].mean() - evidence[~same].mean())

    assert separation(likeness(tmp_path)) > separation(likeness(tmp_path / "none"))
    off = load_likeness(tmp_path, manifest(), normalized=False)
    assert len(off.known(shifted[0][0], origin="1").unit) == DIMENSION


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_what_is_no_direction_is_refused(tmp_path: Path, bad: float) -> None:
    nothing = Look((Picture(np.full(DIMENSION, bad, np.float32), 0.9, b""),))
    with pytest.raises(DataError):
        likeness(tmp_path).known(nothing, origin="1")


def test_statistics_of_another_dimension_are_an_error(tmp_path: Path) -> None:
    with Hub.open(tmp_path) as hub:
        hub.ingest(Sender().send(seen(1, final=True)), now_ns=at(2))
    with pytest.raises(StoreError, match="cannot be read"):
        load_likeness(tmp_path, manifest(dimension=DIMENSION + 1))


def groups(tmp_path: Path, *sightings: tuple[int, float, float]) -> list[int]:
    compare = likeness(tmp_path)
    known = [compare.known(uploaded(who, seed=n), origin="film") for n, (who, _, _) in enumerate(sightings)]
    spans = [(round(begin * SECOND), round(end * SECOND)) for _, begin, end in sightings]
    return people_in_film(known, spans, likeness=compare).tolist()


def test_who_is_lost_and_found_again_is_one_person(tmp_path: Path) -> None:
    assert groups(tmp_path, (1, 0, 3), (1, 4, 6), (1, 9, 12)) == [0, 0, 0]


def test_two_people_are_two_and_so_are_two_at_once_and_who_is_away_for_long(tmp_path: Path) -> None:
    assert groups(tmp_path, (1, 0, 3), (2, 4, 6)) == [0, 1]
    assert groups(tmp_path, (1, 0, 3), (1, 2, 6)) == [0, 1]
    assert groups(tmp_path, (1, 0, 3), (1, 9, 12)) == [0, 1]


def test_nobody_and_one_person_are_grouped_too(tmp_path: Path) -> None:
    assert groups(tmp_path) == []
    assert groups(tmp_path, (1, 0, 3)) == [0]
