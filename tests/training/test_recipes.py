"""Every shipped recipe runs from its data to a finished model, through the command."""

import itertools
import json
import re
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from passerby.cli.app import app
from passerby.errors import ConfigError
from passerby.models import read_model
from passerby.shipped import shipped_config
from tests.training.rendered_people import RenderedPeople, render_people

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.adapting import loop  # noqa: E402
from training.adapting.folder import read_crops  # noqa: E402
from training.adapting.loop import Adaptation  # noqa: E402
from training.adapting.objectives import objective_of  # noqa: E402
from training.adapting.pace import Pace  # noqa: E402
from training.adapting.recipe import RECIPES, AdaptationRecipe, MutualLoss, read_recipe  # noqa: E402 torch is optional
from training.backbones import load_backbone  # noqa: E402
from training.batch_norm import CameraNetwork  # noqa: E402
from training.recipes import TRAININGS, MocoTraining, SourceTraining, read_any_recipe  # noqa: E402
from training.starting import trainable  # noqa: E402

torch.set_num_threads(1)  # the networks are small, and the machine is shared with the other tests

QUICK = {
    "height": 64,
    "width": 32,
    "steps": 6,
    "people_per_batch": 4,
    "images_per_person": 2,
    "rounds": 2,
    "fewest_people": 2,
    "learning_rate": 3.5e-4,
    "bfloat16": False,
}
"""A few steps on few pixels; all else is as shipped."""

NEIGHBOURS = {"k1": 6, "k2": 2, "min_samples": 2}
"""What is set for thousands of crops, for a hundred."""

START = "passerby-sim-reid"


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> RenderedPeople:
    return render_people(tmp_path_factory.mktemp("people"))


def quick(name: str, folder: Path, **changes: Any) -> Path:
    """The shipped recipe `name` with few steps on few pixels."""
    document = yaml.safe_load(shipped_config(f"recipes/{name}.yaml").read_text(encoding="utf-8"))
    if document.get("kind") == "moco":
        changes = {"batch": 4, "queue": 8, "steps": QUICK["steps"], "height": 64, "width": 32, **changes}
    elif document.get("kind") == "source":
        known = SourceTraining.__struct_fields__
        changes = {key: value for key, value in QUICK.items() if key in known} | changes
    else:
        changes = QUICK | changes
        for key in document.get("grouping", {}).get("clusters", {}).keys() & NEIGHBOURS.keys():
            document["grouping"]["clusters"][key] = NEIGHBOURS[key]
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(document | changes), encoding="utf-8")
    return file


def run(*arguments: object) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*map(str, arguments), "--threads", "1", "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.mark.parametrize("name", RECIPES)
def test_the_rounds_of_every_recipe_change_a_network(name: str, people: RenderedPeople, tmp_path: Path) -> None:
    recipe = read_recipe(str(quick(name, tmp_path)))
    start = trainable(START)
    how = msgspec.structs.replace(start.how, height=64, width=32)
    crops = read_crops(people.images, height=64, width=32).crops
    cameras = len(crops.camera_names) if recipe.batch_norm == "camera" else 1
    network = CameraNetwork(start.network, cameras=cameras)
    before = {key: value.clone() for key, value in network.site_state().items() if key.endswith("conv.weight")}
    pace = Pace(rounds=recipe.rounds, steps=recipe.steps, seconds=None, now=time.monotonic)
    done = Adaptation(network, crops, recipe, how=how, seed=1, pace=pace).run()
    assert torch.get_num_threads() == 1  # as it was, though clustering runs on all cores
    assert [(each.number, each.steps) for each in done.rounds] == [(1, 3), (2, 3)]
    assert all(each.clusters >= 2 and np.isfinite(each.loss) for each in done.rounds)
    after = done.network.site_state()
    assert all(torch.isfinite(value).all() for value in after.values())
    assert any(not torch.equal(value, after[key]) for key, value in before.items())


