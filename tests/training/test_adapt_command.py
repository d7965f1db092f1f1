"""`passerby adapt images` as a user runs it: killed and begun again, with other names, on real crops."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from passerby.inference import load_embedder  # noqa: E402 torch is optional
from passerby.models import find_model  # noqa: E402
from tests.training.test_adapting import write_csv, write_folder  # noqa: E402
from training.backbones.osnet import OSNet  # noqa: E402
from training.evaluate import compare, embed_images, read_split  # noqa: E402

SHORT = "about: for tests\nheight: 32\nwidth: 16\nrounds: 3\nsteps: 9\npeople_per_batch: 4\nfewest_people: 2\n"


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "passerby", "adapt", "images", *map(str, arguments), "--threads", "1", "--json"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=300, check=False)


def test_killed_and_begun_again_with_other_names_it_ends_with_the_same_model(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(OSNet(16).state_dict(), tmp_path / "start.pth")
    (tmp_path / "short.yaml").write_text(SHORT)
    options = ["--model", tmp_path / "start.pth", "--recipe", tmp_path / "short.yaml"]
    rows = write_folder(tmp_path / "a")
    others = write_folder(tmp_path / "b", names={0: 77, 1: 3, 2: 1500, 3: 0, 4: 12, 5: 9})
    first = write_csv(tmp_path / "a.csv", rows)
    second = write_csv(tmp_path / "b.csv", others)
    whole = run("--root", tmp_path / "a", "--tracklets", first, "--out", tmp_path / "whole", *options)
    assert whole.returncode == 0, whole.stderr
    report = json.loads(whole.stdout.splitlines()[-1])
    assert report["steps"] == 9
    left = {each.name for each in (tmp_path / "whole").iterdir()}
    assert left == {
        "clusters.jpg", "manifest.yaml", "model.json", "model.onnx", "model.pth", "pseudo-labels.csv", "report.json"
    }  # fmt: skip
    manifest = yaml.safe_load((tmp_path / "whole" / "manifest.yaml").read_text())
    assert manifest["parent"]["name"] == "start"

    arguments = ["--root", tmp_path / "b", "--tracklets", second, "--out", tmp_path / "killed", *options]
    killed = subprocess.Popen(command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (tmp_path / "killed" / "checkpoint.pt").exists() and killed.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait(timeout=60)
    again = run(*arguments)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["model"] == report["model"]


def test_a_user_s_mistakes_are_one_line(tmp_path: Path) -> None:
    write_folder(tmp_path / "a")
    torch.save(OSNet(16).state_dict(), tmp_path / "start.pth")
    out = tmp_path / "out"
    for arguments, expected in (
        (["--root", tmp_path / "a", "--model", "nobody", "--out", out], "no nobody.pth in"),
        (["--root", tmp_path / "a", "--model", tmp_path / "start.onnx", "--out", out], "cannot be trained"),
        (["--root", tmp_path, "--model", tmp_path / "start.pth", "--out", out], "holds no image"),
        (["--root", tmp_path / "a", "--model", tmp_path / "start.pth", "--out", out, "--recipe", "x"], "no recipe is"),
    ):
        failed = run(*arguments)
        assert failed.returncode != 0
        assert expected in failed.stderr
        assert "Traceback" not in failed.stderr
        assert not out.exists()


def test_real_crops_are_found_again_far_more_often(tmp_path: Path, shared_data: Callable[[str], Path]) -> None:
    root = shared_data("reid/pku-reid")
    weights = shared_data("models/osnet_x0_25_msmt17.pth")
    (tmp_path / "short.yaml").write_text(
        "about: for tests\nheight: 128\nwidth: 64\nrounds: 4\nsteps: 40\ngrowing: true\n"
    )
    finished = run(
        "--root", root, "--tracklets", root / "tracklets.csv", "--model", weights, "--out", tmp_path / "out",
        "--recipe", tmp_path / "short.yaml",
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    split = read_split(root, protocol="all-vs-all")
    engine = load_embedder(find_model(str(tmp_path / "out" / "model.onnx")), threads=min(2, os.cpu_count() or 1))
    try:
        found = compare(split, embed_images(engine, split.images), normalize="none")
    finally:
        engine.close()
    # As it is, the network has a mean average precision of .124.
    assert found.mean_average_precision > 0.37
    assert np.isfinite(found.cmc).all()
