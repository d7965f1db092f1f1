"""A re-ID model goes from a hub to a running edge over a real connection, and people are told of without a break."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import helper

from edge.cameras import Cameras
from edge.models import ArrivingModels, ModelShelf, first_embedders
from edge.worker import EdgeWorker, hello
from hub.model_offers import CHUNK_BYTES, ModelOffers, WantedModels
from passerby.config import CameraSettings
from passerby.ids import BootId, CameraId, ModelId
from passerby.inference import EmbeddingEngine, load_embedder
from passerby.messages import ModelRequest, TrackletUpdate
from passerby.models import ModelManifest, find_model, read_model, write_description
from passerby.transport import EdgeLink, HubPort, Spool, load_hub_keys, local_keys
from tests.edge.engines import BrightnessDetector
from tests.edge.footage import textured_picture, write_film
from tests.system.processes import Passerby, free_port

HALL, DOOR = CameraId("hall"), CameraId("door")
PATIENCE_S = 60.0
FRAMES = 400


def load(manifest: ModelManifest) -> EmbeddingEngine:
    return load_embedder(manifest, engine="onnxruntime", threads=1)


@pytest.fixture(scope="module")
def plain() -> ModelManifest:
    """The re-ID network that comes with Passerby: none of its numbers is negative."""
    return find_model("passerby-sim-reid", task="embed")


@pytest.fixture(scope="module")
def negated(plain: ModelManifest, tmp_path_factory: pytest.TempPathFactory) -> ModelManifest:
    """The same with all signs turned: each embedding says which network it is of."""
    network = onnx.load(plain.files[0])
    network.graph.node[-1].output[0] = "before"
    network.graph.node.append(helper.make_node("Neg", ["before"], [network.graph.output[0].name]))
    file = tmp_path_factory.mktemp("hub-models") / "negated.onnx"
    onnx.save(network, file)
    write_description(plain.description, file.with_suffix(".json"))
    return read_model(file)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds of somebody who walks to and fro."""
    to_and_fro = [*range(1, 40), *range(40, 1, -1)]
    return write_film(
        tmp_path_factory.mktemp("film") / "walker.mp4",
        frames=FRAMES,
        draw=lambda number: textured_picture(to_and_fro[number % len(to_and_fro)]),
    )


class RunningHub:
    """A port whose messages are acknowledged and kept, with models to offer; answers `pieces` requests at most."""

    def __init__(self, folder: Path, listen: str, *, wanted: WantedModels, pieces: int | None = None) -> None:
        self.updates: list[TrackletUpdate] = []
        self.requests: list[ModelRequest] = []
        self.offers = ModelOffers()
        self.wanted = wanted
        self.port = HubPort(listen, load_hub_keys(folder / "keys"), window=64, committed={})
        self._pieces = pieces
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "RunningHub":
        self.port.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)
        self.port.close()

    def _run(self) -> None:
        offered = None
        while not self._stop.is_set():
            if self.wanted is not offered:
                offered = self.wanted
                self.offers.want(offered)
            deliveries = self.port.receive(max_messages=64, timeout_s=0.05)
            for delivery in deliveries:
                match delivery.envelope.message:
                    case TrackletUpdate() as update:
                        self.updates.append(update)
                    case ModelRequest() as request:
                        self.requests.append(request)
                        if self._pieces is None or len(self.requests) <= self._pieces:
                            self.offers.answer(delivery, self.port)
            self.port.acknowledge(deliveries)
            self.offers.look(self.port, now=time.monotonic())


