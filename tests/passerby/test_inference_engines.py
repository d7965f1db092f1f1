"""One suite over every engine: what a caller may rely on, whichever runs."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from passerby.arrays import Image
from passerby.errors import ConfigError, DataError, EngineError, EngineUnavailableError, ModelError
from passerby.ids import CameraId
from passerby.inference import load_detector, load_embedder
from passerby.inference.load import choose_engine
from passerby.inference.tensorrt import tensorrt_unavailable
from passerby.models import find_model
from tests.passerby.tiny_networks import tiny_detector, tiny_embedder


@pytest.fixture(params=["openvino", "onnxruntime", pytest.param("tensorrt", marks=pytest.mark.gpu)])
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name == "tensorrt" and (reason := tensorrt_unavailable()) is not None:
        pytest.skip(reason)
    return name


def pictures(count: int, *, seed: int = 0) -> list[Image]:
    random = np.random.default_rng(seed)
    return [
        random.integers(1, 256, (int(random.integers(8, 60)), int(random.integers(8, 60)), 3), np.uint8)
        for _ in range(count)
    ]


def cameras(crops: Sequence[Image]) -> list[CameraId]:
    return [CameraId("hall")] * len(crops)


class TestEmbedding:
    def test_a_batch_gives_what_its_pictures_give_alone(self, engine: str, tmp_path: Path) -> None:
        embedder = load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), engine=engine)
        crops = pictures(5)
        alone = np.concatenate([embedder.embed([crop], cameras([crop])) for crop in crops])
        np.testing.assert_allclose(embedder.embed(crops, cameras(crops)), alone, rtol=1e-4)

    def test_more_pictures_than_one_run_takes_come_back_in_order(self, engine: str, tmp_path: Path) -> None:
        embedder = load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), engine=engine)
        crops = pictures(embedder.batch_limit * 2 + 3)
        together = embedder.embed(crops, cameras(crops))
        np.testing.assert_allclose(together[-1:], embedder.embed(crops[-1:], cameras(crops[-1:])), rtol=1e-4)
        assert together.shape == (len(crops), 4)
        assert together.dtype == np.float32

    def test_a_network_for_one_picture_takes_many(self, engine: str, tmp_path: Path) -> None:
        free = load_embedder(tiny_embedder(tmp_path / "free.onnx"), engine=engine)
        fixed = load_embedder(tiny_embedder(tmp_path / "fixed.onnx", batch=1), engine=engine)
        crops = pictures(3)
        expected = free.embed(crops, cameras(crops))
        np.testing.assert_allclose(fixed.embed(crops, cameras(crops)), expected, rtol=1e-4)

    def test_twice_the_same_is_exactly_the_same(self, engine: str, tmp_path: Path) -> None:
        embedder = load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), engine=engine)
        crops = pictures(4)
        np.testing.assert_array_equal(embedder.embed(crops, cameras(crops)), embedder.embed(crops, cameras(crops)))

    def test_duplicates_get_the_same_embedding(self, engine: str, tmp_path: Path) -> None:
        embedder = load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), engine=engine)
        crop = pictures(1)[0]
        first, second = embedder.embed([crop, crop.copy()], cameras([crop, crop]))
        np.testing.assert_allclose(first, second, rtol=1e-6)

    def test_no_pictures_give_no_rows(self, engine: str, tmp_path: Path) -> None:
        embedder = load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), engine=engine)
        assert embedder.embed([], []).shape == (0, 4)

    @pytest.mark.parametrize(
        "wrong",
        [
            np.zeros((16, 16), np.uint8),
            np.zeros((16, 16, 4), np.uint8),
            np.zeros((0, 16, 3), np.uint8),
            np.full((16, 16, 3), np.nan),
        ],
        ids=["grey", "four channels", "empty", "float NaN"],
    )
    def test_what_is_no_picture_is_refused(self, engine: str, tmp_path: Path, wrong: Image) -> None:
        embedder = load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), engine=engine)
        with pytest.raises(DataError, match="picture 1"):
            embedder.embed([*pictures(1), wrong], cameras([wrong, wrong]))

    def test_each_crop_needs_its_camera(self, engine: str, tmp_path: Path) -> None:
        embedder = load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), engine=engine)
        with pytest.raises(DataError, match="2 crops came with 1 camera ids"):
            embedder.embed(pictures(2), [CameraId("hall")])

    def test_many_threads_get_their_own_results(self, engine: str, tmp_path: Path) -> None:
        embedder = load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), engine=engine)
        crops = [pictures(3, seed=seed) for seed in range(6)]
        expected = [embedder.embed(mine, cameras(mine)) for mine in crops]
        wrong: list[int] = []

        def work(index: int) -> None:
            for _ in range(10):
                actual = embedder.embed(crops[index], cameras(crops[index]))
                if not np.allclose(actual, expected[index], rtol=1e-4):
                    wrong.append(index)

        threads = [threading.Thread(target=work, args=(index,)) for index in range(len(crops))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert not any(thread.is_alive() for thread in threads)
        assert wrong == []

    def test_a_manifest_that_promises_another_length_is_an_error(self, engine: str, tmp_path: Path) -> None:
        manifest = tiny_embedder(tmp_path / "tiny.onnx", dimension=6)
        with pytest.raises(EngineError, match="promises 4 numbers"):
            load_embedder(manifest, engine=engine).embed(pictures(1), [CameraId("hall")])

    def test_a_closed_engine_says_so(self, engine: str, tmp_path: Path) -> None:
        embedder = load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), engine=engine)
        embedder.close()
        embedder.close()
        with pytest.raises(EngineError, match="tiny has been closed"):
            embedder.embed(pictures(1), [CameraId("hall")])


class TestDetection:
    def test_a_batch_gives_what_its_frames_give_alone(self, engine: str, tmp_path: Path) -> None:
        detector = load_detector(tiny_detector(tmp_path / "tiny.onnx"), engine=engine)
        frames = pictures(5)
        for together, frame in zip(detector.detect(frames), frames, strict=True):
            (alone,) = detector.detect([frame])
            np.testing.assert_allclose(together.boxes_xyxy, alone.boxes_xyxy, rtol=1e-4)
            np.testing.assert_allclose(together.confidence, [0.9], rtol=1e-6)

    def test_boxes_are_in_pixels_of_each_frame(self, engine: str, tmp_path: Path) -> None:
        detector = load_detector(tiny_detector(tmp_path / "tiny.onnx"), engine=engine)
        frame = np.zeros((32, 64, 3), np.uint8)
        frame[...] = (128, 64, 0)
        (found,) = detector.detect([frame])
        # The corner (8, 4) of the 16 x 16 input, in a frame four times as wide and twice as high.
        np.testing.assert_allclose(found.boxes_xyxy, [[0, 0, 32, 8]], atol=1e-3)

    def test_no_frames_give_no_detections(self, engine: str, tmp_path: Path) -> None:
        assert load_detector(tiny_detector(tmp_path / "tiny.onnx"), engine=engine).detect([]) == []

    def test_what_is_no_frame_is_refused(self, engine: str, tmp_path: Path) -> None:
        detector = load_detector(tiny_detector(tmp_path / "tiny.onnx"), engine=engine)
        with pytest.raises(DataError, match="picture 0 is float64"):
            detector.detect([np.zeros((16, 16, 3))])  # type: ignore[list-item]

    def test_a_huge_frame_is_fine(self, engine: str, tmp_path: Path) -> None:
        detector = load_detector(tiny_detector(tmp_path / "tiny.onnx"), engine=engine)
        (found,) = detector.detect([np.full((4000, 6000, 3), 255, np.uint8)])
        assert found.boxes_xyxy[0, 2] <= 6000


class TestLoading:
    def test_a_detector_is_no_embedder(self, engine: str, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="no re-ID network"):
            load_embedder(tiny_detector(tmp_path / "tiny.onnx"), engine=engine)
        with pytest.raises(ModelError, match="no detector"):
            load_detector(tiny_embedder(tmp_path / "tiny.onnx"), engine=engine)

    def test_a_damaged_file_is_named(self, engine: str, tmp_path: Path) -> None:
        file = tmp_path / "tiny.onnx"
        tiny_embedder(file)
        file.write_bytes(b"no network at all")
        with pytest.raises(EngineError, match=r"tiny\.onnx"):
            load_embedder(find_model(str(file)), engine=engine)

    def test_the_device_is_said(self, engine: str, tmp_path: Path) -> None:
        device = load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), engine=engine, threads=1).device
        assert device.lower().replace(" ", "").startswith(engine)
        assert "float32" in device


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'cuda', expected auto"):
        load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), engine="cuda")


def test_threads_below_zero_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="threads is -1"):
        load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), threads=-1)


def test_auto_takes_openvino_for_its_own_format_and_before_onnxruntime() -> None:
    assert choose_engine(Path("model.xml")) == "openvino"
    if tensorrt_unavailable() is not None:
        assert choose_engine(Path("model.onnx")) == "openvino"


def test_onnxruntime_says_that_it_reads_no_ir(shared_data: Callable[[str], Path]) -> None:
    manifest = find_model(str(shared_data("models/person-reidentification-retail-0288.xml")))
    with pytest.raises(EngineUnavailableError, match=r"reads \.onnx.*use the engine `openvino`"):
        load_embedder(manifest, engine="onnxruntime")


def test_both_engines_of_this_machine_agree_on_real_people(shared_data: Callable[[str], Path]) -> None:
    manifest = find_model(str(shared_data("models/yolox_nano.onnx")))
    frame = _frame(shared_data("footage/fourcam/cam0.mp4"), 50)
    found = [load_detector(manifest, engine=name, threads=1).detect([frame])[0] for name in ("openvino", "onnxruntime")]
    assert len(found[0]) >= 2
    np.testing.assert_allclose(found[0].boxes_xyxy, found[1].boxes_xyxy, atol=0.1)
    np.testing.assert_allclose(found[0].confidence, found[1].confidence, atol=1e-3)


@pytest.mark.parametrize("model", ["person-detection-retail-0013.xml", "yolox_nano.onnx"])
def test_real_detectors_find_the_two_standing_men(shared_data: Callable[[str], Path], model: str) -> None:
    detector = load_detector(find_model(str(shared_data(f"models/{model}"))), threads=1)
    frame = _frame(shared_data("footage/fourcam/cam0.mp4"), 50)
    (found,) = detector.detect([frame])
    # By eye, in pixels of the frame: left, top, right, bottom.
    for man in ([540, 44, 624, 284], [455, 36, 520, 260]):
        box = np.array(man, np.float32)
        assert max(_iou(box, other) for other in found.boxes_xyxy) > 0.6


def test_the_reid_networks_batch_as_they_do_alone(shared_data: Callable[[str], Path]) -> None:
    manifest = find_model(str(shared_data("models/person-reidentification-retail-0288.xml")))
    embedder = load_embedder(manifest, threads=1)
    crops = pictures(3)
    together = embedder.embed(crops, cameras(crops))
    alone = np.concatenate([embedder.embed([crop], cameras([crop])) for crop in crops])
    assert embedder.batch_limit > 1
    assert together.shape == (3, 256)
    np.testing.assert_allclose(together, alone, atol=1e-3 * np.abs(alone).max())


def _frame(video: Path, number: int) -> Image:
    with av.open(str(video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == number:
                image: Image = frame.to_ndarray(format="bgr24")
                return image
    raise AssertionError(f"{video} has no frame {number}")


def _iou(first: np.ndarray, second: np.ndarray) -> float:
    overlap = np.clip(np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2]), 0, None).prod()
    return float(overlap / ((first[2:] - first[:2]).prod() + (second[2:] - second[:2]).prod() - overlap))
