"""Training on a GPU: it learns there, in 16 bits, and what it leaves is read anywhere."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from tests.training import test_moco, test_source  # noqa: E402 torch is optional
from tests.training.test_adapting import SHORT, write_csv, write_folder  # noqa: E402
from training.adapting.images import adapt_images  # noqa: E402
from training.adapting.order import Order  # noqa: E402
from training.adapting.recipe import Distillation, GuessingLoss, HybridLoss, MemoryLoss, MutualLoss  # noqa: E402
from training.backbones import load_backbone  # noqa: E402
from training.backbones.osnet import OSNet  # noqa: E402
from training.device import Precision, half_type  # noqa: E402
from training.moco import pretrain  # noqa: E402
from training.source import SourceRecipe, train_source  # noqa: E402

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no NVIDIA GPU here"),
]


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("loss", [MemoryLoss(proxies="camera"), GuessingLoss(), HybridLoss(), MutualLoss()])
def test_an_adaptation(loss: MemoryLoss | GuessingLoss | HybridLoss | MutualLoss, half: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(OSNet(16).state_dict(), tmp_path / "start.pth")
    tracklets = write_csv(tmp_path / "a.csv", write_folder(tmp_path / "a"))
    recipe = msgspec.structs.replace(
        SHORT,
        height=32,
        width=16,
        fewest_people=2,
        people_per_batch=4,
        bfloat16=half,
        loss=loss,
        teacher=0.9,
        distillation=Distillation(weight=1.0),
    )
    order = Order(model=str(tmp_path / "start.pth"), recipe_name="short", recipe=recipe, device="cuda")
    report = adapt_images(tmp_path / "a", order, out=tmp_path / "out", tracklets=tracklets, progress=lambda *_: None)
    assert all(np.isfinite(each["loss"]) for each in report["rounds"])
    load_backbone(tmp_path / "out" / "model.pth")


def test_training_with_names_and_with_tracklets() -> None:
    losses: list[float] = []
    crops = test_source.coloured_people(6, 4)
    network = OSNet(16).to("cuda")
    recipe = SourceRecipe(steps=4, people_per_batch=4)
    train_source(
        network, crops, recipe, how=test_source.SMALL, seed=0, progress=lambda _, loss: losses.append(loss.total)
    )
    network = test_moco.untrained().to("cuda")
    pretrain(
        network,
        test_moco.noise(6),
        test_moco.QUICK,
        how=test_moco.SMALL,
        seed=0,
        progress=lambda _, loss: losses.append(loss),
    )
    assert np.isfinite(losses).all()
    assert next(network.parameters()).is_cuda


def test_gradients_that_overflow_in_16_bits_change_nothing() -> None:
    device = torch.device("cuda")
    precision = Precision(device, half=True)
    layer = torch.nn.Linear(4, 2).to(device)
    before = layer.weight.detach().clone()
    with precision.computing():
        said = layer(torch.ones(3, 4, device=device))
    assert said.dtype == half_type(device)
    precision.backward(said.float().sum() * (torch.inf if half_type(device) is torch.float16 else 0.0))
    precision.step([torch.optim.SGD(layer.parameters(), lr=0.1)])
    torch.testing.assert_close(layer.weight.detach(), before)