@contextmanager
def running_edge(
    folder: Path, address: str, *, cameras: dict[CameraId, CameraSettings], site: ModelManifest
) -> Iterator:
    """An edge as the command makes it, with a detector that needs no network."""
    keys = local_keys(folder / "keys", "edge", ["*"]).edge
    shelf = ModelShelf(folder / "edge.models")
    embedders = first_embedders(shelf, site=site, load=load, cameras=list(cameras))
    stop = threading.Event()
    with (
        ArrivingModels(shelf, site=site, load=load) as models,
        Spool(folder / "edge.spool", max_bytes=1 << 26) as spool,
        EdgeLink(
            address, keys, boot_id=BootId(os.urandom(16)), spool=spool, hello=hello(list(cameras), embedders)
        ) as link,
    ):
        detector = BrightnessDetector()
        live = Cameras(cameras, detector=detector, embedders=embedders)
        worker = EdgeWorker(live, detector=detector, link=link, stop=stop, models=models)

        def run() -> None:
            worker.startup()
            worker.main_loop()
            worker.shutdown()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield live
        finally:
            stop.set()
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
            link.flush(PATIENCE_S)
    for engine in live.embedders.engines():
        engine.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    moment = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        moment.wait(0.02)


@contextmanager
def running(process: Passerby) -> Iterator[Passerby]:
    """Ends with the test, however it goes."""
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.kill()


def on(film: Path) -> CameraSettings:
    return CameraSettings(url=str(film), fps=10.0, update_interval_s=0.3)


def assert_of_one_model(update: TrackletUpdate, *, plain: ModelManifest, negated: ModelManifest) -> None:
    """Every embedding is of the model that the update names."""
    sign = {plain.model_id: 1, negated.model_id: -1}[update.model_id]
    assert (update.exemplars.embeddings * sign >= 0).all()
    assert (np.abs(update.exemplars.embeddings).sum(axis=1) > 0).all()
    np.testing.assert_allclose(update.embedding, update.exemplars.embeddings.mean(axis=0), rtol=1e-5)


def of_camera(hub: RunningHub, camera: CameraId) -> list[TrackletUpdate]:
    return [update for update in hub.updates if update.camera_id == camera]


def test_a_running_edge_changes_its_model_and_loses_nobody(
    tmp_path: Path, plain: ModelManifest, negated: ModelManifest, film: Path
) -> None:
    local_keys(tmp_path / "keys", "edge", ["*"])
    wanted = WantedModels(negated)
    with ExitStack() as edge:
        with RunningHub(tmp_path, "tcp://127.0.0.1:0", wanted=wanted, pieces=2) as first:
            address = first.port.address
            live = edge.enter_context(running_edge(tmp_path, address, cameras={HALL: on(film)}, site=plain))
            until(lambda: len(first.requests) > 2 and len(first.updates) > 2)
        # The hub is gone in the middle of a file; another start of it goes on.
        with RunningHub(tmp_path, address, wanted=wanted) as second:
            until(lambda: len([update for update in second.updates if update.model_id == negated.model_id]) > 3)
            assert [connected.model_id for connected in second.port.edges()] == [negated.model_id]
            until(lambda: not second.offers.behind)
            edge.close()
            until(lambda: second.updates[-1].final)
    assert live.embedders.model_id == negated.model_id

    assert [request.offset for request in first.requests] == [0, CHUNK_BYTES, 2 * CHUNK_BYTES]
    assert second.requests[0].offset == 2 * CHUNK_BYTES
    updates = list({update.revision: update for update in (*first.updates, *second.updates)}.values())
    # One person, one tracklet, told of without a gap: nothing was lost and nobody began anew.
    assert {update.tracklet_id for update in updates} == {1}
    assert [update.revision for update in updates] == list(range(1, len(updates) + 1))
    frames = np.concatenate([update.observations.frame_numbers for update in updates])
    assert (np.diff(frames) > 0).all()
    models = [update.model_id for update in updates]
    switched = models.index(negated.model_id)
    assert models == [plain.model_id] * switched + [negated.model_id] * (len(models) - switched)
    assert switched > 2
    for update in updates:
        assert_of_one_model(update, plain=plain, negated=negated)
    assert len(updates[switched].exemplars) > 1, "crops kept from before the switch are embedded anew"

    # The next start begins with it.
    shelf = ModelShelf(tmp_path / "edge.models")
    assert shelf.read(negated.model_id).description == negated.description
    assert first_embedders(shelf, site=plain, load=load, cameras=[HALL]).model_id == negated.model_id


