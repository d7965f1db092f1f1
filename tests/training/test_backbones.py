"""Backbones: published state dicts are recognised by their names, load as they are, and export."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from passerby.arrays import Image
from passerby.errors import ModelError
from passerby.ids import CameraId
from passerby.inference import load_embedder

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.backbones import BACKBONES, Backbone, load_backbone, make_backbone  # noqa: E402 torch is optional
from training.backbones.osnet import OSNet  # noqa: E402
from training.backbones.osnet_ain import OSNetAIN  # noqa: E402
from training.backbones.pooling import GeneralizedMeanPooling  # noqa: E402
from training.backbones.resnet import InstanceBatchNorm, ResNet50  # noqa: E402
from training.evaluate.labelled import read_image  # noqa: E402
from training.export import export_backbone  # noqa: E402

_MILLIONS = {
    "osnet_x0_25": 0.20,
    "osnet_x0_5": 0.63,
    "osnet_x0_75": 1.29,
    "osnet_x1_0": 2.17,
    "osnet_ain_x1_0": 2.17,
    "resnet50": 23.5,
    "resnet50_ibn_a": 23.5,
}
"""Parameters without a classifier, as published."""


def batch_norm(name: str) -> set[str]:
    parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    return {f"{name}.{part}" for part in parts}


def affine(name: str) -> set[str]:
    return {f"{name}.weight", f"{name}.bias"}


def resnet50_names(*, ibn: bool) -> set[str]:
    names = {"conv1.weight"} | batch_norm("bn1")
    for layer, blocks in enumerate((3, 4, 6, 3), 1):
        for block in range(blocks):
            at = f"layer{layer}.{block}"
            for number in (1, 2, 3):
                names |= {f"{at}.conv{number}.weight"}
                if ibn and number == 1 and layer < 4:
                    names |= affine(f"{at}.bn1.IN") | batch_norm(f"{at}.bn1.BN")
                else:
                    names |= batch_norm(f"{at}.bn{number}")
            if block == 0:
                names |= {f"{at}.downsample.0.weight"} | batch_norm(f"{at}.downsample.1")
    return names


def osnet_ain_names() -> set[str]:
    names = {"conv1.conv.weight"} | affine("conv1.bn") | affine("fc.0") | batch_norm("fc.1")
    for name in ("pool2.0", "pool3.0", "conv5"):
        names |= {f"{name}.conv.weight"} | batch_norm(f"{name}.bn")
    instance = {"conv2.0", "conv2.1", "conv3.1", "conv4.0"}
    for at in ("conv2.0", "conv2.1", "conv3.0", "conv3.1", "conv4.0", "conv4.1"):
        names |= {f"{at}.conv1.conv.weight", f"{at}.conv3.conv.weight"} | batch_norm(f"{at}.conv1.bn")
        names |= affine(f"{at}.gate.fc1") | affine(f"{at}.gate.fc2")
        names |= affine(f"{at}.IN") if at in instance else batch_norm(f"{at}.conv3.bn")
        if at.endswith(".0"):
            names |= {f"{at}.downsample.conv.weight"} | batch_norm(f"{at}.downsample.bn")
        for stream in range(4):
            for depth in range(stream + 1):
                inner = f"{at}.conv2.{stream}.layers.{depth}"
                names |= {f"{inner}.conv1.weight", f"{inner}.conv2.weight"} | batch_norm(f"{inner}.bn")
    return names


def drawn(name: str, *, seed: int = 0, pooling: str = "mean") -> Backbone:
    """A network whose statistics are not those of a new one, so that a norm put in the wrong place shows."""
    torch.manual_seed(seed)
    network = make_backbone(name, pooling=pooling)  # type: ignore[arg-type]
    for key, value in network.state_dict().items():
        if key.endswith(("bn.weight", "IN.weight", "BN.weight", "running_var")):
            value.uniform_(0.7, 1.3)
        elif key.endswith(("running_mean", "bn.bias", "IN.bias", "BN.bias")):
            value.uniform_(-0.2, 0.2)
    return network.eval()


def saved(state: object, folder: Path) -> Path:
    torch.save(state, folder / "weights.pth")
    return folder / "weights.pth"


def assert_same(first: "Backbone", second: "Backbone") -> None:
    pictures = torch.randn(2, 3, 64, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(first(pictures), second(pictures))


@pytest.fixture(scope="module")
def crops(shared_data: Callable[[str], Path]) -> list[Image]:
    files = sorted(shared_data("reid/pku-reid").rglob("*.png"))
    return [read_image(file) for file in files[::150]]


@pytest.mark.parametrize("name", BACKBONES)
def test_each_has_the_published_number_of_parameters(name: str) -> None:
    network = make_backbone(name).eval()
    millions = sum(weights.numel() for weights in network.parameters()) / 1e6
    assert millions == pytest.approx(_MILLIONS[name], abs=0.05 if "resnet" in name else 0.005)
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 64, 32)).shape == (1, network.feature_dimension)


def test_the_names_are_those_of_the_published_state_dicts() -> None:
    assert set(ResNet50().state_dict()) == resnet50_names(ibn=False)
    assert set(ResNet50(ibn=True).state_dict()) == resnet50_names(ibn=True)
    assert set(OSNetAIN().state_dict()) == osnet_ain_names()


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("pooling", ["mean", "gem"])
def test_a_saved_network_comes_back_as_it_was(name: str, pooling: str, tmp_path: Path) -> None:
    network = drawn(name, pooling=pooling)
    loaded = load_backbone(saved(network.state_dict(), tmp_path))
    assert type(loaded) is type(network)
    assert not loaded.training
    assert_same(network, loaded)


def torchvision(state: dict[str, "torch.Tensor"]) -> object:
    without = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    return {**without, "fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}


def torchreid(state: dict[str, "torch.Tensor"]) -> object:
    named = {f"module.{key}": value for key, value in state.items()}
    return {
        "state_dict": named | {"module.classifier.weight": torch.zeros(7, 2048)},
        "epoch": 60,
        "rank1": np.float64(0.8),
    }


def spcl(state: dict[str, "torch.Tensor"]) -> object:
    numbers = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}
    named = {}
    for key, value in state.items():
        first, rest = key.split(".", maxsplit=1)
        named[f"module.base.{numbers[first]}.{rest}"] = value
    named |= {f"module.feat_bn.{part}": torch.ones(2048) for part in ("weight", "bias", "running_mean", "running_var")}
    return {"state_dict": named, "epoch": 50, "best_mAP": np.float64(0.83)}


def bag_of_tricks(state: dict[str, "torch.Tensor"]) -> object:
    named = {f"base.{key}": value for key, value in state.items()}
    return named | {"bottleneck.weight": torch.ones(2048), "classifier.weight": torch.zeros(751, 2048)}


def fast_reid(state: dict[str, "torch.Tensor"]) -> object:
    named = {f"backbone.{key}": value for key, value in state.items()}
    heads = {"heads.bottleneck.0.weight": torch.ones(2048), "heads.weight": torch.zeros(751, 2048)}
    return {"model": named | heads | {"pixel_mean": torch.zeros(1, 3, 1, 1)}, "iteration": 5}


def moco(state: dict[str, "torch.Tensor"]) -> object:
    named = {f"module.encoder_q.{key}": value for key, value in state.items()}
    others = {f"module.encoder_k.{key}": value * 0 for key, value in state.items()}
    return {"state_dict": others | named | {"module.queue": torch.zeros(128, 16)}}


@pytest.mark.parametrize("layout", [torchvision, torchreid, spcl, bag_of_tricks, fast_reid, moco])
@pytest.mark.parametrize("name", ["resnet50", "resnet50_ibn_a"])
def test_the_layouts_of_other_toolboxes_load(name: str, layout: Callable[..., object], tmp_path: Path) -> None:
    network = drawn(name)
    loaded = load_backbone(saved(layout(network.state_dict()), tmp_path))
    assert isinstance(loaded, ResNet50)
    assert_same(network, loaded)


@pytest.mark.parametrize("layout", [torchreid, fast_reid])
@pytest.mark.parametrize("name", ["osnet_x0_25", "osnet_ain_x1_0"])
def test_osnets_load_from_checkpoints_too(name: str, layout: Callable[..., object], tmp_path: Path) -> None:
    network = drawn(name)
    loaded = load_backbone(saved(layout(network.state_dict()), tmp_path))
    assert type(loaded) is type(network)
    assert_same(network, loaded)


@pytest.mark.parametrize("power_at", ["gap.p", "heads.pool_layer.p"])
def test_a_file_with_a_power_pools_by_it_unless_told_otherwise(power_at: str, tmp_path: Path) -> None:
    prefix = "base." if power_at == "gap.p" else "backbone."
    state = {f"{prefix}{key}": value for key, value in drawn("resnet50").state_dict().items()}
    file = saved(state | {power_at: torch.tensor([2.5])}, tmp_path)
    pool = load_backbone(file).pool
    assert isinstance(pool, GeneralizedMeanPooling)
    assert float(pool.p.detach()) == 2.5
    assert_same(load_backbone(file, pooling="mean"), drawn("resnet50"))
    without = saved({key: value for key, value in state.items() if key != power_at}, tmp_path)
    assert float(load_backbone(without, pooling="gem").pool.p.detach()) == 3.0


def test_the_stride_of_the_last_layer_is_one_unless_asked_otherwise(tmp_path: Path) -> None:
    network = drawn("resnet50")
    file = saved(network.state_dict(), tmp_path)
    maps: list[tuple[int, ...]] = []
    for loaded in (load_backbone(file), load_backbone(file, last_stride=2)):
        loaded.layer4.register_forward_hook(lambda _module, _in, out: maps.append(tuple(out.shape)))
        with torch.no_grad():
            loaded(torch.zeros(1, 3, 256, 128))
    assert maps == [(1, 2048, 16, 8), (1, 2048, 8, 4)]


def renamed(state: dict[str, "torch.Tensor"], old: str, new: str) -> dict[str, "torch.Tensor"]:
    return {key.replace(old, new): value for key, value in state.items()}


def wrong_files() -> Iterator[tuple[Callable[[], object], str]]:
    resnet = lambda: ResNet50().state_dict()  # noqa: E731 a table of files
    yield lambda: {"some.weight": torch.zeros(1)}, r"no backbone known here.* beside some\.weight"
    yield lambda: {}, r"holds dict, expected a state dict"
    yield lambda: {"state_dict": {"conv1.weight": [1, 2]}}, r"conv1\.weight is list, expected a tensor"
    yield lambda: {"conv1.weight": torch.zeros(1)}, r"not a ResNet50: conv1\.weight has shape \(1,\)"
    yield lambda: renamed(resnet(), "layer2.0.conv2", "layer2.0.conv9"), r"not a ResNet50: it has no layer2\.0\.conv2"
    yield lambda: resnet() | {"layer3.6.conv1.weight": torch.zeros(1)}, r"a ResNet50, which has no layer3\.6\.conv1"
    yield lambda: resnet() | {"fc.0.weight": torch.zeros(512, 2048)}, r"a ResNet50, which has no fc\.0\.weight"
    yield (
        lambda: resnet() | {"layer1.0.bn1.IN.weight": torch.zeros(32)},
        r"not an IBN-ResNet50-a: it has no layer1\.0\.bn1\.IN\.bias",
    )
    yield (
        lambda: renamed(OSNetAIN().state_dict(), "conv2.0.IN", "conv2.0.LN"),
        r"not an OSNet-AIN x1\.0: it has no conv2\.0\.IN\.weight",
    )
    yield (
        lambda: {key: value for key, value in OSNet(64).state_dict().items() if not key.startswith("conv1.bn.running")},
        r"not a plain OSNet: it has no conv1\.bn\.running_mean",
    )


@pytest.mark.parametrize(("content", "reason"), list(wrong_files()))
def test_other_files_are_refused_by_the_key_that_is_wrong(
    content: Callable[[], object], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=reason) as error:
        load_backbone(saved(content(), tmp_path))
    assert "\n" not in str(error.value)
    assert str(tmp_path / "weights.pth") in str(error.value)


@pytest.mark.parametrize("name", ["resnet51", "", "OSNET"])
def test_an_unknown_name_lists_those_that_there_are(name: str) -> None:
    with pytest.raises(ModelError, match=r"no backbone is called .*; expected osnet_x1_0, .*timm:NAME"):
        make_backbone(name)
    with pytest.raises(ModelError, match=r"no pooling is called 'max'; expected mean or gem"):
        make_backbone("osnet_x0_25", pooling="max")  # type: ignore[arg-type]


def test_timm_s_networks_need_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ModelError, match=r"timm:vit_small needs timm, .*pip install timm"):
        make_backbone("timm:vit_small")


def test_half_of_the_channels_are_normalized_by_picture() -> None:
    layer = InstanceBatchNorm(6).train()
    maps = torch.randn(4, 6, 5, 3, generator=torch.Generator().manual_seed(0)) * 3 + 1
    normalized = layer(maps)
    by_picture = (maps - maps.mean(dim=(2, 3), keepdim=True)) / maps.std(dim=(2, 3), keepdim=True, correction=0)
    by_batch = (maps - maps.mean(dim=(0, 2, 3), keepdim=True)) / maps.std(dim=(0, 2, 3), keepdim=True, correction=0)
    torch.testing.assert_close(normalized, torch.cat([by_picture[:, :3], by_batch[:, 3:]], dim=1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("p", "expected"), [(1.0, 2.0), (2.0, 5.0**0.5), (64.0, 3 * 0.5 ** (1 / 64))])
def test_a_generalized_mean_lies_between_the_mean_and_the_largest(p: float, expected: float) -> None:
    maps = torch.tensor([[[[1.0, 3.0]]]])
    assert float(GeneralizedMeanPooling(p)(maps).detach()) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["osnet_x0_25", "osnet_ain_x1_0", "resnet50", "resnet50_ibn_a"])
def test_every_family_exports_and_gives_torch_s_embeddings_on_real_crops(
    name: str, tmp_path: Path, crops: list[Image]
) -> None:
    network = drawn(name, pooling="gem" if name == "resnet50_ibn_a" else "mean")
    manifest = export_backbone(saved(network.state_dict(), tmp_path), tmp_path / f"{name}.onnx", crops=crops)
    assert manifest.embedding is not None
    assert manifest.embedding.dimension == network.feature_dimension
    from passerby.inference.preprocessing import prepare

    with torch.no_grad():
        expected = network(torch.from_numpy(prepare(crops, manifest.input)[0])).numpy()
    embedder = load_embedder(manifest, engine="onnxruntime", threads=1)
    actual = embedder.embed(crops, [CameraId("hall")] * len(crops))
    assert np.abs(actual - expected).max() <= 1e-4 * np.abs(expected).max()
