"""The detector: overlaps, who answers for whom, its loss, its training, its file."""

from pathlib import Path

import numpy as np
import pytest

from passerby.errors import DataError, ModelError
from passerby.inference import load_detector
from passerby.inference.preprocessing import prepare
from passerby.models import DetectionOutput, ModelDescription, Preprocessing
from tests.training import reference_detection

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.detector.assignment import assign  # noqa: E402 torch is optional
from training.detector.augmentation import FrameChanges, changed  # noqa: E402
from training.detector.export import export_detector  # noqa: E402
from training.detector.fitting import DetectorRecipe, train_detector  # noqa: E402
from training.detector.frames import FrameCollector, MarkedFrames  # noqa: E402
from training.detector.loss import detector_loss  # noqa: E402
from training.detector.network import STRIDES, PersonDetector, Predictions  # noqa: E402
from training.detector.overlaps import complete_iou, iou  # noqa: E402

torch.set_num_threads(1)  # the networks are small, and the machine is shared with the other tests
SMALL = Preprocessing(height=64, width=96, colour="BGR", resize="letterbox-centre", scale=1 / 255)
UNCHANGED = FrameChanges(mirror=0, smallest=1, largest=1, shift=0, brightness=0, contrast=0, channel_gain=0)


def white_boxes(count: int, *, seed: int = 0) -> MarkedFrames:
    """Dark noise with one white upright box in each frame."""
    random = np.random.default_rng(seed)
    collector = FrameCollector(SMALL, capacity=count)
    for _ in range(count):
        picture = random.integers(0, 60, (64, 96, 3), np.uint8)
        width, height = int(random.integers(8, 20)), int(random.integers(24, 48))
        left, top = int(random.integers(0, 96 - width)), int(random.integers(0, 64 - height))
        picture[top : top + height, left : left + width] = 250
        box = np.array([[left, top, left + width, top + height]], np.float32)
        collector.add(picture, boxes_xyxy=box, ignored=np.zeros(1, np.bool_))
    return collector.collected()


def predictions(boxes: list[list[float]], points: list[list[float]], *, logits: list[float]) -> Predictions:
    return Predictions(
        torch.tensor([logits]), torch.tensor([boxes]), torch.tensor(points), torch.full((len(points),), 8.0)
    )


@pytest.mark.parametrize("seed", range(3))
def test_overlaps_are_those_of_the_naive_twins(seed: int) -> None:
    random = np.random.default_rng(seed)
    low = random.uniform(0, 10, (2, 20, 2))
    first, second = np.concatenate([low, low + random.uniform(1, 15, (2, 20, 2))], axis=-1)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    got = iou(torch.from_numpy(first), torch.from_numpy(second)).tolist()
    assert got == pytest.approx([reference_detection.iou(a, b) for a, b in pairs], abs=1e-6)
    got = complete_iou(torch.from_numpy(first), torch.from_numpy(second)).tolist()
    assert got == pytest.approx([reference_detection.complete_iou(a, b) for a, b in pairs], abs=1e-6)


def test_boxes_without_area_have_finite_gradients() -> None:
    flat = torch.tensor([[5.0, 5.0, 5.0, 5.0], [0.0, 0.0, 1e6, 1e6]], requires_grad=True)
    complete_iou(flat, torch.tensor([[0.0, 0.0, 4.0, 8.0]])).sum().backward()
    assert flat.grad is not None
    assert torch.isfinite(flat.grad).all()


def test_only_anchors_within_a_box_answer_for_it_and_the_best_is_as_confident_as_it_is_good() -> None:
    box = [0.0, 0.0, 10.0, 30.0]
    found = predictions([box, [0, 0, 10, 24], box], [[5, 5], [5, 20], [50, 5]], logits=[0.0, 0.0, 5.0])
    targets = assign(found, torch.tensor([[box]]), torch.tensor([[True]]))
    assert targets.person.tolist() == [[0, 0, -1]]
    assert targets.quality[0, 0] == pytest.approx(1.0, abs=1e-4)
    assert targets.quality[0, 1] == pytest.approx(0.8**6, abs=1e-3)
    assert targets.quality[0, 2] == 0


def test_an_anchor_wanted_by_two_answers_for_the_one_it_overlaps_more() -> None:
    left, right = [0.0, 0.0, 12.0, 30.0], [4.0, 0.0, 16.0, 30.0]
    found = predictions([[3.0, 0, 15, 30]], [[8, 8]], logits=[0.0])
    targets = assign(found, torch.tensor([[left, right]]), torch.tensor([[True, True]]))
    assert targets.person.tolist() == [[1]]


def test_nobody_answers_for_absent_people() -> None:
    found = predictions([[0.0, 0, 9, 9]], [[4, 4]], logits=[0.0])
    for boxes, present in ((torch.zeros(1, 0, 4), torch.zeros(1, 0)), (torch.zeros(1, 2, 4), torch.zeros(1, 2))):
        targets = assign(found, boxes, present.bool())
        assert targets.person.tolist() == [[-1]]
        assert not targets.quality.any()


def test_twins_in_one_place_are_both_in_the_batch_and_one_answers() -> None:
    box = [0.0, 0.0, 10.0, 30.0]
    found = predictions([box, box], [[5, 5], [5, 9]], logits=[0.0, 0.0])
    targets = assign(found, torch.tensor([[box, box]]), torch.tensor([[True, True]]))
    assert set(targets.person[0].tolist()) <= {0, 1}


def test_confidence_on_somebody_ignored_costs_nothing() -> None:
    box = torch.tensor([[[0.0, 0.0, 20.0, 20.0]]])
    none, one = torch.tensor([[False]]), torch.tensor([[True]])
    found = predictions([[0.0, 0, 20, 20]], [[10, 10]], logits=[3.0])
    assert detector_loss(found, box, none, one).confidence == 0
    assert detector_loss(found, box, none, none).confidence > 1


