"""The models that come with Passerby: found without any download, small, and honest about what they are for."""

from pathlib import Path

import numpy as np
import pytest

from passerby.ids import CameraId
from passerby.inference import load_detector, load_embedder
from passerby.models import find_model
from passerby.models.inventory import describe_model, list_models
from tests.passerby.tiny_networks import tiny_detector

NAMES = ("passerby-sim-detector", "passerby-sim-reid")


@pytest.fixture
def nothing(tmp_path: Path) -> dict[str, str]:
    """A machine on which no model was ever put."""
    return {"PASSERBY_MODEL_DIR": "", "PASSERBY_HOME": str(tmp_path)}


@pytest.mark.parametrize("name", NAMES)
def test_they_are_here_on_a_fresh_machine_under_a_free_licence_and_say_what_they_are_for(
    name: str, nothing: dict[str, str]
) -> None:
    listing = describe_model(name, environment=nothing)
    assert listing.place == "embedded"
    assert (listing.licence, listing.weights_licence) == ("Apache-2.0", "Apache-2.0")
    assert "for the simulated site; real sites pull real weights" in listing.trained_on
    assert name in {each.name for each in list_models(environment=nothing)}


def test_together_they_have_at_most_four_megabytes(nothing: dict[str, str]) -> None:
    files = [Path(file) for name in NAMES for file in find_model(name, environment=nothing).files]
    assert sum(file.stat().st_size for file in files) <= 4_000_000


def test_the_operator_s_own_file_of_the_same_name_is_preferred(nothing: dict[str, str], tmp_path: Path) -> None:
    tiny_detector(tmp_path / "passerby-sim-detector.onnx")
    found = find_model("passerby-sim-detector", environment={**nothing, "PASSERBY_MODEL_DIR": str(tmp_path)})
    assert found.files == [str(tmp_path / "passerby-sim-detector.onnx")]


def test_every_engine_gives_the_same_embeddings(nothing: dict[str, str]) -> None:
    manifest = find_model("passerby-sim-reid", task="embed", environment=nothing)
    crops = [np.random.default_rng(0).integers(0, 256, (150, 60, 3), np.uint8)] * 2
    results = []
    for engine in ("openvino", "onnxruntime"):
        embedder = load_embedder(manifest, engine=engine, threads=1)
        results.append(embedder.embed(crops, [CameraId("hall")] * 2))
        embedder.close()
    np.testing.assert_allclose(results[0], results[1], atol=1e-3)


def test_an_empty_room_of_one_colour_has_nobody_in_it(nothing: dict[str, str]) -> None:
    manifest = find_model("passerby-sim-detector", task="detect", environment=nothing)
    detector = load_detector(manifest, engine="onnxruntime", threads=1)
    (found,) = detector.detect([np.full((360, 640, 3), 128, np.uint8)])
    assert len(found) == 0
    detector.close()
