"""Ultralytics networks: exported by its own package, decoded by us as its own post-processing decodes them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from passerby.arrays import Detections, Image
from passerby.errors import ModelError
from passerby.inference import load_detector
from passerby.inference.preprocessing import prepare
from passerby.models import ModelManifest, Preprocessing
from tests.training.untrained_yolo import make_untrained

pytest.importorskip("torch", reason="needs passerby[training]")
pytest.importorskip("ultralytics", reason="needs passerby[ultralytics]")

SIZE = 256
CONFIDENCE = 0.25
MAX_IOU = 0.45
HOW = Preprocessing(height=SIZE, width=SIZE, colour="RGB", resize="letterbox-centre", scale=1 / 255)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the module, which is Ultralytics' home as well, so that it writes nowhere else."""
    folder = tmp_path_factory.mktemp("ultralytics")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YOLO_CONFIG_DIR", str(folder))
        patch.setenv("YOLO_OFFLINE", "true")
        yield folder


@pytest.fixture(scope="module")
def frames(shared_data: Callable[[str], Path]) -> list[Image]:
    frames: list[Image] = []
    with av.open(str(shared_data("footage/tworooms/room-a.mp4"))) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 40 == 10:
                frames.append(frame.to_ndarray(format="bgr24"))
            if len(frames) == 3:
                break
    return [frames[0], frames[1][:, :301], frames[2][:233, :]]


@pytest.fixture(scope="module", params=["yolov8n", "yolo11n", "yolo26n"])
def exported(request: pytest.FixtureRequest, folder: Path, frames: list[Image]) -> ModelManifest:
    from training.export_ultralytics import export_ultralytics

    weights = folder / f"{request.param}.pt"
    make_untrained(f"{request.param}.yaml", weights, prepare(frames, HOW)[0])
    return export_ultralytics(str(weights), folder / "out" / f"{request.param}.onnx", size=SIZE)


def test_the_manifest_names_the_head_and_the_licence(exported: ModelManifest) -> None:
    assert exported.detection is not None
    expected = "ultralytics-end2end" if exported.name == "yolo26n" else "ultralytics-nms"
    assert exported.detection.layout == expected
    assert exported.detection.person_class == 0
    assert exported.weights_licence.startswith("AGPL-3.0")
    assert exported.input == HOW


def test_the_network_s_input_is_ultralytics_own(frames: list[Image]) -> None:
    ours, _ = prepare(frames, HOW)
    for frame, row in zip(frames, ours, strict=True):
        np.testing.assert_allclose(row, _letterboxed(frame), atol=1e-6)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_our_people_are_those_of_ultralytics_post_processing(
    exported: ModelManifest, frames: list[Image], engine: str
) -> None:
    detector = load_detector(_eager(exported), engine=engine, threads=1)
    people = 0
    for frame, found in zip(frames, detector.detect(frames), strict=True):
        expected = _theirs(exported, frame)
        people += len(expected)
        _assert_same_people(found, expected)
    assert people >= 5, "the untrained network sees too little to prove anything"


def test_it_runs_batches(exported: ModelManifest, frames: list[Image]) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(exported.files[0], providers=["CPUExecutionProvider"])
    batch, _ = prepare(frames, HOW)
    together = session.run(None, {"images": batch})[0]
    alone = np.concatenate([session.run(None, {"images": row[None]})[0] for row in batch])
    if exported.name == "yolo26n":  # equally confident boxes may change places
        together, alone = np.sort(together[:, :, 4]), np.sort(alone[:, :, 4])
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-2)


def test_an_architecture_alone_exports_untrained(folder: Path) -> None:
    from training.export_ultralytics import export_ultralytics

    manifest = export_ultralytics("yolo11n.yaml", folder / "bare.onnx", size=64)
    assert manifest.trained_on == "nothing"


def test_what_cannot_be_exported_is_said_in_one_line(folder: Path) -> None:
    from training.export_ultralytics import export_ultralytics

    with pytest.raises(ModelError, match="no such file"):
        export_ultralytics(str(folder / "nothing.pt"), folder / "x.onnx")
    with pytest.raises(ModelError, match="multiple of 32"):
        export_ultralytics("yolo11n.yaml", folder / "x.onnx", size=100)
    (folder / "broken.pt").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"broken\.pt: Ultralytics cannot load it"):
        export_ultralytics(str(folder / "broken.pt"), folder / "x.onnx")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({0: "car", 1: "Person"}, 1),
        ({0: "helmet"}, 0),
        ({0: "0", 1: "1"}, 0),
    ],
)
def test_people_are_found_among_the_classes(names: dict[int, str], expected: int) -> None:
    from training.export_ultralytics import person_among

    assert person_among(names) == expected


def test_classes_without_people_ask_which() -> None:
    from training.export_ultralytics import person_among

    with pytest.raises(ModelError, match=r"\(0 car, 1 bus\); say which with --person-class"):
        person_among({0: "car", 1: "bus"})


def _eager(manifest: ModelManifest) -> ModelManifest:
    """The model with the low bound that an untrained network needs."""
    assert manifest.detection is not None
    output = msgspec.structs.replace(manifest.detection, min_confidence=CONFIDENCE, nms_iou=MAX_IOU)
    return msgspec.structs.replace(manifest, detection=output)


def _letterboxed(frame: Image) -> NDArray[np.float32]:
    from ultralytics.data.augment import LetterBox

    boxed = LetterBox((SIZE, SIZE), auto=False)(image=frame)
    return np.ascontiguousarray(boxed[:, :, ::-1].transpose(2, 0, 1)).astype(np.float32) / 255


def _theirs(manifest: ModelManifest, frame: Image) -> NDArray[np.float32]:
    """People (n, 6): corners in pixels of the frame, confidence, class, all by Ultralytics' own code."""
    import onnxruntime
    import torch
    from ultralytics.utils.nms import non_max_suppression
    from ultralytics.utils.ops import scale_boxes

    session = onnxruntime.InferenceSession(manifest.files[0], providers=["CPUExecutionProvider"])
    raw = torch.from_numpy(session.run(None, {"images": _letterboxed(frame)[None]})[0])
    end_to_end = manifest.name == "yolo26n"
    (rows,) = non_max_suppression(raw, CONFIDENCE, MAX_IOU, classes=[0], end2end=end_to_end)
    rows[:, :4] = scale_boxes((SIZE, SIZE), rows[:, :4], frame.shape)
    people: NDArray[np.float32] = rows.numpy()
    return people


def _assert_same_people(found: Detections, expected: NDArray[np.float32]) -> None:
    order = np.lexsort((expected[:, 0], -expected[:, 4].round(3)))
    ours = np.lexsort((found.boxes_xyxy[:, 0], -found.confidence.round(3)))
    np.testing.assert_allclose(found.confidence[ours], expected[order, 4], atol=1e-3)
    np.testing.assert_allclose(found.boxes_xyxy[ours], expected[order, :4], atol=0.05)
