"""Twins are made from the crops that a running hub keeps, by a real network, and the hub takes them."""

import multiprocessing
import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from hub.association import PlainAssociator
from hub.reader import SiteReader
from hub.records import TrackletNumber
from hub.site_hub import Hub
from hub.twins.inbox import TwinInbox
from hub.twins.making import Made, TwinMaker, reembed
from hub.twins.mapping import LEAST_PAIRS
from passerby.adaptation.twins import FOLDER_NAME
from passerby.arrays import Float32Array, Image, l2_normalize
from passerby.ids import BootId, CameraId, ModelId
from passerby.inference.engine import EmbeddingEngine
from passerby.inference.load import load_embedder
from passerby.models import find_model
from tests.hub.people import Sender, at, look, seen

HALL = CameraId("hall")
FORMER = ModelId("former@1")


@pytest.fixture(scope="module")
def embedder() -> Iterator[EmbeddingEngine]:
    engine = load_embedder(find_model("passerby-sim-reid"), threads=1)
    yield engine
    engine.close()


def opened(data: Path) -> Hub:
    """A hub: closed before twins are made, as nobody can open the crops twice in one process."""
    return Hub.open(data, associator=PlainAssociator())


def picture(person: int, *, seed: int = 0) -> Image:
    """Clothes in some colours."""
    chance = np.random.default_rng(person)
    colours = chance.integers(0, 255, size=(4, 2, 3))
    image = cv2.resize(colours.astype(np.uint8), (64, 128), interpolation=cv2.INTER_NEAREST)
    noise = np.random.default_rng((person, seed)).integers(0, 20, image.shape)
    return np.clip(image.astype(np.int64) + noise, 0, 255).astype(np.uint8)


def jpeg(image: Image) -> bytes:
    return bytes(cv2.imencode(".jpg", image)[1])


def run(data: Path, embedder: EmbeddingEngine, *, most: int | None = None) -> Made:
    return reembed(data, embedder, stop=threading.Event(), progress=lambda _: None, most=most, follow=False)


def take(data: Path) -> int:
    """Let a hub take what was made; gives how many twins."""
    with opened(data) as hub:
        inbox = TwinInbox(hub, data)
        return sum(iter(inbox.serve, 0))


def feed(data: Path, person: int) -> None:
    """Let a hub hear of a person, in this process."""
    with opened(data) as hub:
        update = seen(
            person,
            tracklet=person,
            begin_s=5.0 * person,
            end_s=5.0 * person + 2,
            final=True,
            crops={1: jpeg(picture(person))},
        )
        hub.ingest(Sender(boot_id=BootId(bytes([person] * 16))).send(update), now_ns=at(5.0 * person + 2))


def test_a_twin_is_the_mean_of_what_the_network_says_of_the_crops(tmp_path: Path, embedder: EmbeddingEngine) -> None:
    crops = {1: jpeg(picture(1)), 2: jpeg(picture(1, seed=1))}
    with opened(tmp_path) as hub:
        shown = seen(1, tracklet=1, final=True, crops=crops)
        damaged = seen(2, tracklet=2, begin_s=3, end_s=5, final=True, crops={1: b"damaged"})
        still_open = seen(3, tracklet=3, begin_s=6, end_s=8, crops={1: jpeg(picture(3))})
        hub.ingest(Sender().send(shown, damaged, still_open), now_ns=at(8))
    made = run(tmp_path, embedder)
    assert (made.from_crops, made.mapped, made.waiting) == (1, 0, 1)
    assert take(tmp_path) == 1
    with SiteReader(tmp_path) as reader:
        (twin,) = reader.twins_of(TrackletNumber(1))
        assert reader.twins_of(TrackletNumber(2)) == reader.twins_of(TrackletNumber(3)) == []
    decoded = [cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in crops.values()]
    expected = embedder.embed([np.asarray(one, np.uint8) for one in decoded], [HALL] * 2).mean(axis=0)
    assert np.allclose(twin.embedding, expected, rtol=1e-5)
    assert (twin.model_id, twin.mapped) == (embedder.manifest.model_id, False)
    assert run(tmp_path, embedder).twins == 0


def test_who_stands_for_somebody_comes_first_and_then_the_latest(tmp_path: Path, embedder: EmbeddingEngine) -> None:
    with opened(tmp_path) as hub:
        sender = Sender()
        for number in range(1, 7):
            update = seen(
                1,
                tracklet=number,
                begin_s=10.0 * number,
                end_s=10.0 * number + 2,
                final=True,
                crops={1: jpeg(picture(1))},
            )
            hub.ingest(sender.send(update), now_ns=at(10.0 * number + 2))
        hub.ingest(sender.send(seen(2, "yard", tracklet=7, begin_s=1, end_s=2, final=True)), now_ns=at(70))
        assert [number for number, t in hub.state.tracklets.items() if t.prototype] == [4, 5, 6, 7]
    with SiteReader(tmp_path) as reader:
        model_id = embedder.manifest.model_id
        assert [t.number for t in reader.without_twin(model_id, most=10)] == [6, 5, 4, 7, 3, 2, 1]
        assert [t.number for t in reader.without_twin(model_id, most=3)] == [6, 5, 4]
        assert [t.number for t in reader.without_twin(model_id, most=9, since_ns=at(31))] == [6, 5, 4, 7, 3]
    with TwinMaker(tmp_path, embedder) as maker:
        assert maker.step(most=2)
        assert maker.step(most=3)  # those on their way to the hub are not made again; one of these has no picture
        assert maker.made.from_crops == 4
        assert [maker.step(), maker.step()] == [True, False]
        assert maker.made.from_crops == 6
    assert take(tmp_path) == 6


