"""What is offered to which edge, and what its requests are answered with."""

import logging
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model_offers import CHUNK_BYTES, REPEAT_S, ModelOffers, WantedModels, next_offer
from passerby.codec import encode
from passerby.errors import ModelError
from passerby.ids import BootId, CameraId, EdgeId, ModelId
from passerby.messages import Envelope, HubMessage, ModelChunk, ModelOffer, ModelRequest
from passerby.models import EmbeddingOutput, ModelDescription, ModelManifest, Preprocessing
from passerby.models.checksum import version_of
from passerby.transport import ConnectedEdge, Delivery

GATE = EdgeId("gate")
HALL, DOOR, YARD = CameraId("hall"), CameraId("door"), CameraId("yard")


def manifest_of(name: str, *, file: Path | None = None) -> ModelManifest:
    return ModelManifest(
        name=name,
        version=version_of([file]) if file else "1",
        files=[str(file)] if file else [],
        task="embed",
        input=Preprocessing(height=1, width=1, colour="BGR"),
        embedding=EmbeddingOutput(dimension=3),
    )


OLD, NEW, OTHER = manifest_of("old"), manifest_of("new"), manifest_of("other")


def edge(
    model: ModelManifest,
    *cameras: CameraId,
    apart: dict[CameraId, ModelManifest] | None = None,
    boot: int = 1,
    edge_id: EdgeId = GATE,
) -> ConnectedEdge:
    return ConnectedEdge(
        edge_id=edge_id,
        boot_id=BootId(bytes([boot]) * 16),
        address="127.0.0.1",
        software="test",
        cameras=cameras,
        model_id=model.model_id,
        camera_models={camera: manifest.model_id for camera, manifest in (apart or {}).items()},
        connected_at_ns=1,
        last_heard_ns=1,
        clock_offset_ns=None,
        window=16,
        unsettled=0,
    )


@dataclass
class Port:
    """The port's two methods in memory."""

    connected: list[ConnectedEdge] = field(default_factory=list)
    sent: list[tuple[EdgeId, HubMessage]] = field(default_factory=list)

    def edges(self) -> list[ConnectedEdge]:
        return self.connected

    def send(self, edge_id: EdgeId, message: HubMessage) -> bool:
        encode(Envelope(BootId(bytes(16)), 0, message))
        self.sent.append((edge_id, message))
        return True

    @property
    def offers(self) -> list[ModelOffer]:
        return [message for _, message in self.sent if isinstance(message, ModelOffer)]

    @property
    def chunks(self) -> list[ModelChunk]:
        return [message for _, message in self.sent if isinstance(message, ModelChunk)]


# What comes next


def test_an_edge_that_has_what_is_wanted_is_offered_nothing() -> None:
    assert next_offer(edge(OLD, HALL, DOOR), WantedModels(OLD)) is None
    assert next_offer(edge(OLD, HALL, apart={HALL: NEW}), WantedModels(OLD, {HALL: NEW})) is None
    assert next_offer(edge(OLD), WantedModels(OLD, {HALL: NEW})) is None


def test_another_model_of_the_site_is_for_the_whole_edge() -> None:
    assert next_offer(edge(OLD, HALL, DOOR), WantedModels(NEW)) == (NEW, ())
    assert next_offer(edge(OLD, HALL, apart={HALL: NEW}), WantedModels(NEW)) == (NEW, ())


def test_a_canary_is_for_its_cameras_alone() -> None:
    assert next_offer(edge(OLD, HALL, DOOR), WantedModels(OLD, {DOOR: NEW})) == (NEW, (DOOR,))
    assert next_offer(edge(OLD, HALL, DOOR), WantedModels(OLD, {YARD: NEW})) is None


def test_a_canary_that_is_over_goes_back() -> None:
    assert next_offer(edge(OLD, HALL, DOOR, apart={DOOR: NEW}), WantedModels(OLD)) == (OLD, ())
    one_left = WantedModels(OLD, {HALL: NEW})
    assert next_offer(edge(OLD, HALL, DOOR, apart={DOOR: NEW, HALL: NEW}), one_left) == (OLD, (DOOR,))


