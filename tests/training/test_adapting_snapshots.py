"""An adaptation on a site's snapshot: what operators said of tracklets is kept to, and whoever stops it may go on."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from passerby.adaptation import Snapshot, SnapshotViews, write_snapshot
from passerby.errors import DataError, StoppedError
from passerby.ids import CameraId, ModelId

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from tests.training.test_adapting import picture  # noqa: E402 torch is optional
from training.adapting.order import CHECKPOINT, Order  # noqa: E402
from training.adapting.pseudo_labels import guess  # noqa: E402
from training.adapting.recipe import AdaptationRecipe, Grouping  # noqa: E402
from training.adapting.snapshots import adapt_snapshot, known_pairs, read_tracklets  # noqa: E402
from training.backbones.osnet import OSNet  # noqa: E402
from training.unlabelled import UnlabelledCrops  # noqa: E402

torch.set_num_threads(1)
SHORT = AdaptationRecipe(
    about="for tests", height=32, width=16, rounds=3, steps=9, people_per_batch=4, fewest_people=2, bfloat16=False
)
NO_PAIRS = np.zeros((0, 2), np.int64)


def snapshot_of(
    folder: Path,
    *,
    people: int = 6,
    together: np.ndarray = NO_PAIRS,
    apart: np.ndarray = NO_PAIRS,
    begins: np.ndarray | None = None,
) -> Snapshot:
    """Two tracklets of two crops of everybody before each of two cameras; one after the other, ten seconds each."""
    keys = [(person, camera, walk) for person in range(people) for camera in (0, 1) for walk in (0, 1)]
    jpegs = [
        bytes(cv2.imencode(".jpg", picture(person, camera, 2 * walk + image), [cv2.IMWRITE_JPEG_QUALITY, 95])[1])
        for person, camera, walk in keys
        for image in (0, 1)
    ]
    tracklets, crops = len(keys), len(jpegs)
    started = np.arange(tracklets) * 20 if begins is None else begins
    snapshot = Snapshot(
        folder=folder,
        site="plaza",
        model_id=ModelId("net@0123456789ab"),
        cameras=(CameraId("attic"), CameraId("door"), CameraId("hall")),
        taken_at_ns=99,
        numbers=100 + 3 * np.arange(tracklets),
        camera_rows=np.array([camera + 1 for _, camera, _ in keys]),
        identities=np.full(tracklets, -1),
        started_at_ns=started,
        ended_at_ns=started + 10,
        clock_error_ns=np.zeros(tracklets, np.int64),
        crop_tracklets=np.repeat(np.arange(tracklets), 2),
        crop_ids=np.tile([0, 1], tracklets),
        captured_at_ns=np.repeat(started, 2),
        qualities=np.ones(crops, np.float32),
        embeddings=np.zeros((crops, 4), np.float32),
        jpeg_ends=np.cumsum([len(one) for one in jpegs]),
        together=together,
        apart=apart,
        views=SnapshotViews(np.zeros((3, 3), bool), np.zeros((3, 3), np.float32)),
    )
    write_snapshot(snapshot, jpegs)
    return snapshot


def test_the_crops_of_the_chosen_tracklets_are_read_in_the_order_of_the_snapshot(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path)
    told = []
    found = read_tracklets(snapshot, np.array([5, 1, 2]), height=16, width=8, progress=lambda *each: told.append(each))
    assert found.crops.tracklets.tolist() == [103, 103, 106, 106, 115, 115]
    assert found.crops.camera_names == ("door", "hall")
    assert found.crops.cameras.tolist() == [0, 0, 1, 1, 0, 0]
    assert found.crops.pictures.shape == (6, 16, 8, 3)
    assert found.names[:3] == ("103-0", "103-1", "106-0")
    assert told[-1] == (6, 6)
    for row, whole in enumerate(found.pictures(range(6))):
        assert whole.shape == (32, 16, 3)
        np.testing.assert_array_equal(cv2.resize(whole, (8, 16)), found.crops.pictures[row])
    again = read_tracklets(snapshot, np.array([1, 2, 5]), height=16, width=8)
    assert again.digest == found.digest != read_tracklets(snapshot, np.array([1, 2]), height=16, width=8).digest


def test_rows_that_do_not_exist_and_tracklets_without_crops_are_named(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path)
    with pytest.raises(DataError, match="tracklets are 0 to 24, expected rows of the snapshot's 24"):
        read_tracklets(snapshot, np.array([0, 24]), height=16, width=8)
    with pytest.raises(DataError, match="no crop is kept of the 0 tracklets"):
        read_tracklets(snapshot, np.zeros(0, np.int64), height=16, width=8)


def test_pairs_reach_through_tracklets_that_are_not_learned_from(tmp_path: Path) -> None:
    snapshot = snapshot_of(
        tmp_path, together=np.array([[0, 2], [2, 4], [6, 7], [9, 9]]), apart=np.array([[2, 8], [7, 1], [3, 5]])
    )
    together, apart = known_pairs(snapshot, np.array([0, 1, 4, 6, 8, 9]))
    assert together.tolist() == [[0, 4]]
    assert apart.tolist() == [[0, 8], [1, 6]]


def test_who_is_seen_at_once_in_one_camera_is_two_unless_an_operator_knows_better(tmp_path: Path) -> None:
    begins = np.arange(24) * 20
    begins[[0, 1, 2, 4]] = [0, 5, 5, 6]  # 0, 1 and 4 before one camera, 2 before the other
    snapshot = snapshot_of(tmp_path, together=np.array([[0, 1]]), begins=begins)
    together, apart = known_pairs(snapshot, np.arange(24))
    assert together.tolist() == [[0, 1]]
    assert apart.tolist() == [[0, 4], [1, 4]]


def test_known_pairs_shape_the_guess() -> None:
    """Everybody in two tracklets; the third person's second looks like the first person's."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(20, 16))
    person_of = np.repeat(np.arange(20), 8)
    features = (centres[person_of] + 0.05 * rng.normal(size=(160, 16))).astype(np.float32)
    cameras, tracklets = np.zeros(160, np.int64), np.repeat(np.arange(40), 4)

    def people(grouping: Grouping, **pairs: np.ndarray) -> np.ndarray:
        crops = UnlabelledCrops(np.zeros((160, 2, 1, 3), np.uint8), cameras, tracklets, ("door",), **pairs)
        return guess(features, crops, grouping).people[::4]

    plain = people(Grouping())
    assert plain[0] == plain[1] != plain[2]
    pairs = {"together": np.array([[0, 2]]), "apart": np.array([[0, 1], [2, 3]])}
    known = people(Grouping(), **pairs)
    assert known[0] == known[2]
    assert known[0] not in (known[1], known[3])
    np.testing.assert_array_equal(people(Grouping(tracklets=False), **pairs), people(Grouping(tracklets=False)))
    with pytest.raises(DataError, match="tracklets 2 and 0 must be one person and must not be"):
        people(Grouping(), together=np.array([[0, 2]]), apart=np.array([[2, 0]]))