def test_a_canary_camera_changes_and_the_others_do_not_then_all_go_back(
    tmp_path: Path, plain: ModelManifest, negated: ModelManifest, film: Path
) -> None:
    local_keys(tmp_path / "keys", "edge", ["*"])
    with (
        RunningHub(tmp_path, "tcp://127.0.0.1:0", wanted=WantedModels(plain)) as hub,
        running_edge(tmp_path, hub.port.address, cameras={HALL: on(film), DOOR: on(film)}, site=plain),
    ):
        until(lambda: bool(of_camera(hub, HALL) and of_camera(hub, DOOR)))
        hub.wanted = WantedModels(plain, {DOOR: negated})
        until(lambda: len([one for one in of_camera(hub, DOOR) if one.model_id == negated.model_id]) > 2)
        (edge,) = hub.port.edges()
        assert (edge.model_id, edge.camera_models) == (plain.model_id, {DOOR: negated.model_id})
        hub.wanted = WantedModels(plain)
        until(lambda: of_camera(hub, DOOR)[-1].model_id == plain.model_id)
        until(lambda: not hub.port.edges()[0].camera_models)
        asked = len(hub.requests)
    assert {update.model_id for update in of_camera(hub, HALL)} == {plain.model_id}
    models = [update.model_id for update in of_camera(hub, DOOR)]
    changes = [model for model, before in zip(models, ["", *models], strict=False) if model != before]
    assert changes == [plain.model_id, negated.model_id, plain.model_id]
    assert len({(update.camera_id, update.tracklet_id) for update in hub.updates}) == 2
    for update in hub.updates:
        assert_of_one_model(update, plain=plain, negated=negated)
    assert asked == -(-Path(negated.files[0]).stat().st_size // CHUNK_BYTES), "the site's own model was not fetched"


@pytest.mark.system
def test_a_killed_edge_goes_on_with_the_file_and_a_restarted_one_begins_with_the_model(
    tmp_path: Path, plain: ModelManifest, negated: ModelManifest, film: Path
) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    settings = {
        "site": "walk",
        "data": "data",
        "engine": "onnxruntime",
        "models": {"detector": "passerby-sim-detector", "reid": plain.name},
        "hub": {"listen": address},
        "edge": {"threads": 1},
        "cameras": {"hall": {"url": str(film), "fps": 2}},
    }
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(settings))
    local_keys(tmp_path / "data" / "keys", "edge", ["*"])

    def start() -> Passerby:
        return Passerby(("edge", "--config", "site.yaml"), tmp_path / "edge.log", os.environ)

    def connected(hub: RunningHub) -> list[tuple[ModelId, dict[CameraId, ModelId]]]:
        return [(edge.model_id, dict(edge.camera_models)) for edge in hub.port.edges()]

    data = tmp_path / "data"
    with ExitStack() as processes:
        with RunningHub(data, address, wanted=WantedModels(negated), pieces=2) as hub:
            killed = processes.enter_context(running(start()))
            until(lambda: len(hub.requests) == 3)
            assert connected(hub) == [(plain.model_id, {})]
            killed.kill()
        with RunningHub(data, address, wanted=WantedModels(negated)) as hub:
            edge = processes.enter_context(running(start()))
            until(lambda: connected(hub) == [(negated.model_id, {})])
            assert hub.requests[0].offset == 2 * CHUNK_BYTES
            assert edge.stop() == 0
        assert f"model {negated.model_id} describes the people of all cameras" in edge.log()
        # What the hub chose is what the next start begins with; and the way back needs no fetch.
        with RunningHub(data, address, wanted=WantedModels(plain, {HALL: negated})) as hub:
            until(lambda: not hub.port.edges())
            again = processes.enter_context(running(start()))
            until(lambda: connected(hub) == [(plain.model_id, {HALL: negated.model_id})])
            assert hub.requests == []
            assert again.stop() == 0
        assert "Traceback" not in again.log()
