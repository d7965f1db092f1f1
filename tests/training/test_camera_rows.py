"""A camera that came later gets a row of its own, and nobody else's vectors change."""

import shutil
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from hub.site_hub import Hub
from passerby.arrays import Image
from passerby.cli.app import app
from passerby.errors import DataError, ModelError
from passerby.ids import CameraId
from passerby.inference import load_embedder
from passerby.models import EmbeddingOutput, ModelDescription, ModelManifest, Preprocessing, read_model

torch = pytest.importorskip("torch", reason="needs passerby[training]")
pytest.importorskip("onnx", reason="needs passerby[training]")

from tests.hub import people  # noqa: E402 torch is optional
from tests.training.test_adapting import picture  # noqa: E402 torch is optional
from training.adapting.embedding import count_statistics  # noqa: E402
from training.backbones.osnet import OSNet  # noqa: E402
from training.batch_norm import CameraNetwork  # noqa: E402
from training.camera_rows import with_rows  # noqa: E402
from training.export_cameras import export_camera_network  # noqa: E402
from training.unlabelled import UnlabelledCrops  # noqa: E402

torch.set_num_threads(1)
pytestmark = pytest.mark.xdist_group("camera-rows")
"""What they share is made once."""

HOW = Preprocessing(
    height=32, width=16, colour="RGB", scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
)


def seen(camera: int, people: int = 12) -> list[Image]:
    """Everybody four times; the third camera sees them far darker and bluer."""
    crops = [picture(person, min(camera, 1), 10 * camera + image) for person in range(people) for image in range(4)]
    return [(crop * [1.0, 0.5, 0.4]).astype(np.uint8) for crop in crops] if camera == 2 else crops


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelManifest:
    """A network with rows for two cameras."""
    torch.manual_seed(0)
    network = CameraNetwork(OSNet(16), cameras=2)
    crops = UnlabelledCrops(np.stack(seen(0) + seen(1)), np.repeat([0, 1], 48), np.arange(96), ("door", "hall"))
    count_statistics(network, crops, how=HOW, strength=16.0)
    out = tmp_path_factory.mktemp("site") / "model.onnx"
    torch.save(network.site_state(), out.with_suffix(".pth"))
    description = ModelDescription(
        task="embed", input=HOW, embedding=EmbeddingOutput(dimension=512, cameras=["door", "hall"])
    )
    return export_camera_network(network, out, description=description)


def vectors(manifest: ModelManifest, crops: list[Image], camera: str) -> np.ndarray:
    engine = load_embedder(manifest, engine="onnxruntime", threads=1)
    try:
        return engine.embed(crops, [CameraId(camera)] * len(crops))
    finally:
        engine.close()


