"""Batch norm per camera, torch to ONNX: each camera's row gives torch's numbers in every engine."""

import json
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from passerby.cli.app import app
from passerby.errors import ModelError
from passerby.ids import CameraId
from passerby.inference import EmbeddingEngine, load_embedder
from passerby.inference.camera_embedder import CameraEmbedder
from passerby.inference.preprocessing import prepare
from passerby.inference.tensorrt import TensorRtNetwork
from passerby.models import EmbeddingOutput, ModelDescription, ModelManifest, Preprocessing, find_model
from tests.passerby import host_tensorrt

torch = pytest.importorskip("torch", reason="needs passerby[training]")
onnx = pytest.importorskip("onnx", reason="needs passerby[training]")

from training.backbones import make_backbone  # noqa: E402 torch is optional
from training.batch_norm import CameraNetwork  # noqa: E402
from training.evaluate import read_split, search  # noqa: E402
from training.evaluate.labelled import read_image  # noqa: E402
from training.export import run_onnx  # noqa: E402
from training.export_cameras import export_camera_network  # noqa: E402

pytestmark = pytest.mark.xdist_group("exported-cameras")
"""What they share is made once."""

CAMERAS = ["c1", "c2", "c3"]
DESCRIPTION = ModelDescription(
    task="embed",
    input=Preprocessing(height=64, width=32, colour="RGB", scale=1 / 255),
    embedding=EmbeddingOutput(dimension=512, cameras=CAMERAS),
)


class Tiny(torch.nn.Module):  # type: ignore[misc]
    """Convolution, batch norm of maps, mean, batch norm of vectors: (n, 3, h, w) to (n, 5)."""

    feature_dimension = 5

    def __init__(self) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 5, 3)
        self.maps = torch.nn.Sequential(torch.nn.BatchNorm2d(5), torch.nn.ReLU())
        self.vectors = torch.nn.BatchNorm1d(5)

    def forward(self, pictures: "torch.Tensor") -> "torch.Tensor":
        found: torch.Tensor = self.vectors(self.maps(self.convolution(pictures)).mean(dim=(2, 3)))
        return found


def camera_network(network: "torch.nn.Module", *, cameras: int = 3) -> CameraNetwork:
    """With statistics, scales and shifts at random."""
    draw = torch.Generator().manual_seed(0)
    with_cameras = CameraNetwork(network, cameras=cameras)
    for norm in with_cameras.norms():
        norm.means.normal_(0.0, 0.3, generator=draw)
        norm.variances.uniform_(0.5, 2.0, generator=draw)
        norm.weight.data.uniform_(0.5, 1.5, generator=draw)
        norm.bias.data.normal_(0.0, 0.3, generator=draw)
    return with_cameras


def tiny_description(cameras: list[str]) -> ModelDescription:
    return msgspec.structs.replace(DESCRIPTION, embedding=EmbeddingOutput(dimension=5, cameras=cameras))


@pytest.fixture(scope="module")
def network() -> CameraNetwork:
    torch.manual_seed(0)
    return camera_network(make_backbone("osnet_x0_25"))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, network: CameraNetwork) -> ModelManifest:
    crops = list(np.random.default_rng(1).integers(0, 256, (2, 80, 40, 3), np.uint8))
    out = tmp_path_factory.mktemp("osnet") / "osnet-site.onnx"
    return export_camera_network(network, out, description=DESCRIPTION, crops=crops)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime", "tensorrt on the host"])
def test_osnet_gives_torch_s_embeddings_for_every_camera_and_the_site(
    exported: ModelManifest, network: CameraNetwork, engine: str, tmp_path: Path
) -> None:
    random = np.random.default_rng(2)
    crops = [random.integers(0, 256, (int(random.integers(40, 300)), 90, 3), np.uint8) for _ in range(9)]
    rows = np.array([0, 3, 1, 2, 2, 3, 0, 1, 0])
    with torch.no_grad():
        expected = network(torch.from_numpy(prepare(crops, exported.input)[0]), rows).numpy()
    if engine == "tensorrt on the host":
        gpu = host_tensorrt.Runtime.gpu = host_tensorrt.HostGpu()
        loaded = TensorRtNetwork(exported, trt=host_tensorrt, gpu=gpu, plans=tmp_path)
        embedder: EmbeddingEngine = CameraEmbedder(loaded, exported)
    else:
        embedder = load_embedder(exported, engine=engine, threads=1)
    found = embedder.embed(crops, [CameraId([*CAMERAS, "another"][row]) for row in rows])
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    assert embedder.batch_limit > 1


