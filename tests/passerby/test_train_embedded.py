"""The one command that makes the embedded models, on a recipe of seconds."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from passerby.cli.app import app
from passerby.errors import ConfigError
from passerby.inference import load_detector, load_embedder
from passerby.models import find_model
from passerby.shipped import shipped_config

pytest.importorskip("torch", reason="needs passerby[training]")

from passerby.cli.embedded.recipe import read_recipe
from training.backbones.osnet import load_osnet


def small_recipe(folder: Path, **sites: object) -> Path:
    recipe = yaml.safe_load(shipped_config("recipes/embedded.yaml").read_text(encoding="utf-8"))
    recipe["sites"] |= {"count": 2, "held_out": 1, "cameras": 2, "people": 6, "frames_per_camera": 6, "seconds": 120}
    recipe["sites"] |= sites
    recipe["detector_input"] |= {"height": 96, "width": 160}
    recipe["detector"] |= {"steps": 2, "batch": 2}
    recipe["reid_input"] |= {"height": 64, "width": 32}
    recipe["reid"] |= {"steps": 2, "people_per_batch": 2, "images_per_person": 2}
    file = folder / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return file


@pytest.mark.system
def test_the_command_makes_both_models_and_says_what_they_are_worth(tmp_path: Path) -> None:
    out = tmp_path / "made"
    arguments = ["train", "embedded", "--out", str(out), "--recipe", str(small_recipe(tmp_path)), "--json"]
    done = CliRunner().invoke(app, [*arguments, "--processes", "1"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout.splitlines()[-1])
    assert 0 <= report["mAP"] <= 1
    detector = find_model(str(out / "passerby-sim-detector.onnx"), task="detect")
    reid = find_model(str(out / "passerby-sim-reid.onnx"), task="embed")
    assert (report["detector"], report["reid"]) == (detector.model_id, reid.model_id)
    assert reid.embedding is not None
    assert reid.embedding.reference is not None
    assert load_osnet(out / "passerby-sim-reid.pth").fc[0].weight.shape == (512, 128)
    for load, manifest in ((load_detector, detector), (load_embedder, reid)):
        load(manifest, threads=1).close()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("seed: [", "not a recipe"),
        ("seed: 1\nsteps: 3\n", "not a recipe"),
        ("seed: none\n", "not a recipe"),
        ("", "not a recipe"),
    ],
)
def test_a_wrong_recipe_is_named(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=reason) as caught:
        read_recipe(file)
    assert str(file) in str(caught.value)


def test_a_recipe_that_is_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the recipe"):
        read_recipe(tmp_path / "nowhere.yaml")


def test_the_shipped_recipe_trains_on_other_sites_than_anybody_types() -> None:
    recipe = read_recipe()
    assert recipe.sites.first_seed > 1_000_000_000
    assert recipe.sites.held_out >= 1
