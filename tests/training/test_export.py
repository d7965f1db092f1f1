"""Torch to ONNX: kept only when it agrees with torch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from passerby.errors import ModelError
from passerby.ids import CameraId
from passerby.inference import load_embedder
from passerby.inference.preprocessing import prepare
from passerby.models import EmbeddingOutput, ModelDescription, ModelManifest, Preprocessing, find_model

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.backbones.osnet import load_osnet  # noqa: E402 torch is optional
from training.export import export_backbone, export_embedder, publish, require_equal  # noqa: E402

pytestmark = pytest.mark.xdist_group("exported")
"""What they share is made once."""

HALL = CameraId("hall")
TINY = ModelDescription(
    task="embed",
    input=Preprocessing(height=16, width=8, colour="RGB"),
    embedding=EmbeddingOutput(dimension=5),
)


class Tiny(torch.nn.Module):  # type: ignore[misc]
    """Convolution, batch norm, mean: (n, 3, 16, 8) to (n, 5)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3), torch.nn.BatchNorm2d(5), torch.nn.ReLU())

    def forward(self, pictures: "torch.Tensor") -> "torch.Tensor":
        return self.layers(pictures).mean(dim=(2, 3))


@pytest.fixture(scope="module")
def osnet(tmp_path_factory: pytest.TempPathFactory, shared_data: Callable[[str], Path]) -> ModelManifest:
    out = tmp_path_factory.mktemp("osnet") / "osnet_x0_25_msmt17.onnx"
    return export_backbone(shared_data("models/osnet_x0_25_msmt17.pth"), out)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_osnet_gives_torch_s_embeddings_in_every_engine(
    osnet: ModelManifest, engine: str, shared_data: Callable[[str], Path]
) -> None:
    random = np.random.default_rng(0)
    crops = [random.integers(0, 256, (int(random.integers(40, 300)), 90, 3), np.uint8) for _ in range(4)]
    network = load_osnet(shared_data("models/osnet_x0_25_msmt17.pth"))
    with torch.no_grad():
        expected = network(torch.from_numpy(prepare(crops, osnet.input)[0])).numpy()
    embedder = load_embedder(osnet, engine=engine, threads=1)
    np.testing.assert_allclose(embedder.embed(crops, [HALL] * 4), expected, atol=1e-3)
    assert embedder.batch_limit > 1


def test_osnet_s_manifest_says_what_the_catalogue_knows(osnet: ModelManifest) -> None:
    assert osnet == find_model(osnet.files[0], task="embed")
    assert (osnet.licence, osnet.trained_on) == ("MIT", "MSMT17")
    assert osnet.source == "exported from osnet_x0_25_msmt17.pth"


def test_the_file_tells_nothing_of_the_machine_that_made_it(osnet: ModelManifest) -> None:
    content = Path(osnet.files[0]).read_bytes()
    assert b"site-packages" not in content
    assert b".py" not in content
    assert str(Path.cwd()).encode() not in content


def test_the_same_weights_give_the_same_version(tmp_path: Path) -> None:
    network = Tiny()
    first = export_embedder(network, tmp_path / "one" / "tiny.onnx", description=TINY)
    second = export_embedder(network, tmp_path / "two" / "tiny.onnx", description=TINY)
    assert first.model_id == second.model_id


def test_a_network_that_differs_is_not_kept(tmp_path: Path) -> None:
    def write(file: Path) -> None:
        file.write_bytes(b"weights")

    def check(file: Path) -> None:
        require_equal(np.zeros((1, 5), np.float32), np.ones((1, 5), np.float32), what=file.name)

    with pytest.raises(ModelError, match="differs from torch"):
        publish(tmp_path / "tiny.onnx", description=TINY, write=write, check=check)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [np.full((1, 5), np.nan), np.full((1, 5), 1.01), np.ones((1, 4))])
def test_nan_small_differences_and_other_shapes_are_differences(wrong: np.ndarray) -> None:
    with pytest.raises(ModelError, match=r"tiny"):
        require_equal(np.ones((1, 5), np.float32), wrong.astype(np.float32), what="tiny")


def test_rounding_is_no_difference() -> None:
    require_equal(np.ones((1, 5), np.float32), np.full((1, 5), 1 + 1e-6, np.float32), what="tiny")


def test_only_an_onnx_file_is_written(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected it to end with \.onnx"):
        export_embedder(Tiny(), tmp_path / "tiny.pt", description=TINY)