def test_a_stopped_adaptation_goes_on_and_ends_as_one_that_was_not(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(OSNet(16).state_dict(), tmp_path / "start.pth")
    order = Order(model=str(tmp_path / "start.pth"), recipe_name="short", recipe=SHORT, threads=1)
    snapshot = snapshot_of(tmp_path / "snapshot", apart=np.array([[0, 4]]))
    rows = np.arange(24)

    def run(out: Path, stop_at: str | None = None) -> dict[str, object]:
        said = [""]
        return adapt_snapshot(
            snapshot,
            rows,
            order,
            out=out,
            progress=lambda *told: said.append(f"{told[0]} {told[2]}"),
            stop=lambda: stop_at is not None and re.search(stop_at, said[-1]) is not None,
        )

    whole = run(tmp_path / "whole")
    assert whole["cameras"] == ["door", "hall"]
    assert not (tmp_path / "whole" / CHECKPOINT).exists()
    with pytest.raises(StoppedError, match="goes on from its last round"):
        run(tmp_path / "none", "reading")
    for moment in ("round 1/3: guessing", "round 2/3: guessing", r"round 3/3: \d", "last statistics"):
        with pytest.raises(StoppedError):
            run(tmp_path / "stopped", moment)
        assert (tmp_path / "stopped" / CHECKPOINT).exists() == (moment != "round 1/3: guessing")
        assert not (tmp_path / "stopped" / "model.onnx").exists()
    assert run(tmp_path / "stopped")["model"] == whole["model"]
    assert (tmp_path / "stopped" / "pseudo-labels.csv").read_text().splitlines()[1].startswith("100-0,")