def test_the_manifest_names_the_cameras(exported: ModelManifest) -> None:
    assert exported == find_model(exported.files[0], task="embed")
    assert exported.embedding is not None
    assert exported.embedding.cameras == CAMERAS


def test_each_batch_norm_has_two_tables_by_its_number_and_the_row_is_the_site_s(
    exported: ModelManifest, network: CameraNetwork
) -> None:
    graph = onnx.load(exported.files[0]).graph
    tables = {table.name: onnx.numpy_helper.to_array(table) for table in graph.initializer}
    for number, norm in enumerate(network.norms()):
        scale = norm.weight.detach().numpy() / np.sqrt(norm.variances.numpy() + norm.eps)
        shift = norm.bias.detach().numpy() - norm.means.numpy() * scale
        np.testing.assert_allclose(tables[f"camera.scale.{number}"], scale, rtol=1e-5)
        np.testing.assert_allclose(tables[f"camera.shift.{number}"], shift, rtol=1e-4, atol=1e-5)
    assert tables["camera"].tolist() == [3]
    assert [end.name for end in graph.input] == ["pictures"]


def test_any_reader_of_onnx_runs_the_site_s_network(exported: ModelManifest, network: CameraNetwork) -> None:
    pictures = np.random.default_rng(3).normal(size=(2, 3, 64, 32)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(pictures), np.full(2, 3)).numpy()
    np.testing.assert_allclose(run_onnx(Path(exported.files[0]), pictures), expected, atol=1e-4)


def test_the_network_is_as_it_was_and_the_same_gives_the_same_version(tmp_path: Path) -> None:
    network = camera_network(Tiny())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first = export_camera_network(network, tmp_path / "one" / "tiny.onnx", description=tiny_description(CAMERAS))
    second = export_camera_network(network, tmp_path / "two" / "tiny.onnx", description=tiny_description(CAMERAS))
    assert first.model_id == second.model_id
    assert before.keys() == network.state_dict().keys()
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_rows_that_are_all_the_same_are_an_ordinary_network(tmp_path: Path) -> None:
    network = CameraNetwork(Tiny(), cameras=2)
    manifest = export_camera_network(network, tmp_path / "tiny.onnx", description=tiny_description(["a", "b"]))
    crops = list(np.random.default_rng(4).integers(0, 256, (3, 64, 32, 3), np.uint8))
    found = load_embedder(manifest, engine="onnxruntime").embed(crops, [CameraId(name) for name in "abc"])
    with torch.no_grad():
        expected = network(torch.from_numpy(prepare(crops, manifest.input)[0]), np.zeros(3, np.int64)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("named", [[], ["a", "b"], ["a", "b", "c", "d"]])
def test_every_row_needs_a_name(tmp_path: Path, named: list[str]) -> None:
    with pytest.raises(ModelError, match=rf"{len(named)} cameras are named, the network has rows for 3"):
        export_camera_network(
            CameraNetwork(Tiny(), cameras=3), tmp_path / "tiny.onnx", description=tiny_description(named)
        )
    assert list(tmp_path.iterdir()) == []


def test_the_file_tells_nothing_of_the_machine_that_made_it(exported: ModelManifest) -> None:
    content = Path(exported.files[0]).read_bytes()
    assert b".py" not in content
    assert str(Path.cwd()).encode() not in content


def test_eval_reid_gives_each_picture_its_camera_s_row(tmp_path: Path) -> None:
    network = camera_network(Tiny())
    manifest = export_camera_network(network, tmp_path / "tiny.onnx", description=tiny_description(CAMERAS))
    draw = np.random.default_rng(5)
    (tmp_path / "people").mkdir()
    for person in range(1, 6):
        for camera in range(1, 5):  # the fourth is unknown to the network
            picture = draw.integers(0, 256, (64, 32, 3), np.uint8)
            assert cv2.imwrite(str(tmp_path / "people" / f"000{person}_c{camera}s1_1.png"), picture)
    split = read_split(tmp_path / "people", protocol="all-vs-all")
    crops = [read_image(file) for file in split.images.files]
    with torch.no_grad():
        expected = network(torch.from_numpy(prepare(crops, manifest.input)[0]), split.images.cameras - 1).numpy()
    arguments = ["eval", "reid", "--root", str(tmp_path / "people"), "--model", manifest.files[0], "--json"]
    report = json.loads(CliRunner().invoke(app, arguments).stdout.splitlines()[-1])
    assert report["mAP"] == pytest.approx(
        search(split, expected, normalize="camera").retrieval().mean_average_precision
    )
    assert report["model"] == manifest.model_id
