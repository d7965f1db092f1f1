"""From a name or a file to a manifest: where it is looked for, what is checked, what the errors say."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from passerby.errors import ChecksumError, ModelError, UnknownModelError
from passerby.models import find_model, write_description
from passerby.models.inventory import describe_model, list_models
from tests.passerby.tiny_networks import tiny_detector, tiny_embedder

RETAIL = "person-reidentification-retail-0288"


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, str]:
    own, home = tmp_path / "own", tmp_path / "home"
    own.mkdir()
    (home / "models").mkdir(parents=True)
    return {"PASSERBY_MODEL_DIR": str(own), "PASSERBY_HOME": str(home)}


def own(folders: dict[str, str]) -> Path:
    return Path(folders["PASSERBY_MODEL_DIR"])


def registry(folders: dict[str, str]) -> Path:
    return Path(folders["PASSERBY_HOME"]) / "models"


def test_a_path_needs_no_registry(tmp_path: Path) -> None:
    written = tiny_embedder(tmp_path / "mine.onnx")
    assert find_model(str(tmp_path / "mine.onnx"), task="embed") == written
    assert written.name == "mine"
    assert written.version == hashlib.sha256((tmp_path / "mine.onnx").read_bytes()).hexdigest()[:12]
    assert written.model_id == f"mine@{written.version}"


def test_the_operator_s_folder_comes_before_the_registry(folders: dict[str, str]) -> None:
    tiny_embedder(registry(folders) / "mine.onnx")
    tiny_embedder(own(folders) / "mine.onnx", dimension=5)
    assert find_model("mine", environment=folders).files == [str(own(folders) / "mine.onnx")]
    (own(folders) / "mine.onnx").unlink()
    assert find_model("mine", environment=folders).files == [str(registry(folders) / "mine.onnx")]


def test_other_bytes_are_another_version_and_the_same_bytes_the_same(tmp_path: Path) -> None:
    first = tiny_embedder(tmp_path / "mine.onnx")
    shutil.copytree(tmp_path, tmp_path / "copy")
    assert find_model(str(tmp_path / "copy" / "mine.onnx")).model_id == first.model_id
    assert tiny_embedder(tmp_path / "mine.onnx", dimension=5).model_id != first.model_id


def test_an_unknown_name_is_told_where_was_searched_and_what_is_near(folders: dict[str, str]) -> None:
    with pytest.raises(UnknownModelError) as caught:
        find_model("person-reidentification-retail-0286", environment=folders)
    assert str(own(folders)) in str(caught.value)
    assert str(registry(folders)) in str(caught.value)
    assert "did you mean 'person-reidentification-retail-02" in str(caught.value)


def test_an_absent_known_model_is_told_how_to_get_it(folders: dict[str, str]) -> None:
    with pytest.raises(UnknownModelError, match=f"passerby models pull {RETAIL}"):
        find_model(RETAIL, environment=folders)
    with pytest.raises(UnknownModelError, match=r"passerby models export yolo11n\.pt"):
        find_model("yolo11n", environment=folders)


def test_a_model_for_another_task_is_refused(tmp_path: Path) -> None:
    tiny_detector(tmp_path / "mine.onnx")
    with pytest.raises(ModelError, match="task `detect`, expected one with `embed`"):
        find_model(str(tmp_path / "mine.onnx"), task="embed")


@pytest.mark.parametrize("name", ["nowhere.onnx", "./nowhere.xml"])
def test_a_path_to_nothing_is_refused(name: str) -> None:
    with pytest.raises(UnknownModelError, match="no such model file"):
        find_model(name)


def test_a_file_without_a_manifest_is_told_what_it_needs(tmp_path: Path) -> None:
    tiny_embedder(tmp_path / "mine.onnx")
    (tmp_path / "mine.json").unlink()
    with pytest.raises(ModelError, match=r"expected mine\.json beside it"):
        find_model(str(tmp_path / "mine.onnx"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"colour": "BGR"}, "unknown field `colour`"),
        ({"task": "classify"}, "Invalid enum value 'classify'"),
        ({"embedding": None}, "needs `embedding`"),
        ({"input": {"height": 0, "width": 8, "colour": "BGR"}}, "input size is 0x8"),
        ({"embedding": {"dimension": 2, "reference": {"mean": [1], "std": [1], "measured_on": "x"}}}, "expected 2"),
    ],
)
def test_a_wrong_manifest_names_its_file_and_the_value(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    tiny_embedder(tmp_path / "mine.onnx")
    manifest = tmp_path / "mine.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **change}))
    with pytest.raises(ModelError, match=reason) as caught:
        find_model(str(tmp_path / "mine.onnx"))
    assert str(manifest) in str(caught.value)


def test_a_manifest_survives_being_written_and_read(tmp_path: Path) -> None:
    model = tiny_embedder(tmp_path / "mine.onnx")
    write_description(model.description, tmp_path / "mine.json")
    assert find_model(str(tmp_path / "mine.onnx")) == model


def test_an_ir_without_its_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.xml").write_text("<net/>")
    with pytest.raises(ModelError, match=r"expected net\.bin beside it"):
        find_model(str(tmp_path / "net.xml"))


def test_the_published_files_pass_in_the_registry_and_others_do_not(
    folders: dict[str, str], shared_data: Callable[[str], Path]
) -> None:
    for suffix in ("xml", "bin"):
        shutil.copyfile(shared_data(f"models/{RETAIL}.{suffix}"), registry(folders) / f"{RETAIL}.{suffix}")
    assert find_model(RETAIL, environment=folders).embedding is not None
    with (registry(folders) / f"{RETAIL}.bin").open("ab") as weights:
        weights.write(b"!")
    with pytest.raises(ChecksumError, match="none of the published ones"):
        find_model(RETAIL, environment=folders)


def test_the_list_shows_known_own_and_unusable_models(folders: dict[str, str]) -> None:
    tiny_embedder(own(folders) / "mine.onnx")
    tiny_embedder(registry(folders) / "bare.onnx")
    (registry(folders) / "bare.json").unlink()
    listed = {listing.name: listing for listing in list_models(environment=folders)}
    assert listed["mine"].place == "operator"
    assert listed["mine"].published == ""
    assert listed["mine"].files[0].sha384 == hashlib.sha384((own(folders) / "mine.onnx").read_bytes()).hexdigest()
    assert listed["bare"].place == "registry"
    assert "no manifest" in listed["bare"].problem
    assert listed[RETAIL].place == "absent"
    assert "pull" in listed[RETAIL].obtain


def test_both_published_forms_of_the_detector_are_known(shared_data: Callable[[str], Path]) -> None:
    described = describe_model(str(shared_data("models/person-detection-retail-0013.xml")))
    assert described.place == "elsewhere"
    assert described.published == "FP16 (an older conversion)"


def test_what_is_nowhere_is_an_error(folders: dict[str, str]) -> None:
    with pytest.raises(UnknownModelError):
        describe_model("nothing-like-it", environment=folders)
