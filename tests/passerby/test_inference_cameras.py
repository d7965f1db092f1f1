"""Networks with batch norm per camera, over every engine: each crop by the row of its camera."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from passerby.arrays import Image
from passerby.errors import DataError, EngineError, ModelError
from passerby.ids import CameraId
from passerby.inference import EmbeddingEngine, load_embedder
from passerby.inference.camera_embedder import CameraEmbedder
from passerby.inference.camera_rows import FoldedNetworks, with_row
from passerby.inference.network import Network
from passerby.inference.onnxruntime import OnnxRuntimeNetwork
from passerby.inference.tensorrt import TensorRtNetwork, tensorrt_unavailable
from passerby.inference.tensorrt_plan import with_row_input
from passerby.models import EmbeddingOutput, ModelManifest, find_model
from tests.passerby import host_tensorrt
from tests.passerby.tiny_networks import tiny_camera_embedder, tiny_detector, tiny_embedder

CAMERAS = ["hall", "lobby", "yard"]
ENGINES = ["openvino", "onnxruntime", "tensorrt on the host", pytest.param("tensorrt", marks=pytest.mark.gpu)]

Load = Callable[[ModelManifest], EmbeddingEngine]


@pytest.fixture(params=ENGINES)
def load(request: pytest.FixtureRequest, tmp_path: Path) -> Load:
    engine: str = request.param
    if engine == "tensorrt" and (reason := tensorrt_unavailable()) is not None:
        pytest.skip(reason)

    def load_it(manifest: ModelManifest) -> EmbeddingEngine:
        if engine != "tensorrt on the host":
            return load_embedder(manifest, engine=engine, threads=1)
        gpu = host_tensorrt.Runtime.gpu = host_tensorrt.HostGpu()
        network = TensorRtNetwork(manifest, trt=host_tensorrt, gpu=gpu, plans=tmp_path / "plans")
        return CameraEmbedder(network, manifest)

    return load_it


def pictures(count: int, *, seed: int = 0) -> list[Image]:
    random = np.random.default_rng(seed)
    return [random.integers(1, 256, (20, int(random.integers(8, 60)), 3), np.uint8) for _ in range(count)]


@pytest.mark.parametrize(("camera", "row"), [("hall", 0), ("lobby", 1), ("yard", 2), ("roof", 3), ("", 3)])
def test_a_crop_is_seen_by_its_camera_s_row_and_an_unknown_camera_s_by_the_site_s(
    load: Load, tmp_path: Path, camera: str, row: int
) -> None:
    manifest, tables = tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)
    crops = pictures(3)
    found = load(manifest).embed(crops, [CameraId(camera)] * 3)
    np.testing.assert_allclose(found, tables.embeddings(crops, [row] * 3), rtol=1e-4, atol=1e-3)
    assert found.dtype == np.float32


def test_cameras_mixed_in_more_crops_than_one_run_takes_come_back_in_order(load: Load, tmp_path: Path) -> None:
    manifest, tables = tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)
    embedder = load(manifest)
    crops = pictures(embedder.batch_limit * 2 + 5)
    names = [*CAMERAS, "roof"]
    rows = np.random.default_rng(1).integers(0, 4, len(crops)).tolist()
    found = embedder.embed(crops, [CameraId(names[row]) for row in rows])
    np.testing.assert_allclose(found, tables.embeddings(crops, rows), rtol=1e-4, atol=1e-3)
    assert embedder.batch_limit > 1


def test_no_crops_give_no_rows(load: Load, tmp_path: Path) -> None:
    manifest, _ = tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)
    assert load(manifest).embed([], []).shape == (0, 4)


def test_each_crop_needs_its_camera_and_is_a_picture(load: Load, tmp_path: Path) -> None:
    embedder = load(tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)[0])
    with pytest.raises(DataError, match="2 crops came with 1 camera ids"):
        embedder.embed(pictures(2), [CameraId("hall")])
    with pytest.raises(DataError, match="picture 0"):
        embedder.embed([np.zeros((16, 16), np.uint8)], [CameraId("hall")])


def test_a_closed_engine_says_so_also_for_a_camera_that_comes_first_then(load: Load, tmp_path: Path) -> None:
    embedder = load(tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)[0])
    embedder.close()
    embedder.close()
    with pytest.raises(EngineError, match="rows has been closed"):
        embedder.embed(pictures(1), [CameraId("yard")])


def test_many_threads_get_their_own_results(load: Load, tmp_path: Path) -> None:
    manifest, tables = tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)
    embedder = load(manifest)
    wrong: list[int] = []

    def work(seed: int) -> None:
        for turn in range(8):
            crops, rows = pictures(4, seed=seed), [(seed + turn + i) % 3 for i in range(4)]
            found = embedder.embed(crops, [CameraId(CAMERAS[row]) for row in rows])
            if not np.allclose(found, tables.embeddings(crops, rows), rtol=1e-4, atol=1e-3):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []


def test_a_manifest_that_promises_another_length_is_an_error(load: Load, tmp_path: Path) -> None:
    manifest, _ = tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)
    promising = msgspec.structs.replace(manifest, embedding=EmbeddingOutput(dimension=5, cameras=CAMERAS))
    with pytest.raises(EngineError, match="promises 5 numbers"):
        load(promising).embed(pictures(1), [CameraId("hall")])


def test_cameras_in_the_manifest_of_an_ordinary_network_are_an_error(load: Load, tmp_path: Path) -> None:
    manifest = tiny_embedder(tmp_path / "tiny.onnx")
    naming = msgspec.structs.replace(manifest, embedding=EmbeddingOutput(dimension=4, cameras=CAMERAS))
    with pytest.raises((ModelError, EngineError), match=r"tiny\.onnx has .* `camera`.*manifest names cameras"):
        load(naming)


def test_a_damaged_file_is_named(load: Load, tmp_path: Path) -> None:
    manifest, _ = tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)
    content = Path(manifest.files[0]).read_bytes()
    Path(manifest.files[0]).write_bytes(b"\xff" + content)
    with pytest.raises((ModelError, EngineError), match=r"rows\.onnx"):
        load(find_model(manifest.files[0]))


def test_whoever_reads_the_file_alone_runs_the_site_s_network(tmp_path: Path) -> None:
    manifest, tables = tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)
    batch = np.full((2, 3, 16, 16), 9.0, np.float32)
    expected = tables.embeddings([np.full((16, 16, 3), 9, np.uint8)] * 2, [3, 3])
    np.testing.assert_allclose(OnnxRuntimeNetwork(manifest).run(batch)[0], expected, rtol=1e-4)


def test_a_camera_s_network_is_made_when_its_first_picture_comes(tmp_path: Path) -> None:
    manifest, _ = tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)
    made: list[bytes] = []

    def make(content: bytes) -> Network:
        made.append(content)
        return OnnxRuntimeNetwork(manifest, threads=1, content=content)

    embedder = CameraEmbedder(FoldedNetworks(manifest, load=make), manifest)
    crops = pictures(4)
    for _ in range(2):
        embedder.embed(crops, [CameraId(name) for name in ("roof", "yard", "yard", "roof")])
    assert made == [with_row(Path(manifest.files[0]).read_bytes(), row, name="rows") for row in (3, 2)]


def test_a_row_changes_eight_bytes_and_the_site_s_none(tmp_path: Path) -> None:
    import onnx

    manifest, _ = tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)
    content = Path(manifest.files[0]).read_bytes()
    assert with_row(content, 3, name="rows") == content
    for row in (0, 1, 300):
        graph = onnx.load_from_string(with_row(content, row, name="rows")).graph
        assert [onnx.numpy_helper.to_array(t).tolist() for t in graph.initializer if t.name == "camera"] == [[row]]


def test_two_constants_that_could_be_meant_are_an_error() -> None:
    constant = b"\x42\x06camera\x4a\x08" + bytes(8)
    with pytest.raises(ModelError, match=r"rows\.onnx has 2 constants `camera`"):
        with_row(constant * 2, 0, name="rows.onnx")


def test_for_tensorrt_the_row_is_an_input_as_long_as_the_batch(tmp_path: Path) -> None:
    import onnx

    manifest, _ = tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)
    model = onnx.load_from_string(with_row_input(Path(manifest.files[0]).read_bytes(), name="rows"))
    onnx.checker.check_model(model)
    pictures, camera = (end.type.tensor_type for end in model.graph.input)
    assert [axis.dim_param for axis in camera.shape.dim] == [pictures.shape.dim[0].dim_param] == ["n"]
    assert camera.elem_type == onnx.TensorProto.INT64


def test_on_tensorrt_rows_go_with_networks_that_have_them(tmp_path: Path) -> None:
    def network(manifest: ModelManifest) -> TensorRtNetwork:
        gpu = host_tensorrt.Runtime.gpu = host_tensorrt.HostGpu()
        return TensorRtNetwork(manifest, trt=host_tensorrt, gpu=gpu, plans=tmp_path / "plans", half=True)

    batch = np.ones((2, 3, 16, 16), np.float32)
    with pytest.raises(EngineError, match="rows has statistics per camera; its pictures came without rows"):
        network(tiny_camera_embedder(tmp_path / "rows.onnx", cameras=CAMERAS)[0]).run(batch)
    with pytest.raises(EngineError, match="tiny has no statistics per camera; its pictures came with rows"):
        network(tiny_embedder(tmp_path / "tiny.onnx")).run(batch, np.zeros(2, np.int64))


def test_a_detector_has_no_cameras_rows(tmp_path: Path) -> None:
    manifest = tiny_detector(tmp_path / "tiny.onnx")
    with pytest.raises(ModelError, match="no re-ID network"):
        CameraEmbedder(OnnxRuntimeNetwork(manifest), manifest)  # type: ignore[arg-type]


def test_a_camera_named_twice_is_refused() -> None:
    with pytest.raises(ModelError, match="cameras name 'hall' twice"):
        EmbeddingOutput(dimension=4, cameras=["hall", "lobby", "hall"])