def test_where_time_cuts_rounds_the_last_is_learned_from_as_the_last(
    people: RenderedPeople, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at the clock takes a second here: of six rounds there is time for fewer."""
    recipe = msgspec.structs.replace(read_recipe(str(quick("pul", tmp_path))), rounds=6)
    start = trainable(START)
    how = msgspec.structs.replace(start.how, height=64, width=32)
    crops = read_crops(people.images, height=64, width=32).crops
    progress: list[float] = []

    def seen(*arguments: Any, **options: Any) -> Any:
        progress.append(options["progress"])
        return objective_of(*arguments, **options)

    monkeypatch.setattr(loop, "objective_of", seen)
    ticks = itertools.count()
    pace = Pace(rounds=6, steps=0, seconds=60.0, now=lambda: 4.0 * next(ticks))
    done = Adaptation(CameraNetwork(start.network, cameras=1), crops, recipe, how=how, seed=1, pace=pace).run()
    assert 1 < len(done.rounds) < 6
    assert progress[0] == 0.0
    assert progress[-1] == 1.0


def test_a_recipe_adapts_by_the_command_of_any_training(people: RenderedPeople, tmp_path: Path) -> None:
    out, recipe = tmp_path / "out", quick("mmt", tmp_path)
    report = run("train", "--recipe", recipe, "--data", people.images, "--model", START, "--out", out)
    assert report["steps"] == QUICK["steps"]
    assert read_model(out / "model.onnx").model_id == report["model"]
    load_backbone(out / "model.pth")


def test_moco_learns_from_an_archive_and_source_goes_on_from_there(people: RenderedPeople, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    recipe = quick("moco", tmp_path)
    report = run("train", "--recipe", recipe, "--data", people.archive, "--backbone", "osnet_x0_25", "--out", first)
    images = len(list(people.images.iterdir()))
    assert (report["crops"], report["steps"]) == (images, QUICK["steps"])
    recipe = quick("source", tmp_path)
    report = run(
        *("train", "--recipe", recipe, "--data", people.market),
        *("--model", first / "model.pth", "--out", second),
    )
    assert (report["images"], report["cameras"], report["steps"]) == (images, 3, QUICK["steps"])
    assert json.loads((second / "report.json").read_text()) == report
    model = read_model(second / "model.onnx")
    assert model.model_id == report["model"]
    assert (model.input.height, model.input.width) == (64, 32)
    assert model.trained_on.startswith("model@")
    load_backbone(second / "model.pth")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--recipe", "source", "--data", "."], "--out is missing"),
        (["--recipe", "source", "--data", ".", "--out", "o"], "either weights .* --model, or .* --backbone"),
        (["--recipe", "sorce", "--data", ".", "--out", "o"], "no recipe is called 'sorce'; did you mean source?"),
        (["--recipe", "moco", "--data", ".", "--out", "o", "--minutes", "1"], "--minutes is for adaptations"),
        (["--recipe", "mmt", "--data", ".", "--out", "o"], "mmt adapts trained weights; name them with --model"),
        (["--recipe", "moco", "--data", ".", "--out", "o", "--backbone", "vgg"], "no backbone is called 'vgg'"),
    ],
)
def test_what_is_asked_for_wrongly_is_one_clear_line(arguments: list[str], problem: str) -> None:
    error = CliRunner().invoke(app, ["train", *arguments]).exception
    assert error is not None
    assert re.search(problem, str(error))
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("kind: source\nabout: x\nmargn: 0.3", "not a recipe of kind source: .*`margn`; did you mean `margin`"),
        ("kind: mocco\nabout: x", "`kind` is 'mocco', expected adaptation, source, moco"),
        ("kind: moco\nabout: x\nqueue: 3", "`queue` is 3, expected at least `batch`, 64"),
        ("about: x\nloss: {kind: mutual}", "`teacher` must be above 0"),
        ("about: x\nloss: {kind: mutal}", "mutal"),
        ("about: x\ngrouping: {take_apart: 2}", "take_apart"),
        ("rounds: [", "not YAML"),
        ("- 3", "holds no settings of a recipe"),
        ("", "holds no settings of a recipe"),
    ],
)
def test_what_a_file_says_wrongly_is_one_clear_line(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        read_any_recipe(str(file))
    assert str(file) in str(raised.value)
    assert re.search(problem, str(raised.value))
    assert "\n" not in str(raised.value)


def test_all_shipped_recipes_can_be_read_and_say_what_they_are() -> None:
    for name in (*RECIPES, *TRAININGS):
        assert len(read_any_recipe(name).about) > 20
    assert isinstance(read_any_recipe("source"), SourceTraining)
    assert isinstance(read_any_recipe("moco"), MocoTraining)
    mutual = read_any_recipe("mmt")
    assert isinstance(mutual, AdaptationRecipe)
    assert isinstance(mutual.loss, MutualLoss)


def test_an_adaptation_refuses_the_recipes_of_other_trainings(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("kind: source\nabout: x", encoding="utf-8")
    with pytest.raises(ConfigError, match="kind source, which `passerby train --recipe` runs"):
        read_recipe(str(file))
