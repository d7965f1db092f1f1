"""OSNet: torchreid's weights load by name at every width."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from passerby.errors import ModelError
from passerby.models import find_model

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.backbones.osnet import OSNet, load_osnet  # noqa: E402 torch is optional
from training.export import run_onnx  # noqa: E402

# Millions of parameters without the classifier, as the paper's table 2 and torchreid's model zoo give them.
_MILLIONS = {64: 2.2, 48: 1.3, 32: 0.6, 16: 0.2}


@pytest.mark.parametrize("stem", sorted(_MILLIONS))
def test_every_width_has_the_published_size_and_gives_512_numbers(stem: int) -> None:
    network = OSNet(stem).eval()
    assert sum(weights.numel() for weights in network.parameters()) / 1e6 == pytest.approx(_MILLIONS[stem], abs=0.05)
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 256, 128)).shape == (1, 512)


def test_torchreid_s_weights_load_in_evaluation_mode(shared_data: Callable[[str], Path]) -> None:
    network = load_osnet(shared_data("models/osnet_x0_25_msmt17.pth"))
    assert not network.training
    picture = torch.randn(2, 3, 256, 128, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together, alone = network(picture), network(picture[:1])
    torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-4)
    assert together.abs().max() > 0.1


def test_a_state_dict_in_a_checkpoint_of_parallel_training_loads(tmp_path: Path) -> None:
    network = OSNet(16)
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    state["module.classifier.weight"] = torch.zeros(7, 512)
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "weights.pth")
    loaded = load_osnet(tmp_path / "weights.pth")
    torch.testing.assert_close(loaded.fc[0].weight, network.fc[0].weight)


def test_missing_layers_are_named(tmp_path: Path) -> None:
    state = OSNet(16).state_dict()
    del state["conv3.0.gate.fc1.weight"]
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(ModelError, match=r"not a plain OSNet: .*conv3\.0\.gate\.fc1\.weight"):
        load_osnet(tmp_path / "weights.pth")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"conv1.weight": torch.zeros(1)}, "no conv1.conv.weight"),
        ({"conv1.conv.weight": torch.zeros(20, 3, 7, 7)}, "no OSNet has 20 channels"),
        ([1, 2], "holds list"),
    ],
)
def test_other_weights_are_refused(tmp_path: Path, content: object, reason: str) -> None:
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(ModelError, match=reason):
        load_osnet(tmp_path / "weights.pth")


def test_a_pickle_that_could_run_code_is_refused(tmp_path: Path) -> None:
    torch.save(OSNet(16), tmp_path / "weights.pth")  # the whole module, not its state
    with pytest.raises(ModelError, match="weights_only=True"):
        load_osnet(tmp_path / "weights.pth")


def test_garbage_and_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"garbage")
    with pytest.raises(ModelError, match="not a state dict"):
        load_osnet(tmp_path / "weights.pth")
    with pytest.raises(ModelError, match="cannot read the state dict"):
        load_osnet(tmp_path / "nothing.pth")


def test_the_embedded_network_s_weights_are_those_of_its_onnx_file() -> None:
    manifest = find_model("passerby-sim-reid", task="embed", environment={})
    file = Path(manifest.files[0])
    pictures = torch.randn(
        2, 3, manifest.input.height, manifest.input.width, generator=torch.Generator().manual_seed(0)
    )
    with torch.no_grad():
        embeddings = load_osnet(file.with_suffix(".pth"))(pictures).numpy()
    np.testing.assert_allclose(run_onnx(file, pictures.numpy()), embeddings, atol=1e-4)