def test_who_has_no_pictures_is_mapped_once_enough_have(tmp_path: Path, embedder: EmbeddingEngine) -> None:
    """The former network's space is the present one's, turned and moved."""
    chance = np.random.default_rng(0)
    count = LEAST_PAIRS + 10
    pictures = [picture(person) for person in range(count)]
    there = embedder.embed(pictures, [HALL] * count)
    rotation = np.linalg.qr(chance.normal(size=(there.shape[1],) * 2))[0]
    former: Float32Array = (l2_normalize(there) @ rotation).astype(np.float32)
    updates = [
        seen(
            n,
            tracklet=n + 1,
            begin_s=3.0 * n,
            end_s=3.0 * n + 2,
            final=True,
            embedding=former[n],
            model_id=FORMER,
            crops={1: jpeg(pictures[n])} if n < LEAST_PAIRS else None,
        )
        for n in range(count)
    ]
    with opened(tmp_path) as hub:
        hub.ingest(Sender().send(*updates), now_ns=at(3.0 * count))
    made = run(tmp_path, embedder, most=40)
    assert (made.from_crops, made.mapped) == (40, 0)
    assert take(tmp_path) == 40
    made = run(tmp_path, embedder)
    assert (made.from_crops, made.mapped, made.waiting) == (LEAST_PAIRS - 40, 0, 10)
    assert take(tmp_path) == LEAST_PAIRS - 40
    made = run(tmp_path, embedder)
    assert (made.from_crops, made.mapped, made.waiting) == (0, 10, 0)
    assert take(tmp_path) == 10
    with SiteReader(tmp_path) as reader:
        assert reader.coverage(embedder.manifest.model_id).share == 1.0
        twins = [reader.twins_of(TrackletNumber(n + 1))[0] for n in range(LEAST_PAIRS, count)]
    assert all(twin.mapped for twin in twins)
    away = there - there.mean(axis=0)
    for n, twin in zip(range(LEAST_PAIRS, count), twins, strict=True):
        alike = l2_normalize(away) @ (twin.embedding - there.mean(axis=0))
        assert n in np.argsort(-alike)[:3]


def test_it_follows_until_it_is_stopped(tmp_path: Path, embedder: EmbeddingEngine) -> None:
    stop, told = threading.Event(), queue.Queue[Made]()
    processes = multiprocessing.get_context("spawn")
    first = processes.Process(target=feed, args=(tmp_path, 1))
    first.start()
    first.join(60)
    thread = threading.Thread(
        target=reembed, args=(tmp_path, embedder), kwargs={"stop": stop, "progress": told.put}, daemon=True
    )
    thread.start()
    try:
        assert told.get(timeout=30).twins == 1
        second = processes.Process(target=feed, args=(tmp_path, 2))
        second.start()
        second.join(60)
        assert told.get(timeout=30).twins == 2
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
    assert len(list((tmp_path / FOLDER_NAME).iterdir())) == 2


def test_new_people_are_known_to_the_former_model_too(tmp_path: Path, embedder: EmbeddingEngine) -> None:
    """The same function with the former model's embedder: here its tracklets are the older ones."""
    sender, model_id = Sender(), embedder.manifest.model_id
    native, later = embedder.embed([picture(1), picture(1, seed=2)], [HALL] * 2)
    former = seen(1, tracklet=1, final=True, embedding=native, model_id=model_id)
    new = seen(
        1,
        tracklet=2,
        begin_s=5,
        end_s=7,
        final=True,
        embedding=look(1, dimension=20),
        model_id=ModelId("new@1"),
        crops={1: jpeg(picture(1, seed=1))},
    )
    with opened(tmp_path) as hub:
        hub.ingest(sender.send(former), now_ns=at(2))
        hub.ingest(sender.send(new), now_ns=at(7))
    assert run(tmp_path, embedder).from_crops == 1
    assert take(tmp_path) == 1
    with opened(tmp_path) as hub:
        again = seen(1, tracklet=3, begin_s=9, end_s=11, final=True, embedding=later, model_id=model_id)
        hub.ingest(sender.send(again), now_ns=at(11))
        assert len({t.identity_id for t in hub.state.tracklets.values()}) == 1