def test_the_new_camera_gets_a_row_and_the_others_vectors_stay_to_the_bit(model: ModelManifest, tmp_path: Path) -> None:
    new = seen(2)
    grown = with_rows(Path(model.files[0]), {"stairs": new, "yard": seen(0)[:5]}, out=tmp_path / "model.onnx")
    assert grown.embedding is not None
    assert grown.embedding.cameras == ["door", "hall", "stairs", "yard"]
    assert grown.model_id != model.model_id
    for camera in ("door", "hall", "nobody knows"):
        np.testing.assert_array_equal(vectors(grown, new, camera), vectors(model, new, camera))
    as_site, own = vectors(grown, new, "nobody knows"), vectors(grown, new, "stairs")
    at_door = vectors(grown, seen(0), "door")

    def found(rows: np.ndarray) -> float:
        """How often the nearest that the door saw is the same person."""
        unit, others = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (rows, at_door))
        return float((np.argmax(unit @ others.T, axis=1) // 4 == np.arange(48) // 4).mean())

    assert found(own) > found(as_site)
    again = with_rows(Path(grown.files[0]), {"attic": new}, out=tmp_path / "again.onnx")
    np.testing.assert_array_equal(vectors(again, new, "stairs"), own)
    np.testing.assert_array_equal(vectors(again, new, "attic"), own)


def test_few_crops_say_little(model: ModelManifest, tmp_path: Path) -> None:
    new = seen(2)
    site = vectors(model, new, "nobody knows")
    away = []
    for count, strength in ((2, 16.0), (48, 16.0), (48, 1e9)):
        grown = with_rows(
            Path(model.files[0]), {"stairs": new[:: 48 // count]}, out=tmp_path / "m.onnx", strength=strength
        )
        away.append(float(np.abs(vectors(grown, new, "stairs") - site).mean()))
    assert away[2] < 1e-3 * away[1]
    assert 0.0 < away[0] < away[1]


def test_wrong_models_and_cameras_are_named(model: ModelManifest, tmp_path: Path) -> None:
    file, out = Path(model.files[0]), tmp_path / "out.onnx"
    with pytest.raises(ModelError, match="has a row for the camera hall already"):
        with_rows(file, {"hall": seen(1)}, out=out)
    with pytest.raises(DataError, match="no crop of the camera stairs"):
        with_rows(file, {"stairs": []}, out=out)
    with pytest.raises(DataError, match="no camera to add a row for"):
        with_rows(file, {}, out=out)
    for suffix in (".onnx", ".json"):
        shutil.copy(file.with_suffix(suffix), tmp_path / f"other{suffix}")
    torch.manual_seed(1)
    torch.save(CameraNetwork(OSNet(16), cameras=1).site_state(), tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"other\.pth is not what other\.onnx was made of"):
        with_rows(tmp_path / "other.onnx", {"stairs": seen(2)}, out=out)
    plain = msgspec.structs.replace(
        msgspec.json.decode((tmp_path / "other.json").read_bytes(), type=ModelDescription),
        embedding=EmbeddingOutput(dimension=512),
    )
    (tmp_path / "other.json").write_bytes(msgspec.json.encode(plain))
    assert read_model(tmp_path / "other.onnx").embedding is not None
    with pytest.raises(ModelError, match="has no statistics per camera"):
        with_rows(tmp_path / "other.onnx", {"stairs": seen(2)}, out=out)
    assert not out.exists()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["adapt", "rows", *arguments])


def jpeg(crop: Image) -> bytes:
    return bytes(cv2.imencode(".jpg", crop)[1])


def test_the_command_takes_crops_of_a_folder_or_those_that_the_site_keeps(model: ModelManifest, tmp_path: Path) -> None:
    folder, data = tmp_path / "crops", tmp_path / "data"
    folder.mkdir()
    for number, crop in enumerate(seen(2)[:6]):
        cv2.imwrite(str(folder / f"{number}.png"), crop)
    sender = people.Sender()
    with Hub.open(data) as hub:
        crops = {number: jpeg(crop) for number, crop in enumerate(seen(2)[:2], start=1)}
        message = people.seen(1, "stairs", tracklet=1, end_s=4, final=True, crops=crops)
        hub.ingest(sender.send(message), now_ns=people.at(5))
    site = tmp_path / "site.yaml"
    site.write_text(
        f"site: plaza\ndata: {data}\nmodels: {{reid: {model.files[0]}}}\n"
        "cameras: {stairs: {url: 'rtsp://127.0.0.1/a'}}\n"
    )
    out = tmp_path / "out.onnx"
    ran = run("yard=" + str(folder), "stairs", "--config", str(site), "--out", str(out))
    assert ran.exit_code == 0, ran.output
    assert "rows for yard (6 crops), stairs (2 crops)" in ran.stdout.replace("\n", " ")
    grown = read_model(out)
    assert grown.embedding is not None
    assert grown.embedding.cameras == ["door", "hall", "yard", "stairs"]
    np.testing.assert_array_equal(vectors(grown, seen(0), "door"), vectors(model, seen(0), "door"))
    for wrong, told in [
        (["attic", "--config", str(site)], "no crop of anybody who has left attic is kept; known there: stairs"),
        (["attic", "--model", model.files[0]], "Say attic=FOLDER, or --config SITE"),
        ([f"yard={folder}"], "say which network"),
        ([f"={folder}", "--model", model.files[0]], "expected CAMERA=FOLDER"),
    ]:
        failed = run(*map(str, wrong), "--out", str(tmp_path / "no.onnx"))
        assert failed.exit_code != 0
        assert told in str(failed.exception)
    assert not (tmp_path / "no.onnx").exists()
