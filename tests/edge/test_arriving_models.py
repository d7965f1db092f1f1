"""Models from the hub: fetched piece by piece, not used before they are whole and have run, kept for the next start."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.embedders import Embedders
from edge.models import ArrivingModels, ModelShelf, Switch, first_embedders
from edge.models.arriving import ANSWER_S, MAX_ATTEMPTS
from edge.models.choice import Choice
from edge.models.offered import read_offer
from passerby.errors import EngineError, ModelError
from passerby.ids import CameraId, ModelId
from passerby.inference import EmbeddingEngine, load_embedder
from passerby.messages import ModelChunk, ModelFile
from passerby.models import ModelManifest
from tests.edge.model_hub import CHUNK, SmallHub, make_model, offer_of

HALL, DOOR = CameraId("hall"), CameraId("door")
PATIENCE_S = 30.0


def load(manifest: ModelManifest) -> EmbeddingEngine:
    return load_embedder(manifest, engine="onnxruntime", threads=1)


@pytest.fixture
def site(tmp_path: Path) -> ModelManifest:
    """The model of the site file."""
    return make_model(tmp_path / "site", "plain")


@pytest.fixture
def adapted(tmp_path: Path) -> ModelManifest:
    """What the hub offers."""
    return make_model(tmp_path / "hub", "adapted", dimension=6)


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    return ModelShelf(tmp_path / "edge.models")


@pytest.fixture
def embedders(site: ModelManifest) -> Embedders:
    return Embedders(load(site))


@pytest.fixture
def hub(adapted: ModelManifest, site: ModelManifest, shelf: ModelShelf) -> Iterator[SmallHub]:
    with ArrivingModels(shelf, site=site, load=load) as models:
        yield SmallHub(adapted, models)


def arrive(hub: SmallHub, *, begin_s: float = 0.0) -> Switch:
    """Turns until the model is ready."""
    deadline = time.monotonic() + PATIENCE_S
    while (switch := hub.turn(begin_s)) is None:
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)
    return switch


def give_up(hub: SmallHub, caplog: pytest.LogCaptureFixture) -> str:
    """Turns until the edge says that it leaves the model; the line."""
    deadline = time.monotonic() + PATIENCE_S
    while not (lines := [record for record in caplog.records if record.levelno >= logging.ERROR]):
        assert hub.turn(0.0) is None
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)
    assert len(lines) == 1
    assert lines[0].exc_info is None
    return lines[0].getMessage()


def test_a_model_comes_piece_by_piece_and_can_be_used(hub: SmallHub, embedders: Embedders, shelf: ModelShelf) -> None:
    hub.offer(embedders=embedders)
    switch = arrive(hub)
    assert switch.engine.manifest.model_id == hub.manifest.model_id
    assert switch.cameras == ()
    size = Path(hub.manifest.files[0]).stat().st_size
    assert [request.offset for request in hub.requests] == list(range(0, size, CHUNK))
    assert shelf.read(hub.manifest.model_id).description == hub.manifest.description
    crop = np.full((20, 10, 3), 90, np.uint8)
    np.testing.assert_allclose(switch.engine.embed([crop], [HALL]), load(hub.manifest).embed([crop], [HALL]), rtol=1e-6)


def test_only_one_piece_is_under_way_and_it_is_asked_for_again_after_a_while(
    hub: SmallHub, embedders: Embedders
) -> None:
    hub.silent = True
    hub.offer(embedders=embedders)
    for now in (0.0, 1.0, ANSWER_S - 0.1):
        hub.turn(now)
    assert [request.offset for request in hub.requests] == [0]
    hub.turn(ANSWER_S)
    assert [request.offset for request in hub.requests] == [0, 0]
    hub.silent = False
    arrive(hub, begin_s=2 * ANSWER_S)


def test_a_piece_that_comes_twice_or_was_not_asked_for_is_dropped(hub: SmallHub, embedders: Embedders) -> None:
    hub.offer(embedders=embedders)
    hub.turn(0.0)
    first = hub.answers[0]
    hub.answers += [
        first,
        msgspec.structs.replace(first, offset=5 * CHUNK),
        msgspec.structs.replace(first, file_name="other.onnx", offset=CHUNK),
        msgspec.structs.replace(first, model_id=ModelId("other@1"), offset=CHUNK),
        msgspec.structs.replace(first, offset=CHUNK, data=bytes(1 << 20)),
    ]
    assert arrive(hub).engine.manifest.model_id == hub.manifest.model_id


def test_the_hub_may_be_gone_in_between(hub: SmallHub, embedders: Embedders) -> None:
    hub.offer(embedders=embedders)
    hub.turn(0.0)
    hub.turn(0.0)
    hub.away = True
    for now in range(1, 200):
        assert hub.turn(float(now)) is None
    hub.away = False
    assert arrive(hub, begin_s=300.0).engine.manifest.model_id == hub.manifest.model_id
    offsets = [request.offset for request in hub.requests]
    assert offsets == sorted(offsets)


def test_an_offer_that_the_hub_does_not_serve_is_forgotten_until_it_comes_again(
    hub: SmallHub, embedders: Embedders
) -> None:
    hub.silent = True
    hub.offer(embedders=embedders)
    for now in range(0, 600, 5):
        hub.turn(float(now))
    asked = len(hub.requests)
    assert asked < 20
    hub.silent = False
    hub.turn(1000.0)
    assert len(hub.requests) == asked
    hub.offer(embedders=embedders)
    arrive(hub, begin_s=1000.0)


def test_a_restarted_edge_goes_on_where_its_file_ends(
    hub: SmallHub, embedders: Embedders, shelf: ModelShelf, site: ModelManifest
) -> None:
    hub.offer(embedders=embedders)
    for _ in range(4):
        hub.turn(0.0)
    hub.models.close()
    with ArrivingModels(shelf, site=site, load=load) as models:
        later = SmallHub(hub.manifest, models)
        later.offer(embedders=embedders)
        arrive(later)
    assert later.requests[0].offset == 3 * CHUNK


def test_a_model_that_is_there_is_not_fetched_again(hub: SmallHub, embedders: Embedders) -> None:
    hub.offer(embedders=embedders)
    arrive(hub)
    hub.requests.clear()
    hub.offer(embedders=embedders)
    assert arrive(hub).engine.manifest.model_id == hub.manifest.model_id
    assert hub.requests == []


def test_a_model_that_is_in_use_is_switched_to_at_once(hub: SmallHub, embedders: Embedders) -> None:
    hub.offer("door", embedders=embedders)
    canary = arrive(hub)
    assert canary.cameras == (DOOR,)
    both = embedders.changed(canary.engine, canary.cameras)
    hub.offer(embedders=both)
    switch = hub.turn(0.0)
    assert switch is not None
    assert switch.engine is canary.engine
    assert switch.cameras == ()


def test_the_site_file_s_own_model_is_never_fetched(hub: SmallHub, embedders: Embedders, site: ModelManifest) -> None:
    hub.offer(embedders=embedders)
    adapted = embedders.changed(arrive(hub).engine, ())
    back = SmallHub(site, hub.models)
    back.offer(embedders=adapted)
    assert arrive(back).engine.manifest.model_id == site.model_id
    assert back.requests == []


def test_offers_for_cameras_of_another_edge_are_not_for_us(hub: SmallHub, embedders: Embedders) -> None:
    hub.offer("cellar", embedders=embedders)
    assert hub.turn(0.0) is None
    assert hub.requests == []


def test_a_damaged_piece_costs_another_fetch(hub: SmallHub, embedders: Embedders) -> None:
    spoilt: list[ModelChunk] = []

    def spoil_once(chunk: ModelChunk) -> ModelChunk:
        if spoilt or chunk.offset != 2 * CHUNK:
            return chunk
        spoilt.append(chunk)
        return msgspec.structs.replace(chunk, data=b"\0" * len(chunk.data))

    hub.spoil = spoil_once
    hub.offer(embedders=embedders)
    assert arrive(hub).engine.manifest.model_id == hub.manifest.model_id
    assert [request.offset for request in hub.requests].count(0) == 2


def test_a_model_that_stays_damaged_is_given_up_with_one_line(
    hub: SmallHub, embedders: Embedders, caplog: pytest.LogCaptureFixture
) -> None:
    hub.spoil = lambda chunk: msgspec.structs.replace(chunk, data=b"\0" * len(chunk.data))
    hub.offer(embedders=embedders)
    assert "adapted.onnx" in give_up(hub, caplog)
    assert [request.offset for request in hub.requests].count(0) == MAX_ATTEMPTS
    hub.offer(embedders=embedders)  # said again every few seconds
    assert hub.turn(1.0) is None
    assert [request.offset for request in hub.requests].count(0) == MAX_ATTEMPTS
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


def test_a_given_up_model_is_tried_again_after_ten_minutes(
    hub: SmallHub, embedders: Embedders, caplog: pytest.LogCaptureFixture
) -> None:
    hub.spoil = lambda chunk: msgspec.structs.replace(chunk, data=b"\0" * len(chunk.data))
    hub.offer(embedders=embedders)
    give_up(hub, caplog)
    hub.spoil = lambda chunk: chunk
    hub.models.offered(offer_of(hub.manifest), embedders=embedders, cameras=[HALL], now=601.0)
    assert arrive(hub, begin_s=601.0).engine.manifest.model_id == hub.manifest.model_id


WRONG: list[tuple[str, dict[str, object], str]] = [
    ("a path for a name", {"model_id": "../x@" + "0" * 12}, "no model id"),
    ("a hidden file", {"model_id": ".x@" + "0" * 12}, "no model id"),
    ("no version", {"model_id": "adapted"}, "no model id"),
    ("another model's file", {"files": [ModelFile(name="x.onnx", size=1, sha256="0" * 64)]}, "expected adapted.onnx"),
    ("a path for a file", {"files": [ModelFile(name="../adapted.onnx", size=1, sha256="0" * 64)]}, "expected adapted"),
    ("other bytes", {"files": [ModelFile(name="adapted.onnx", size=1, sha256="0" * 64)]}, "SHA-256 000000000000"),
    ("no files", {"files": []}, "expected adapted.onnx"),
    ("no manifest", {"manifest": {}}, "manifest that this edge cannot read"),
    ("an unknown key", {"manifest": {"task": "embed", "moods": 3}}, "moods"),
]


@pytest.mark.parametrize(("changes", "said"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_an_offer_that_is_none_is_refused(
    hub: SmallHub, embedders: Embedders, caplog: pytest.LogCaptureFixture, changes: dict[str, object], said: str
) -> None:
    offer = offer_of(hub.manifest, **changes)
    with pytest.raises(ModelError, match=said):
        read_offer(offer)
    for now in (0.0, 5.0):
        hub.models.offered(offer, embedders=embedders, cameras=[HALL], now=now)
        assert hub.turn(now) is None
    assert len(caplog.records) == 1
    assert said in caplog.records[0].getMessage()
    assert hub.requests == []


def test_a_manifest_that_does_not_fit_the_network_is_given_up(
    hub: SmallHub, embedders: Embedders, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = msgspec.to_builtins(hub.manifest.description)
    manifest["embedding"]["dimension"] = 99
    hub.models.offered(offer_of(hub.manifest, manifest=manifest), embedders=embedders, cameras=[HALL], now=0.0)
    assert "99" in give_up(hub, caplog)


def test_two_files_whose_version_is_another_are_given_up(
    hub: SmallHub, embedders: Embedders, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for suffix in (".xml", ".bin"):
        (tmp_path / "hub" / f"pair{suffix}").write_bytes(suffix.encode() * 60)
    files = [str(tmp_path / "hub" / f"pair{suffix}") for suffix in (".xml", ".bin")]
    hub.manifest = msgspec.structs.replace(hub.manifest, name="pair", version="0" * 12, files=files)
    hub.offer(embedders=embedders)
    assert "its bytes are those of pair@" in give_up(hub, caplog)
    assert {request.file_name for request in hub.requests} == {"pair.xml", "pair.bin"}


def test_a_network_that_does_not_run_is_given_up(
    adapted: ModelManifest, site: ModelManifest, shelf: ModelShelf, embedders: Embedders, caplog
) -> None:
    def refuse(manifest: ModelManifest) -> EmbeddingEngine:
        raise EngineError("this machine is too small")

    with ArrivingModels(shelf, site=site, load=refuse) as models:
        hub = SmallHub(adapted, models)
        hub.offer(embedders=embedders)
        assert "too small" in give_up(hub, caplog)


def test_a_disk_without_the_folder_is_one_line(
    adapted: ModelManifest, site: ModelManifest, embedders: Embedders, tmp_path: Path, caplog
) -> None:
    (tmp_path / "taken").write_text("not a folder")
    with ArrivingModels(ModelShelf(tmp_path / "taken"), site=site, load=load) as models:
        hub = SmallHub(adapted, models)
        hub.offer(embedders=embedders)
        assert "taken" in give_up(hub, caplog)


def test_a_network_that_nobody_wants_any_more_is_closed(
    adapted: ModelManifest, site: ModelManifest, shelf: ModelShelf, embedders: Embedders, tmp_path: Path
) -> None:
    closed: list[ModelId] = []
    begun, may_go_on = threading.Event(), threading.Event()

    class Watched:
        def __init__(self, engine: EmbeddingEngine) -> None:
            self._engine = engine
            self.manifest = engine.manifest
            self.device = engine.device
            self.embed = engine.embed

        def close(self) -> None:
            closed.append(self.manifest.model_id)
            self._engine.close()

    def slowly(manifest: ModelManifest) -> Watched:
        begun.set()
        assert may_go_on.wait(PATIENCE_S)
        return Watched(load(manifest))

    newer = make_model(tmp_path / "hub", "newer", dimension=8)
    with ArrivingModels(shelf, site=site, load=slowly) as models:
        hub = SmallHub(adapted, models)
        hub.offer(embedders=embedders)
        while not begun.is_set():
            hub.turn(0.0)
        hub.manifest = newer
        hub.offer(embedders=embedders)
        may_go_on.set()
        assert arrive(hub).engine.manifest.model_id == newer.model_id
    assert closed == [adapted.model_id]


# The next start


def begin(shelf: ModelShelf, site: ModelManifest) -> Embedders:
    return first_embedders(shelf, site=site, load=load, cameras=[HALL, DOOR])


def test_without_a_choice_an_edge_begins_with_the_site_file_s_model(shelf: ModelShelf, site: ModelManifest) -> None:
    embedders = begin(shelf, site)
    assert embedders.model_id == site.model_id
    assert embedders.camera_models == {}


def chosen(hub: SmallHub, embedders: Embedders, *cameras: str) -> Embedders:
    hub.offer(*cameras, embedders=embedders)
    switch = arrive(hub)
    after = embedders.changed(switch.engine, switch.cameras)
    hub.models.remember(after)
    return after


def test_a_restarted_edge_begins_with_what_the_hub_chose(
    hub: SmallHub, embedders: Embedders, shelf: ModelShelf, site: ModelManifest
) -> None:
    chosen(hub, embedders)
    assert begin(shelf, site).model_id == hub.manifest.model_id


def test_a_restarted_edge_knows_its_canaries(
    hub: SmallHub, embedders: Embedders, shelf: ModelShelf, site: ModelManifest
) -> None:
    chosen(hub, embedders, "door")
    again = begin(shelf, site)
    assert again.model_id == site.model_id
    assert again.camera_models == {DOOR: hub.manifest.model_id}
    assert first_embedders(shelf, site=site, load=load, cameras=[HALL]).camera_models == {}


def _choose(content: bytes) -> Callable[[Path], object]:
    return lambda model: (model.parent.parent / "chosen.json").write_bytes(content)


def _make_a_folder_of_the_choice(model: Path) -> None:
    (model.parent.parent / "chosen.json").unlink()
    (model.parent.parent / "chosen.json").mkdir()


def _misdescribe(model: Path) -> None:
    text = model.with_suffix(".json").read_text()
    model.with_suffix(".json").write_text(text.replace('"dimension": 6', '"dimension": 7'))


BROKEN: dict[str, Callable[[Path], object]] = {
    "no JSON": _choose(b"{"),
    "empty": _choose(b""),
    "no text": _choose(b'{"model_id": "\xff"}'),
    "another shape": _choose(b'{"model_id": 7}'),
    "a key of a newer version": _choose(b'{"model_id": "a", "b": 1}'),
    "a model of no name": _choose(b'{"model_id": ""}'),
    "a model of a wild name": _choose(b'{"model_id": "\\u0000/"}'),
    "a model of a long name": _choose(b'{"model_id": "%b@1"}' % (b"x" * 999)),
    "a folder": _make_a_folder_of_the_choice,
    "a model cut off": lambda model: model.write_bytes(model.read_bytes()[:-1]),
    "a model that is gone": Path.unlink,
    "a manifest that is none": lambda model: model.with_suffix(".json").write_text("[]"),
    "a manifest that does not fit": _misdescribe,
}


@pytest.mark.parametrize("what", BROKEN)
def test_whatever_is_broken_an_edge_starts(
    hub: SmallHub, embedders: Embedders, shelf: ModelShelf, *, site: ModelManifest, what: str, caplog
) -> None:
    chosen(hub, embedders)
    BROKEN[what](shelf.folder_of(hub.manifest.model_id) / "adapted.onnx")
    caplog.clear()
    assert begin(shelf, site).model_id == site.model_id
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("what", ["a model cut off", "a model that is gone", "a manifest that is none"])
def test_what_was_broken_on_disk_is_mended_by_the_next_offer(
    hub: SmallHub, embedders: Embedders, shelf: ModelShelf, *, site: ModelManifest, what: str
) -> None:
    chosen(hub, embedders)
    BROKEN[what](shelf.folder_of(hub.manifest.model_id) / "adapted.onnx")
    chosen(hub, embedders)
    assert begin(shelf, site).model_id == hub.manifest.model_id


def test_a_choice_of_the_site_s_model_and_another_for_a_camera_is_kept(
    shelf: ModelShelf, site: ModelManifest, tmp_path: Path
) -> None:
    shelf.choose(Choice(model_id=site.model_id, cameras={DOOR: ModelId("gone@000000000000")}))
    embedders = begin(shelf, site)
    assert (embedders.model_id, embedders.camera_models) == (site.model_id, {})


def test_models_that_are_no_longer_used_make_room(
    site: ModelManifest, shelf: ModelShelf, embedders: Embedders, tmp_path: Path
) -> None:
    with ArrivingModels(shelf, site=site, load=load) as models:
        for number in range(5):
            hub = SmallHub(make_model(tmp_path / "hub", f"m{number}", dimension=3 + number), models)
            embedders = chosen(hub, embedders)
    kept = sorted(path.name.split("@")[0] for path in shelf.folder_of(ModelId("x")).parent.glob("*@*"))
    assert kept == ["m2", "m3", "m4"]


# Which network describes whom


def test_one_network_for_all_another_for_some(site: ModelManifest, adapted: ModelManifest) -> None:
    plain, other = load(site), load(adapted)
    both = Embedders(plain).changed(other, [DOOR])
    assert both.of(HALL) is plain
    assert both.of(DOOR) is other
    assert both.engines() == [plain, other]
    assert both.changed(plain, [DOOR]).engines() == [plain]
    assert both.changed(other, ()).engines() == [other]
    assert both.loaded(adapted.model_id) is other
    assert both.loaded(ModelId("x@1")) is None