_manifests = st.sampled_from([OLD, NEW, OTHER])
_apart = st.dictionaries(st.sampled_from([HALL, DOOR, YARD]), _manifests)


@given(_manifests, _apart, _manifests, _apart, st.sets(st.sampled_from([HALL, DOOR, YARD])))
def test_an_edge_that_takes_every_offer_has_soon_what_is_wanted(
    model: ModelManifest,
    apart: dict[CameraId, ModelManifest],
    wanted_model: ModelManifest,
    wanted_apart: dict[CameraId, ModelManifest],
    cameras: set[CameraId],
) -> None:
    wanted = WantedModels(wanted_model, wanted_apart)
    names = sorted(cameras)
    theirs = {camera: its for camera, its in apart.items() if camera in cameras and its is not model}
    for _ in range(5):
        offer = next_offer(edge(model, *names, apart=theirs), wanted)
        if offer is None:
            break
        manifest, whose = offer
        if whose:
            theirs = {
                camera: its for camera, its in {**theirs, **dict.fromkeys(whose, manifest)}.items() if its is not model
            }
        else:
            model, theirs = manifest, {}
    assert model is wanted_model
    assert [theirs.get(camera, model) for camera in names] == [wanted.of(camera) for camera in names]


# Offering


@pytest.fixture
def files(tmp_path: Path) -> tuple[ModelManifest, ModelManifest]:
    """Two models with bytes: one shorter than a piece, one of two and a half."""
    small, large = tmp_path / "small.onnx", tmp_path / "large.onnx"
    small.write_bytes(b"small")
    large.write_bytes(bytes(range(250)) * (CHUNK_BYTES // 100))
    return manifest_of("small", file=small), manifest_of("large", file=large)


def test_the_same_is_offered_every_few_seconds_until_it_is_taken(
    files: tuple[ModelManifest, ModelManifest], caplog: pytest.LogCaptureFixture
) -> None:
    small, large = files
    port, offers = Port([edge(small, HALL)]), ModelOffers()
    offers.look(port, now=0.0)
    assert port.sent == []
    offers.want(WantedModels(large))
    with caplog.at_level(logging.INFO, logger="passerby.hub"):
        for now in (0.0, 0.25, REPEAT_S - 0.25, REPEAT_S, REPEAT_S + 1):
            offers.look(port, now=now)
            assert offers.behind == {GATE}
        assert len(port.offers) == 2
        port.connected = [edge(large, HALL)]
        offers.look(port, now=REPEAT_S + 2)
        offers.look(port, now=100.0)
    assert offers.behind == frozenset()
    assert len(port.offers) == 2
    offer = port.offers[0]
    assert offer.model_id == large.model_id
    assert msgspec.convert(offer.manifest, ModelDescription) == large.description
    content = Path(large.files[0]).read_bytes()
    assert [(file.name, file.size, file.sha256) for file in offer.files] == [
        ("large.onnx", len(content), sha256(content).hexdigest())
    ]
    assert [record.getMessage() for record in caplog.records] == [
        f"edge gate uses {small.model_id}; it is offered {large.model_id}",
        f"edge gate now uses {large.model_id}",
    ]


def test_the_next_step_need_not_wait(files: tuple[ModelManifest, ModelManifest]) -> None:
    small, large = files
    port, offers = Port([edge(OLD, HALL, DOOR)]), ModelOffers()
    offers.want(WantedModels(small, {DOOR: large}))
    offers.look(port, now=0.0)
    port.connected = [edge(small, HALL, DOOR)]
    offers.look(port, now=0.25)
    assert [(offer.model_id, offer.cameras) for offer in port.offers] == [
        (small.model_id, []),
        (large.model_id, [DOOR]),
    ]


def test_an_edge_that_comes_back_is_offered_what_it_lacks_at_once(files: tuple[ModelManifest, ModelManifest]) -> None:
    small, large = files
    port, offers = Port([edge(small, HALL)]), ModelOffers()
    offers.want(WantedModels(large))
    offers.look(port, now=0.0)
    port.connected = []
    offers.look(port, now=0.25)
    assert offers.behind == frozenset()
    port.connected = [edge(small, HALL, boot=2)]
    offers.look(port, now=0.5)
    assert len(port.offers) == 2


def test_every_edge_is_looked_at_by_itself(files: tuple[ModelManifest, ModelManifest]) -> None:
    small, large = files
    yard = EdgeId("yard-pi")
    port, offers = Port([edge(small, HALL), edge(large, YARD, boot=2, edge_id=yard)]), ModelOffers()
    offers.want(WantedModels(large))
    offers.look(port, now=0.0)
    assert [edge_id for edge_id, _ in port.sent] == [GATE]


def test_a_model_whose_file_is_gone_cannot_be_wanted(files: tuple[ModelManifest, ModelManifest]) -> None:
    small, large = files
    port, offers = Port([edge(OLD, HALL)]), ModelOffers()
    offers.want(WantedModels(small))
    Path(large.files[0]).unlink()
    with pytest.raises(ModelError, match=r"large\.onnx"):
        offers.want(WantedModels(large))
    offers.look(port, now=0.0)
    assert [offer.model_id for offer in port.offers] == [small.model_id]


# Answering


def ask(offers: ModelOffers, port: Port, model_id: ModelId, *, file: str, offset: int) -> None:
    request = ModelRequest(model_id=model_id, file_name=file, offset=offset)
    offers.answer(Delivery(GATE, Envelope(BootId(bytes(16)), 0, request), [], 1), port)


def test_a_file_goes_in_pieces(files: tuple[ModelManifest, ModelManifest]) -> None:
    _, large = files
    port, offers = Port(), ModelOffers()
    offers.want(WantedModels(large))
    content = Path(large.files[0]).read_bytes()
    got = b""
    while len(got) < len(content):
        ask(offers, port, large.model_id, file="large.onnx", offset=len(got))
        got += port.chunks[-1].data
    assert got == content
    assert [len(chunk.data) for chunk in port.chunks] == [CHUNK_BYTES, CHUNK_BYTES, len(content) - 2 * CHUNK_BYTES]
    assert {edge_id for edge_id, _ in port.sent} == {GATE}
    assert offers.ignored == 0


def test_what_is_not_offered_is_not_sent(files: tuple[ModelManifest, ModelManifest]) -> None:
    small, large = files
    port, offers = Port(), ModelOffers()
    ask(offers, port, small.model_id, file="small.onnx", offset=0)
    offers.want(WantedModels(large))
    offers.want(WantedModels(small))
    ask(offers, port, large.model_id, file="large.onnx", offset=0)
    ask(offers, port, small.model_id, file="large.onnx", offset=0)
    ask(offers, port, small.model_id, file="../large.onnx", offset=0)
    ask(offers, port, small.model_id, file=small.files[0], offset=0)
    ask(offers, port, small.model_id, file="small.onnx", offset=5)
    assert port.sent == []
    assert offers.ignored == 6


def test_a_file_that_cannot_be_read_any_more_is_said_once(
    files: tuple[ModelManifest, ModelManifest], caplog: pytest.LogCaptureFixture
) -> None:
    small, _ = files
    port, offers = Port(), ModelOffers()
    offers.want(WantedModels(small))
    Path(small.files[0]).write_bytes(b"")
    ask(offers, port, small.model_id, file="small.onnx", offset=0)
    Path(small.files[0]).unlink()
    for _ in range(3):
        ask(offers, port, small.model_id, file="small.onnx", offset=0)
    assert port.sent == []
    assert len(caplog.records) == 1
    assert "small.onnx: cannot be read" in caplog.text
