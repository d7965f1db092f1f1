"""Every shipped recipe runs from its data to a finished model, through the command."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from passerby.cli.app import app
from passerby.errors import ConfigError
from passerby.models import read_model
from passerby.shipped import shipped_config
from tests.training.rendered_people import RenderedPeople, render_people

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.adapting.recipe import RECIPES, AdaptationRecipe, MutualLoss, read_recipe  # noqa: E402 torch is optional
from training.backbones import load_backbone, make_backbone  # noqa: E402
from training.recipes import TRAININGS, MocoTraining, SourceTraining, read_any_recipe  # noqa: E402

torch.set_num_threads(1)  # the networks are small, and the machine is shared with the other tests

QUICK = {
    "height": 64,
    "width": 32,
    "steps": 8,
    "people_per_batch": 4,
    "images_per_person": 2,
    "rounds": 2,
    "fewest_people": 2,
    "learning_rate": 1e-3,
}
"""A few steps on few pixels; all else is as shipped."""


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> RenderedPeople:
    return render_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("start") / "osnet.pth"
    torch.save(make_backbone("osnet_x0_25").state_dict(), file)
    return file


def quick(name: str, folder: Path, **changes: Any) -> Path:
    """The shipped recipe `name` with few steps on few pixels."""
    document = yaml.safe_load(shipped_config(f"recipes/{name}.yaml").read_text(encoding="utf-8"))
    if document.get("kind") == "moco":
        changes = {"batch": 4, "queue": 8, "steps": 4, "height": 64, "width": 32, **changes}
    elif document.get("kind") == "source":
        changes = {key: value for key, value in QUICK.items() if key not in ("rounds", "fewest_people")} | changes
    else:
        changes = QUICK | changes
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(document | changes), encoding="utf-8")
    return file


def run(*arguments: object) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*map(str, arguments), "--threads", "1", "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_adapts_a_network_to_images_without_names(
    name: str, people: RenderedPeople, start: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    report = run("train", "--recipe", quick(name, tmp_path), "--data", people.images, "--model", start, "--out", out)
    assert report["steps"] == QUICK["steps"]
    assert [each["number"] for each in report["rounds"]] == [1, 2]
    assert read_model(out / "model.onnx").model_id == report["model"]
    before, after = load_backbone(start).state_dict(), load_backbone(out / "model.pth").state_dict()
    weights = [key for key in before if key.endswith("conv.weight")]
    assert all(torch.isfinite(after[key]).all() for key in weights)
    assert any(not torch.equal(before[key], after[key]) for key in weights)


def test_source_trains_on_people_with_names(people: RenderedPeople, start: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = run(
        "train", "--recipe", quick("source", tmp_path), "--data", people.market, "--model", start, "--out", out
    )
    assert report["images"] == len(list(people.images.iterdir()))
    assert report["cameras"] == 3
    assert report["steps"] == QUICK["steps"]
    model = read_model(out / "model.onnx")
    assert model.model_id == report["model"]
    assert (model.input.height, model.input.width) == (64, 32)
    assert "osnet@" in model.trained_on
    assert json.loads((out / "report.json").read_text()) == report
    load_backbone(out / "model.pth")


def test_moco_learns_from_an_archive_of_crops_and_the_next_training_starts_from_it(
    people: RenderedPeople, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    recipe = quick("moco", tmp_path)
    report = run("train", "--recipe", recipe, "--data", people.archive, "--backbone", "osnet_x0_25", "--out", first)
    assert report["crops"] == len(list(people.images.iterdir()))
    assert report["steps"] == 4
    source = quick("source", tmp_path, steps=1)
    run("train", "--recipe", source, "--data", people.market, "--model", first / "model.pth", "--out", second)
    assert read_model(second / "model.onnx").trained_on.startswith("model@")


def test_the_same_seed_gives_the_same_network(people: RenderedPeople, tmp_path: Path) -> None:
    recipe = quick("source", tmp_path, steps=2)
    models = [
        run(
            *("train", "--recipe", recipe, "--data", people.market, "--backbone", "osnet_x0_25"),
            *("--out", tmp_path / str(number), "--seed", seed),
        )["model"]
        for number, seed in enumerate((1, 1, 2))
    ]
    assert models[0] == models[1] != models[2]


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