def test_a_frame_without_anybody_has_a_loss_and_a_gradient() -> None:
    network = PersonDetector()
    loss = detector_loss(
        network(torch.rand(1, 3, 64, 96)), torch.zeros(1, 0, 4), torch.zeros(1, 0).bool(), torch.zeros(1, 0).bool()
    )
    torch.autograd.backward(loss.total)
    assert torch.isfinite(loss.total)
    assert network.confidence.bias is not None
    assert network.confidence.bias.grad is not None


def test_the_anchors_cover_the_input() -> None:
    found = PersonDetector().eval()(torch.zeros(2, 3, 64, 96))
    anchors = sum(64 // stride * (96 // stride) for stride in STRIDES)
    assert found.boxes_xyxy.shape == (2, anchors, 4)
    assert found.points.shape == (anchors, 2)
    assert found.points.min() == 4
    assert found.points.amax(dim=0).tolist() == [92, 60]


def test_an_input_that_the_strides_do_not_divide_is_refused() -> None:
    with pytest.raises(ModelError, match="100x96, expected multiples of 32"):
        PersonDetector()(torch.zeros(1, 3, 100, 96))


def test_collected_frames_have_their_boxes_where_the_letterbox_puts_them() -> None:
    collector = FrameCollector(SMALL, capacity=2)
    picture = np.zeros((60, 192, 3), np.uint8)
    collector.add(picture, boxes_xyxy=np.array([[20, 10, 40, 50]], np.float32), ignored=np.array([True]))
    collector.add(picture, boxes_xyxy=np.zeros((0, 4), np.float32), ignored=np.zeros(0, np.bool_))
    frames = collector.collected()
    assert frames.boxes_xyxy[0].tolist() == [[10, 22, 20, 42]]
    assert frames.ignored.tolist() == [[True], [False]]
    assert not frames.counts.any()
    with pytest.raises(DataError, match="room for 2 frames"):
        collector.add(picture, boxes_xyxy=np.zeros((0, 4), np.float32), ignored=np.zeros(0, np.bool_))


@pytest.mark.parametrize("seed", range(6))
def test_changed_frames_keep_their_people_in_their_boxes(seed: int) -> None:
    frames = white_boxes(8)
    changes = FrameChanges(smallest=0.5, largest=1.2, shift=0.3, brightness=0.1, contrast=0.1)
    after = changed(frames, np.arange(8), changes=changes, draw=np.random.default_rng(seed))
    for picture, box, counts in zip(after.pictures, after.boxes_xyxy[:, 0], after.counts[:, 0], strict=True):
        if counts:
            left, top, right, bottom = box.round().astype(int)
            white = (picture > 160).all(axis=2)
            assert white[top:bottom, left:right].mean() > 0.7
            assert not white[: max(0, top - 2)].any()


def test_no_changes_change_nothing() -> None:
    frames = white_boxes(3)
    after = changed(frames, np.arange(3), changes=UNCHANGED, draw=np.random.default_rng(0))
    np.testing.assert_array_equal(after.pictures, frames.pictures)
    np.testing.assert_allclose(after.boxes_xyxy, frames.boxes_xyxy)


def test_somebody_shifted_out_of_the_picture_no_longer_counts() -> None:
    collector = FrameCollector(SMALL, capacity=1)
    box = np.array([[80, 10, 95, 50]], np.float32)
    collector.add(np.zeros((64, 96, 3), np.uint8), boxes_xyxy=box, ignored=np.zeros(1, np.bool_))
    changes = FrameChanges(mirror=0, smallest=3, largest=3, shift=0)
    after = changed(collector.collected(), np.array([0]), changes=changes, draw=np.random.default_rng(0))
    assert not after.counts.any()


def test_training_finds_white_boxes_and_the_file_finds_them_in_every_engine(tmp_path: Path) -> None:
    losses: list[float] = []
    network = train_detector(
        white_boxes(64),
        DetectorRecipe(steps=60, batch=8, averaging=0.9, changes=FrameChanges(shift=0.05)),
        seed=0,
        progress=lambda _, loss: losses.append(loss),
    )
    assert losses[-1] < losses[0]
    description = ModelDescription(
        task="detect", input=SMALL, detection=DetectionOutput(layout="ultralytics-nms", min_confidence=0.2, nms_iou=0.6)
    )
    manifest = export_detector(network, tmp_path / "boxes.onnx", description=description)
    unseen = white_boxes(10, seed=9)
    for engine in ("openvino", "onnxruntime"):
        detector = load_detector(manifest, engine=engine, threads=1)
        found = detector.detect(list(unseen.pictures))
        right = sum(
            len(each) > 0 and reference_detection.iou(each.boxes_xyxy[0].tolist(), box[0].tolist()) > 0.5
            for each, box in zip(found, unseen.boxes_xyxy, strict=True)
        )
        assert right >= 7
        detector.close()


def test_the_seed_decides_the_weights() -> None:
    recipe = DetectorRecipe(steps=2, batch=2)

    def first(seed: int) -> "torch.Tensor":
        network = train_detector(white_boxes(4), recipe, seed=seed)
        pictures = torch.from_numpy(prepare(list(white_boxes(1).pictures), SMALL)[0])
        return network(pictures).logits.detach()

    torch.testing.assert_close(first(1), first(1), rtol=0, atol=0)
    assert not torch.equal(first(1), first(2))


def test_no_frames_are_refused() -> None:
    with pytest.raises(DataError, match="no frames"):
        train_detector(white_boxes(0), DetectorRecipe(steps=1), seed=0)
