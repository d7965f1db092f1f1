"""Several processes that train one network: they end with the same, and one alone is asked for nothing."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from passerby.errors import ConfigError, DataError

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from tests.training.test_adapt_command import SHORT  # noqa: E402
from tests.training.test_adapting import write_csv, write_folder  # noqa: E402 torch is optional
from training.backbones.osnet import OSNet  # noqa: E402
from training.device import Precision, chosen_device  # noqa: E402
from training.team import ALONE, Team, is_first, require_alone  # noqa: E402

torch.set_num_threads(1)


def torchrun(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Two processes on this machine."""
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
        + [str(each) for each in arguments],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def test_two_processes_end_with_the_same(tmp_path: Path) -> None:
    done = torchrun("tests.training.team_member", tmp_path)
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first.keys() == {"memory", "guessing"}
    for name, ours in first.items():
        theirs = second[name]
        assert ours["losses"] == theirs["losses"]
        torch.testing.assert_close(ours["people"], theirs["people"], rtol=0, atol=0)
        torch.testing.assert_close(ours["weights"], theirs["weights"], rtol=0, atol=0)
        torch.testing.assert_close(ours["students"], theirs["students"], rtol=0, atol=0)


def test_torchrun_adapts_by_the_command_and_one_process_writes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(OSNet(16).state_dict(), tmp_path / "start.pth")
    (tmp_path / "short.yaml").write_text(SHORT)
    rows = write_folder(tmp_path / "a")
    options = ["--model", tmp_path / "start.pth", "--recipe", tmp_path / "short.yaml", "--device", "cpu", "--json"]
    done = torchrun(
        *("passerby", "adapt", "images", "--root", tmp_path / "a", "--out", tmp_path / "out", *options),
        *("--tracklets", write_csv(tmp_path / "a.csv", rows)),
    )
    assert done.returncode == 0, done.stderr
    report, *more = [json.loads(line) for line in done.stdout.splitlines()]
    assert not more
    assert report["steps"] == 9
    assert not (tmp_path / "out" / "checkpoint.pt").exists()


def test_everybody_in_a_batch_is_learned_from_by_one_process() -> None:
    people = np.array([4, 4, 2, 9, 9, 2, 7])
    rows = np.arange(10, 17)
    shares = Team(size=3).shares(rows, people)
    assert sorted(np.concatenate(shares).tolist()) == rows.tolist()
    of_shares = [set(people[share - 10].tolist()) for share in shares]
    assert of_shares == [{2, 9}, {4}, {7}]
    with pytest.raises(DataError, match="4 people in a batch for 5 processes; start fewer"):
        Team(size=5).shares(rows, people)
    assert ALONE.shares(rows, people)[0] is rows


def test_one_alone_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ALONE.leads
    assert ALONE.led(lambda: 5) == 5
    assert ALONE.summed(0.1) == 0.1
    features = torch.ones(2, 3)
    assert ALONE.gathered(features, [np.arange(2)]) is features
    assert is_first()
    require_alone("moco")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert not is_first()
    with pytest.raises(ConfigError, match="moco trains in one process; start it without torchrun"):
        require_alone("moco")


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without a GPU")
def test_a_gpu_that_is_not_there_is_one_clear_line() -> None:
    assert chosen_device("auto") == chosen_device("cpu") == torch.device("cpu")
    with pytest.raises(ConfigError, match="torch finds no NVIDIA GPU here"):
        chosen_device("cuda")


def test_what_is_computed_in_32_bits_is_what_torch_computes() -> None:
    torch.manual_seed(0)
    ours, theirs = torch.nn.Linear(4, 2), torch.nn.Linear(4, 2)
    theirs.load_state_dict(ours.state_dict())
    precision, pictures = Precision(torch.device("cpu"), half=False), torch.randn(3, 4)
    optimizers = [torch.optim.SGD(each.parameters(), lr=0.1) for each in (ours, theirs)]
    with precision.computing():
        loss = ours(pictures).square().sum()
    precision.backward(loss)
    precision.step(optimizers[:1])
    theirs(pictures).square().sum().backward()
    optimizers[1].step()
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)
