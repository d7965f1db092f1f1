"""Who was enrolled, or seen, with a former model is known to the one in use."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from msgspec import structs
from sqlalchemy import select

from hub.association import PlainAssociator
from hub.database import schema
from hub.database.opening import open_for_reading
from hub.enrolment.likeness import by_name, load_likeness
from hub.enrolment.records import Look, Picture
from hub.enrolment.reembedding import reembed_enrolments
from hub.enrolment.search import Where, search
from hub.enrolment.store import EnrolmentStore, read_enrolments
from hub.reader import SiteReader
from hub.site_hub import Hub
from passerby.arrays import Image
from passerby.errors import DataError
from passerby.ids import CameraId
from passerby.inference.engine import EmbeddingEngine
from passerby.inference.load import load_embedder
from passerby.models import ModelManifest, find_model
from tests.hub.enrolment.upload import manifest, uploaded
from tests.hub.people import MODEL, Sender, at, look, seen
from tests.hub.twins.made_up import OTHER, OTHER_DIMENSION, twins_of_all


@pytest.fixture(scope="module")
def embedder() -> Iterator[EmbeddingEngine]:
    engine = load_embedder(find_model("passerby-sim-reid"), threads=1)
    yield engine
    engine.close()


def picture(seed: int) -> Image:
    return np.random.default_rng(seed).integers(0, 255, (64, 32, 3)).astype(np.uint8)


def enrolled(seed: int, *, count: int = 2) -> Look:
    """Pictures as a former model has described them."""
    jpegs = [bytes(cv2.imencode(".png", picture(10 * seed + n))[1]) for n in range(count)]
    return Look(tuple(Picture(look(seed, noise=0.1, seed=n), 0.8, jpeg) for n, jpeg in enumerate(jpegs)))


def enrol(data: Path, name: str, *looks: Look) -> None:
    with EnrolmentStore(data, now_ns=at(0)) as store:
        store.add(name, looks, model_id=MODEL, reason="", expires_at_ns=None)


def rows(data: Path) -> int:
    engine = open_for_reading(data)
    with engine.connect() as connection:
        found = len(connection.execute(select(schema.enrolled_twins)).all())
    engine.dispose()
    return found


def test_an_enrolment_answers_in_every_model_that_has_described_it(tmp_path: Path, embedder: EmbeddingEngine) -> None:
    assert reembed_enrolments(tmp_path, embedder) == 0  # where there are no data none are made
    assert list(tmp_path.iterdir()) == []
    enrol(tmp_path, "ann", enrolled(1), enrolled(2, count=1))
    enrol(tmp_path, "ben", enrolled(3))
    present = load_likeness(tmp_path, embedder.manifest)
    assert by_name(read_enrolments(tmp_path, now_ns=at(0)), present) == {}
    assert reembed_enrolments(tmp_path, embedder) == 2
    assert reembed_enrolments(tmp_path, embedder) == 0
    ann, ben = read_enrolments(tmp_path, now_ns=at(0))
    expected = embedder.embed([picture(10), picture(11), picture(20)], [CameraId("upload")] * 3)
    first, second = ann.looks_by(embedder.manifest.model_id)
    np.testing.assert_allclose([one.embedding for one in first.pictures], expected[:2], rtol=1e-5)
    np.testing.assert_allclose(second.embedding, expected[2], rtol=1e-5)
    assert [one.jpeg for one in first.pictures] == [one.jpeg for one in ann.looks[0].pictures]
    assert ben.looks_by(MODEL) == ben.looks
    assert ben.looks_by(OTHER) == ()
    for likeness in (present, load_likeness(tmp_path, manifest())):
        assert {name: len(known) for name, known in by_name([ann, ben], likeness).items()} == {"ann": 2, "ben": 1}


def test_who_is_removed_is_removed_in_every_model(tmp_path: Path, embedder: EmbeddingEngine) -> None:
    enrol(tmp_path, "ann", enrolled(1))
    enrol(tmp_path, "ben", enrolled(2))
    reembed_enrolments(tmp_path, embedder)
    (ann, _) = read_enrolments(tmp_path, now_ns=at(0))
    vector = ann.looks_by(embedder.manifest.model_id)[0].pictures[0].embedding.tobytes()
    assert rows(tmp_path) == 4
    with EnrolmentStore(tmp_path, now_ns=at(1)) as store:
        store.remove("ann")
        assert not store.describe(ann, np.ones((2, 4), np.float32), model_id=OTHER)  # it has gone meanwhile
    assert rows(tmp_path) == 2
    assert not any(vector in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())


def test_a_damaged_picture_leaves_its_enrolment_out(
    tmp_path: Path, embedder: EmbeddingEngine, caplog: pytest.LogCaptureFixture
) -> None:
    enrol(tmp_path, "ann", uploaded(1, jpeg=b"damaged"))
    enrol(tmp_path, "ben", enrolled(2))
    assert reembed_enrolments(tmp_path, embedder) == 1
    assert [r.message for r in caplog.records] == ["enrolment 1 has a damaged picture; enroll that person anew"]


@pytest.mark.parametrize("bad", [np.zeros((2, 4)), np.full((2, 4), np.nan), np.ones((3, 4))])
def test_what_describes_nothing_is_refused(tmp_path: Path, bad: object) -> None:
    enrol(tmp_path, "ann", enrolled(1))
    (ann,) = read_enrolments(tmp_path, now_ns=at(0))
    with EnrolmentStore(tmp_path, now_ns=at(1)) as store, pytest.raises(DataError):
        store.describe(ann, np.asarray(bad, np.float32), model_id=OTHER)
    assert rows(tmp_path) == 0


def another() -> ModelManifest:
    """The network of the made-up twins."""
    return structs.replace(manifest("another", dimension=OTHER_DIMENSION), version="2")


def test_a_picture_finds_people_who_were_seen_before_the_exchange_and_after_it(tmp_path: Path) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        sender = Sender()
        for person in range(4):
            update = seen(
                person, tracklet=10 * person + person, begin_s=9.0 * person, end_s=9.0 * person + 2, final=True
            )
            hub.ingest(sender.send(update), now_ns=at(9.0 * person + 2))
        with SiteReader(tmp_path) as reader:
            hub.take_twins([twins_of_all(reader)])
        after = seen(
            7,
            tracklet=77,
            begin_s=60,
            end_s=62,
            final=True,
            model_id=OTHER,
            embedding=look(7, noise=0.2, dimension=OTHER_DIMENSION),
        )
        hub.ingest(sender.send(after), now_ns=at(62))
    likeness = load_likeness(tmp_path, another())
    for person, began_s in ((2, 18), (7, 60)):
        shown = Look((Picture(look(person, noise=0.2, seed=5, dimension=OTHER_DIMENSION), 0.9, b""),))
        answer = search(tmp_path, [likeness.known(shown, origin="seen")], likeness=likeness, where=Where())
        assert answer.searched == 5
        assert answer.found[0].sightings[0].started_at_ns == at(began_s)
    former = load_likeness(tmp_path, manifest())
    answer = search(tmp_path, [former.known(uploaded(2), origin="seen")], likeness=former, where=Where())
    assert answer.searched == 4  # who came after the exchange has no twin in the former model
