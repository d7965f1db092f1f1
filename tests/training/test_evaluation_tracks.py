"""Tracks against the truth: known numbers, one identity over cameras, ignored boxes, wrong files."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from trackeval.datasets import MotChallenge2DBox
from trackeval.metrics import CLEAR, HOTA, Identity
from typer.testing import CliRunner

from passerby.cli.app import app
from passerby.errors import DataError
from training.evaluate.mot_files import read_predictions, read_truth
from training.evaluate.tracks import SiteTracking, TrackBoxes, evaluate_tracks


def write(root: Path, files: dict[str, str]) -> Path:
    """A folder with these files; text may be indented."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line.strip() for line in text.strip().splitlines()))
    return root


def walk(identity: int, *, frames: range = range(1, 11), left: float = 0.0, tail: str = "1,1,1") -> str:
    """Somebody who walks to the right."""
    return "".join(f"{frame},{identity},{left + 5 * frame},100,50,100,{tail}\n" for frame in frames)


def measure(tmp_path: Path, truth: dict[str, str], predicted: dict[str, str], **options: float) -> SiteTracking:
    gt, pred = write(tmp_path / "gt", truth), write(tmp_path / "pred", predicted)
    return evaluate_tracks(read_truth(gt, **options), read_predictions(pred))


@pytest.fixture
def tud(shared_data: Callable[[str], Path], tmp_path: Path) -> tuple[Path, Path]:
    """The footage of TUD-Campus as (truth, predictions)."""
    source = shared_data("mot/TUD-Campus")
    gt = write(tmp_path / "gt", {"TUD-Campus.txt": (source / "gt.txt").read_text()})
    return gt, write(tmp_path / "pred", {"TUD-Campus.txt": (source / "test.txt").read_text()})


# --- known numbers


def test_tud_campus_gives_the_known_numbers(tud: tuple[Path, Path]) -> None:
    site = evaluate_tracks(read_truth(tud[0]), read_predictions(tud[1])).site
    assert (round(site.mota, 3), round(site.idf1, 3)) == (0.526, 0.558)  # as motmetrics says
    assert (round(site.hota, 3), round(site.assa, 3), round(site.deta, 3)) == (0.391, 0.369, 0.418)
    assert (site.misses, site.false_positives, site.id_switches) == (150, 13, 7)
    assert (site.true_boxes, site.true_ids, site.predicted_boxes, site.predicted_ids) == (359, 8, 222, 13)
    assert (site.frames, site.ignored_boxes) == (71, 0)


def test_the_command_says_the_same_on_its_last_line(tud: tuple[Path, Path]) -> None:
    result = CliRunner().invoke(app, ["eval", "tracks", "--gt", str(tud[0]), "--pred", str(tud[1]), "--json"])
    report = json.loads(result.stdout.splitlines()[-1])
    assert (round(report["mota"], 3), round(report["idf1"], 3)) == (0.526, 0.558)
    assert report["cameras"]["TUD-Campus"] == {key: value for key, value in report.items() if key != "cameras"}


def test_the_command_shows_a_table_of_cameras_and_all(tmp_path: Path) -> None:
    gt = write(tmp_path / "gt", {"hall.txt": walk(1), "yard.txt": ""})
    pred = write(tmp_path / "pred", {"hall.txt": walk(7), "yard.txt": ""})
    result = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["eval", "tracks", "--gt", str(gt), "--pred", str(pred)])
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0][:6] == ["camera", "HOTA", "AssA", "DetA", "IDF1", "MOTA"]
    assert rows[1] == ["hall", *["1.000"] * 5, *"000", "10", "1", "1"]
    assert rows[2] == ["yard", *"-----", *"000000"]
    assert rows[3] == ["all", *rows[1][1:]]


