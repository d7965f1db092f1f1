"""`passerby cluster`: its labels, its report, and one clear line for each kind of bad file."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from passerby.arrays import l2_normalize
from passerby.cli.app import app
from passerby.errors import PasserbyError
from passerby.features.normalization import zscore_by_camera
from tests.passerby.crowds import crowd
from tests.reference import dense_camera_jaccard, dense_dbscan, dense_jaccard

ROWS = crowd(240, axes=64, noise=0.6) + 0.1
CAMERAS = np.arange(240) % 3


def run(folder: Path, arrays: dict[str, Any], *options: str) -> Result:
    np.savez(folder / "features.npz", **arrays)
    return CliRunner().invoke(app, ["cluster", str(folder / "features.npz"), "--out", str(folder / "labels"), *options])


def labels_in(folder: Path) -> Any:
    with np.load(folder / "labels") as written:
        assert written.files == ["labels"]
        return written["labels"]


@pytest.mark.parametrize("distance", ["jaccard", "camera-jaccard"])
@pytest.mark.parametrize("normalize", ["camera", "none"])
def test_labels_are_those_of_the_definition(tmp_path: Path, distance: str, normalize: str) -> None:
    done = run(
        tmp_path,
        {"features": ROWS, "cameras": CAMERAS},
        "--eps",
        "0.6",
        "--distance",
        distance,
        "--normalize",
        normalize,
        "--json",
    )
    assert done.exit_code == 0, done.output
    rows = l2_normalize(zscore_by_camera(ROWS, CAMERAS.tolist()) if normalize == "camera" else ROWS)
    distances = dense_jaccard(rows) if distance == "jaccard" else dense_camera_jaccard(rows, CAMERAS)
    labels = labels_in(tmp_path)
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, dense_dbscan(distances, eps=0.6, min_samples=4))
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["clusters"] == labels.max() + 1
    assert report["outliers"] == (labels < 0).sum()
    assert (report["rows"], report["eps"], report["neighbour_recall"]) == (240, 0.6, 1.0)
    assert report["seconds"] > 0
    assert report["peak_memory_mb"] > 50
    assert "searching neighbours of 240 nodes" in done.stderr


def test_rows_of_one_tracklet_stay_together(tmp_path: Path) -> None:
    tracklets = np.arange(240) // 3 * 7 - 100
    done = run(
        tmp_path, {"features": ROWS, "cameras": CAMERAS[tracklets % 240], "tracklets": tracklets}, "--eps", "0.6"
    )
    assert done.exit_code == 0, done.output
    labels = labels_in(tmp_path).reshape(-1, 3)
    assert (labels == labels[:, :1]).all()
    assert "outliers" in done.stdout


def test_average_linkage_leaves_no_cluster_smaller_than_asked_for(tmp_path: Path) -> None:
    options = ("--method", "average", "--eps", "0.7", "--min-samples", "5")
    assert run(tmp_path, {"features": ROWS, "cameras": CAMERAS}, *options).exit_code == 0
    labels = labels_in(tmp_path)
    assert np.bincount(labels[labels >= 0]).min() >= 5


@pytest.mark.parametrize("method", ["dbscan", "average"])
def test_an_eps_is_found_where_none_is_given(tmp_path: Path, method: str) -> None:
    done = run(tmp_path, {"features": ROWS, "cameras": CAMERAS}, "--method", method, "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout.splitlines()[-1])
    assert 0.0 < report["eps"] < 1.0
    assert report["clusters"] == labels_in(tmp_path).max() + 1 > 1


def test_one_row_is_an_outlier(tmp_path: Path) -> None:
    one = {"features": ROWS[:1].astype(np.float64), "cameras": np.array([4], np.uint8)}
    assert run(tmp_path, one, "--normalize", "none", "--eps", "0.5").exit_code == 0
    assert labels_in(tmp_path).tolist() == [-1]


def changed(**others: Any) -> dict[str, Any]:
    return {"features": ROWS, "cameras": CAMERAS, **others}


def spoiled(value: float) -> Any:
    rows = ROWS.astype(np.float64)
    rows[7, 3 if np.isnan(value) else slice(None)] = value
    return rows


BAD_FILES = {
    "no features": ({"cameras": CAMERAS}, "has no array features"),
    "no cameras": ({"features": ROWS}, "has no array cameras, expected .* it has features"),
    "nothing": ({"other": ROWS}, "it has neither"),
    "NaN": (changed(features=spoiled(np.nan)), "row 7 of features holds NaN or infinity"),
    "too large": (changed(features=spoiled(1e300)), "row 7 of features holds NaN or infinity"),
    "a zero row": (changed(features=spoiled(0.0)), "row 7 of features is all zeros"),
    "no rows": ({"features": ROWS[:0], "cameras": CAMERAS[:0]}, r"features are \(0, 64\) float32, expected"),
    "one axis too few": (changed(features=ROWS[0]), r"features are \(64,\) float32, expected"),
    "whole numbers": (changed(features=ROWS.astype(int)), r"features are \(240, 64\) int64, expected"),
    "too few cameras": (changed(cameras=CAMERAS[1:]), r"cameras are \(239,\) int64, expected \(240,\)"),
    "cameras of floats": (changed(cameras=CAMERAS + 0.5), r"cameras are \(240,\) float64"),
    "too many tracklets": (changed(tracklets=np.arange(241)), r"tracklets are \(241,\) int64"),
    "objects": (changed(cameras=np.array(["a", None] * 120, object)), "is no .npz of plain arrays"),
    "a camera of one row": (changed(cameras=np.arange(240) // 239), "row 239 of features is the mean of camera 1"),
}


@pytest.mark.parametrize(("arrays", "line"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, arrays: dict[str, Any], line: str) -> None:
    error = run(tmp_path, arrays, "--eps", "0.5").exception
    assert isinstance(error, PasserbyError)
    assert "\n" not in str(error)
    assert re.search(line, str(error))


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut short"])
def test_what_is_no_archive_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.npz").write_bytes(content)
    done = CliRunner().invoke(
        app, ["cluster", str(tmp_path / "bad.npz"), "--out", str(tmp_path / "labels"), "--eps", "0.5"]
    )
    assert isinstance(done.exception, PasserbyError)
    assert "bad.npz is no .npz of plain arrays" in str(done.exception)


def test_a_single_array_is_no_file_of_features(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", ROWS)
    done = CliRunner().invoke(app, ["cluster", str(tmp_path / "one.npy"), "--out", str(tmp_path / "labels")])
    assert "is a single array, expected an .npz" in str(done.exception)


BAD_OPTIONS = {
    "eps of 1": (("--eps", "1"), "--eps is 1, expected auto or a Jaccard distance between 0 and 1"),
    "eps of NaN": (("--eps", "nan"), "--eps is nan"),
    "eps of a word": (("--eps", "much"), "--eps is much"),
    "k2 over k1": (("--eps", "0.5", "--k1", "3", "--k2", "4"), "--k2 4 is more than --k1 3"),
    "k1 of cameras": (
        ("--distance", "camera-jaccard", "--k1", "20"),
        "--k1 and --k2 are numbers of --distance jaccard",
    ),
    "no such folder": (("--eps", "0.5", "--out", "/nowhere/labels.npz"), "there is no folder /nowhere"),
}


@pytest.mark.parametrize(("options", "line"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_bad_option_is_one_clear_line(tmp_path: Path, options: tuple[str, ...], line: str) -> None:
    error = run(tmp_path, changed(), *options).exception
    assert isinstance(error, PasserbyError)
    assert line in str(error)


def test_features_are_not_overwritten_and_a_missing_file_is_named(tmp_path: Path) -> None:
    same = str(tmp_path / "features.npz")
    assert "is the file of features itself" in str(run(tmp_path, changed(), "--out", same).exception)
    done = CliRunner().invoke(
        app, ["cluster", str(tmp_path / "none.npz"), "--out", str(tmp_path / "l"), "--eps", "0.5"]
    )
    assert "none.npz cannot be read: No such file or directory" in str(done.exception)