def test_the_document_shows_what_the_command_says(tud: tuple[Path, Path]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
    arguments = ["eval", "tracks", "--gt", str(tud[0]), "--pred", str(tud[1])]
    result = CliRunner(env={"COLUMNS": "120"}).invoke(app, arguments)
    assert result.exit_code == 0
    for line in result.stdout.splitlines():
        assert line.rstrip() in text


@pytest.mark.parametrize("seed", range(4))
def test_the_numbers_are_trackevals_own_for_one_camera(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    true, found = [], []
    for frame in range(1, 31):
        for person in range(1, 7):
            left, top = 60 * person + 2 * frame, 50 + 10 * person
            kind = (1, 1, 1, 2, 8, 3)[person - 1]
            true.append(f"{frame},{person},{left},{top},40,80,{int(kind == 1)},{kind},1")
            if random.random() < 0.8:
                moved = left + random.normal(0, 8), top + random.normal(0, 8)
                identity = 10 * person + (frame > 15) * (person < 3)
                found.append(f"{frame},{identity},{moved[0]:.2f},{moved[1]:.2f},40,80,0.9,-1,-1,-1")
    gt = write(tmp_path / "gt", {"cam/gt/gt.txt": "\n".join(true)})
    pred = write(tmp_path / "pred", {"ours/data/cam.txt": "\n".join(found)})
    site = evaluate_tracks(read_truth(gt), read_predictions(pred / "ours/data")).site
    dataset = MotChallenge2DBox(
        {
            "GT_FOLDER": str(gt),
            "TRACKERS_FOLDER": str(pred),
            "SKIP_SPLIT_FOL": True,
            "SEQ_INFO": {"cam": 30},
            "PRINT_CONFIG": False,
        }
    )
    data = dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("ours", "cam"), "pedestrian")
    quiet = {"PRINT_CONFIG": False}
    hota, clear = HOTA().eval_sequence(data), CLEAR(quiet).eval_sequence(data)
    assert site.hota == pytest.approx(hota["HOTA"].mean())
    assert site.assa == pytest.approx(hota["AssA"].mean())
    assert site.mota == pytest.approx(clear["MOTA"])
    assert site.idf1 == pytest.approx(Identity(quiet).eval_sequence(data)["IDF1"])
    assert (site.misses, site.false_positives, site.id_switches) == (clear["CLR_FN"], clear["CLR_FP"], clear["IDSW"])


# --- over cameras


def test_a_person_in_two_views_at_once_is_one_identity(tmp_path: Path) -> None:
    both = {"hall.txt": walk(1), "yard.txt": walk(1, left=300)}
    found = measure(tmp_path, both, {"hall.txt": walk(42), "yard.txt": walk(42, left=300)})
    assert (found.site.hota, found.site.idf1, found.site.mota) == (1.0, 1.0, 1.0)
    assert (found.site.true_ids, found.site.predicted_ids, found.site.frames) == (1, 1, 20)


def test_another_identity_in_each_camera_is_right_in_each_and_wrong_over_all(tmp_path: Path) -> None:
    both = {"hall.txt": walk(1), "yard.txt": walk(1)}
    found = measure(tmp_path, both, {"hall.txt": walk(1), "yard.txt": walk(2)})
    assert [quality.hota for quality in found.cameras.values()] == [1.0, 1.0]
    assert found.site.deta == 1.0
    assert found.site.idf1 == pytest.approx(0.5)
    assert found.site.assa == pytest.approx(0.5)
    assert found.site.id_switches == 1


def test_two_people_taken_for_one_are_wrong_over_all(tmp_path: Path) -> None:
    found = measure(tmp_path, {"hall.txt": walk(1), "yard.txt": walk(2)}, {"hall.txt": walk(5), "yard.txt": walk(5)})
    assert found.cameras["hall"].idf1 == 1.0
    assert found.site.idf1 == pytest.approx(0.5)


def test_ids_are_never_compared_as_numbers(tmp_path: Path) -> None:
    true = walk(-3) + walk(2**40, left=300)
    found = measure(tmp_path, {"hall.txt": true}, {"hall.txt": walk(2**40) + walk(0, left=300)})
    assert (found.site.hota, found.site.true_ids) == (1.0, 2)


# --- nothing at all


def test_empty_predictions_find_nobody(tmp_path: Path) -> None:
    site = measure(tmp_path, {"hall.txt": walk(1)}, {"hall.txt": ""}).site
    assert (site.hota, site.assa, site.idf1, site.mota) == (0.0, 0.0, 0.0, 0.0)
    assert (site.misses, site.false_positives) == (10, 0)


def test_a_camera_without_people_has_no_fractions_but_its_false_alarms_count(tmp_path: Path) -> None:
    true = {"hall.txt": walk(1), "yard.txt": ""}
    found = measure(tmp_path, true, {"hall.txt": walk(1), "yard.txt": walk(9)})
    yard = found.cameras["yard"]
    assert (yard.hota, yard.idf1, yard.mota, yard.false_positives) == (None, None, None, 10)
    assert found.site.mota == 0.0


def test_without_any_truth_nothing_can_be_measured(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no box of the ground truth counts"):
        measure(tmp_path, {"hall.txt": walk(1, tail="0,1,1")}, {"hall.txt": walk(1)})


# --- what does not count


@pytest.mark.parametrize("tail", ["0,1,1", "0,-1,-1", "1,2,1", "1,7,1", "0,8,0.2", "1,12,1"])
def test_an_ignored_person_may_be_found_or_not(tmp_path: Path, tail: str) -> None:
    true = {"hall.txt": walk(1) + walk(2, left=300, tail=tail)}
    found = measure(tmp_path / "found", true, {"hall.txt": walk(1) + walk(2, left=302)}).site
    missed = measure(tmp_path / "missed", true, {"hall.txt": walk(1)}).site
    assert (found.mota, found.hota, found.predicted_boxes, found.ignored_boxes) == (1.0, 1.0, 10, 10)
    assert (missed.mota, missed.hota, missed.predicted_boxes, missed.ignored_boxes) == (1.0, 1.0, 10, 10)


def test_an_ignored_box_takes_no_prediction_that_belongs_to_somebody_else(tmp_path: Path) -> None:
    true = {"hall.txt": walk(1) + walk(2, left=10, tail="0,1,1")}
    assert measure(tmp_path, true, {"hall.txt": walk(5, left=1)}).site.mota == 1.0


def test_what_is_no_person_is_not_there(tmp_path: Path) -> None:
    true = {"hall.txt": walk(1) + walk(2, left=300, tail="1,3,1")}
    site = measure(tmp_path, true, {"hall.txt": walk(1) + walk(2, left=300)}).site
    assert (site.true_ids, site.false_positives, site.ignored_boxes) == (1, 10, 0)


def test_people_who_are_hardly_visible_are_ignored_on_demand(tmp_path: Path) -> None:
    true = {"hall.txt": walk(1, tail="1,1,-1") + walk(2, left=300, tail="1,1,0.2") + walk(3, left=600, tail="1,1,0.3")}
    found = {"hall.txt": walk(1) + walk(3, left=600)}
    assert measure(tmp_path / "all", true, found).site.misses == 10
    strict = measure(tmp_path / "visible", true, found, min_visibility=0.3).site
    assert (strict.misses, strict.ignored_boxes, strict.hota) == (0, 10, 1.0)


# --- files


def test_both_layouts_six_columns_and_blank_lines_are_read(tmp_path: Path) -> None:
    gt = write(tmp_path, {"a/gt/gt.txt": "\n2, 7, 1, 2, 3, 4,\n1,7,1,2,3,4\n\n", "b.txt": "1,1,1,2,3,4,1,1,0.5"})
    truth = read_truth(gt)
    assert sorted(truth) == ["a", "b"]
    assert truth["a"].frames.tolist() == [1, 2]
    assert truth["a"].boxes_xyxy[0].tolist() == [1, 2, 4, 6]
    assert truth["a"].counts.all()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1,1,1,2,3", "expected numbers: frame,id,left"),
        ("frame,id,x,y,w,h", "expected numbers"),
        ("1,1,nan,2,3,4", "expected numbers"),
        ("1,1,1e999,2,3,4", "expected numbers"),
        ("1 1 1 2 3 4", "expected numbers"),
        ("0,1,1,2,3,4", "frames from 1"),
        ("1.5,1,1,2,3,4", "whole numbers"),
        ("1,1.5,1,2,3,4", "whole numbers"),
        ("1e300,1,1,2,3,4", "whole numbers"),
        ("1,1,1,2,0,4", "box is 0 x 4"),
        ("1,1,1,2,3,-4", "box is 3 x -4"),
        ("1,5,1,2,3,4\n1,5,9,2,3,4", "id 5 is in frame 1 already"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, words: str) -> None:
    write(tmp_path, {"hall.txt": f"1,9,1,2,3,4\n{line}"})
    with pytest.raises(DataError, match=rf"hall\.txt:[23]: .*{words}"):
        read_predictions(tmp_path)
    with pytest.raises(DataError, match=words):
        read_truth(tmp_path)


def test_a_file_that_is_no_text_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "hall.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"hall\.txt: cannot be read as text"):
        read_truth(tmp_path)


def test_missing_and_extra_cameras_are_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no prediction for yard; expected a file, empty"):
        measure(tmp_path / "a", {"hall.txt": walk(1), "yard.txt": walk(1)}, {"hall.txt": walk(1)})
    with pytest.raises(DataError, match="no ground truth for yard; expected predictions of hall alone"):
        measure(tmp_path / "b", {"hall.txt": walk(1)}, {"hall.txt": walk(1), "yard.txt": walk(1)})
    with pytest.raises(DataError, match="twice"):
        measure(tmp_path / "c", {"hall.txt": walk(1), "hall/gt/gt.txt": walk(1)}, {"hall.txt": ""})
    for reader in (read_truth, read_predictions):
        (tmp_path / "nothing").mkdir(exist_ok=True)
        with pytest.raises(DataError, match=r"holds no .*; expected CAMERA\.txt"):
            reader(tmp_path / "nothing")
        with pytest.raises(DataError, match="is no folder"):
            reader(tmp_path / "nowhere")


def test_the_command_ends_with_an_error_of_ours(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["eval", "tracks", "--gt", str(tmp_path / "x"), "--pred", str(tmp_path)])
    assert isinstance(result.exception, DataError)


def test_arrays_of_other_shapes_or_orders_are_refused() -> None:
    one = TrackBoxes(np.array([1]), np.array([1]), np.array([[0.0, 0, 1, 1]]), np.array([True]))
    assert len(one) == 1
    assert len(TrackBoxes.empty()) == 0
    with pytest.raises(DataError, match="rising"):
        TrackBoxes(np.array([2, 1]), np.array([1, 1]), np.zeros((2, 4)), np.ones(2, bool))
    with pytest.raises(DataError, match="NaN"):
        TrackBoxes(np.array([1]), np.array([1]), np.full((1, 4), np.nan), np.ones(1, bool))
    with pytest.raises(DataError, match="shape"):
        TrackBoxes(np.array([1]), np.array([1, 2]), np.zeros((1, 4)), np.ones(1, bool))
