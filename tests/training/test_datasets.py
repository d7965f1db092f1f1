"""The layouts of labelled data sets, each on a tiny one made here, and what is said of a wrong one."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from passerby.errors import DataError
from training.evaluate import read_split, read_training_split

_PIXELS = np.zeros((4, 2, 3), np.uint8)


def _pictures(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(file), _PIXELS)


def _labels(images) -> list[tuple[str, int, int]]:
    """(name, person, camera) of each image; each file is there."""
    assert all(file.is_file() for file in images.files)
    return list(zip([file.name for file in images.files], images.people.tolist(), images.cameras.tolist(), strict=True))


def _sides(split):
    return _labels(split.images.where(split.is_query)), _labels(split.images.where(split.is_gallery))


# --- Market-1501


@pytest.fixture
def market(tmp_path: Path) -> Path:
    _pictures(tmp_path / "bounding_box_train", "0002_c1s1_1.jpg", "0002_c4s1_1.jpg", "0000_c1s1_1.jpg", "-1_c1s1_1.jpg")
    _pictures(tmp_path / "query", "0001_c1s1_1.jpg", "0001_c2s1_1.jpg")
    _pictures(tmp_path / "bounding_box_test", "0000_c2s1_1.jpg", "0001_c2s1_2.jpg", "-1_c2s1_1.jpg")
    _pictures(tmp_path / "gt_bbox", "0001_c1s1_8.jpg", "0001_c1s1_9.jpg", "0001_c2s1_9.jpg", "0001_c3s1_9.jpg")
    return tmp_path


def test_market_1501(market: Path) -> None:
    split = read_split(market, protocol="market")
    query, gallery = _sides(split)
    assert query == [("0001_c1s1_1.jpg", 1, 1), ("0001_c2s1_1.jpg", 1, 2)]
    assert gallery == [("0000_c2s1_1.jpg", 0, 2), ("0001_c2s1_2.jpg", 1, 2)]
    assert (split.dataset, len(split.images), split.is_pooled) == ("Market-1501", 4, None)
    assert _labels(read_training_split(market, "market")) == [("0002_c1s1_1.jpg", 2, 1), ("0002_c4s1_1.jpg", 2, 4)]


def test_a_multi_query_of_market_averages_what_was_cut_out_by_hand(market: Path) -> None:
    split = read_split(market, protocol="market", multi_query=True)
    pooled = _labels(split.images.where(split.is_pooled))
    assert [name for name, _, _ in pooled] == ["0001_c1s1_8.jpg", "0001_c1s1_9.jpg", "0001_c2s1_9.jpg"]
    assert not (split.is_pooled & (split.is_query | split.is_gallery)).any()
    assert _sides(split) == _sides(read_split(market, protocol="market"))


def test_what_market_lacks_is_named(market: Path, tmp_path: Path) -> None:
    (market / "gt_bbox").rename(market / "elsewhere")
    with pytest.raises(DataError, match="has no folder gt_bbox, whose pictures a multi-query"):
        read_split(market, protocol="market", multi_query=True)
    with pytest.raises(DataError, match=r"bounding_box_train: cannot read the folder: No such file"):
        read_training_split(tmp_path / "nowhere", "market")


# --- MSMT17


def _msmt17(root: Path, *, train: str, test: str, below: str = "") -> Path:
    _pictures(root / train, "0000/0000_000_01_0303morning_0008_0.jpg", "0001/0001_003_15_0303noon_0008_0.jpg")
    _pictures(root / test, "0000/0000_000_02_0303morning_0008_0.jpg", "0007/0007_001_13_0303noon_0001_0_ex.jpg")
    lists = {
        "list_train.txt": ["0000/0000_000_01_0303morning_0008_0.jpg 0"],
        "list_val.txt": ["0001/0001_003_15_0303noon_0008_0.jpg 1"],
        "list_query.txt": [f"{below}0000/0000_000_02_0303morning_0008_0.jpg 0"],
        "list_gallery.txt": [f"{below}0007/0007_001_13_0303noon_0001_0_ex.jpg 7", ""],
    }
    for name, lines in lists.items():
        (root / name).write_text("\n".join(lines), encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("train", "test", "version"),
    [("train", "test", "MSMT17_V1"), ("mask_train_v2", "mask_test_v2", "MSMT17_V2")],
)
@pytest.mark.parametrize("with_folder", [False, True])
def test_msmt17(tmp_path: Path, train: str, test: str, version: str, with_folder: bool) -> None:
    root = _msmt17(tmp_path, train=train, test=test, below=f"{test}/" if with_folder else "")
    split = read_split(root, protocol="msmt17")
    query, gallery = _sides(split)
    assert query == [("0000_000_02_0303morning_0008_0.jpg", 0, 2)]
    assert gallery == [("0007_001_13_0303noon_0001_0_ex.jpg", 7, 13)]
    assert split.dataset == version
    assert [label[1:] for label in _labels(read_training_split(root, "msmt17"))] == [(0, 1), (1, 15)]


def test_what_is_wrong_with_msmt17_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no version of MSMT17; expected folders train and test \(MSMT17_V1\)"):
        read_split(tmp_path, protocol="msmt17")
    root = _msmt17(tmp_path, train="train", test="test")
    (root / "list_query.txt").write_text("0000/picture.jpg 0", encoding="utf-8")
    with pytest.raises(DataError, match=r"list_query.txt, line 1: '0000/picture.jpg 0' does not say who and where"):
        read_split(root, protocol="msmt17")
    (root / "list_query.txt").write_text("0000/0000_000_02_0303morning_0008_0.jpg", encoding="utf-8")
    with pytest.raises(DataError, match="line 1"):
        read_split(root, protocol="msmt17")
    (root / "list_query.txt").write_text("0000/0000_000_09_0303morning_0008_0.jpg 0", encoding="utf-8")
    with pytest.raises(DataError, match=r"0000_000_09_0303morning_0008_0.jpg is not there, but .*list_query.txt names"):
        read_split(root, protocol="msmt17")
    (root / "list_query.txt").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match=r"list_query.txt names no image"):
        read_split(root, protocol="msmt17")
    (root / "list_query.txt").unlink()
    with pytest.raises(DataError, match=r"list_query.txt: cannot read the file: No such file"):
        read_split(root, protocol="msmt17")
    _msmt17(tmp_path, train="mask_train_v2", test="mask_test_v2")
    with pytest.raises(DataError, match="holds both versions"):
        read_split(root, protocol="msmt17")


# --- CUHK03


def _cuhk03(root: Path, kind: str) -> Path:
    _pictures(root / f"images_{kind}", "1_001_1_01.png", "1_001_2_06.png", "1_002_1_01.png", "5_003_2_10.png")
    split = {
        part: [[f"/where/it/was/made/images_{kind}/{name}", person, camera] for name, person, camera in entries]
        for part, entries in {
            "train": [("1_001_1_01.png", 0, 0), ("1_001_2_06.png", 0, 1)],
            "query": [("1_002_1_01.png", 2, 0)],
            "gallery": [("5_003_2_10.png", 3, 1)],
        }.items()
    }
    (root / f"splits_new_{kind}.json").write_text(json.dumps([split | {"num_train_pids": 1}]), encoding="utf-8")
    return root


@pytest.mark.parametrize("kind", ["detected", "labeled"])
def test_cuhk03(tmp_path: Path, kind: str) -> None:
    root = _cuhk03(tmp_path, kind)
    split = read_split(root, protocol="cuhk03")
    assert _sides(split) == ([("1_002_1_01.png", 2, 0)], [("5_003_2_10.png", 3, 1)])
    assert split.dataset == f"CUHK03 splits_new_{kind}"
    assert [label[1:] for label in _labels(read_training_split(root, "cuhk03"))] == [(0, 0), (0, 1)]


def test_of_both_kinds_of_cuhk03_one_is_named(tmp_path: Path) -> None:
    for kind in ("detected", "labeled"):
        _cuhk03(tmp_path, kind)
    with pytest.raises(DataError, match="name one of the files instead of the folder"):
        read_split(tmp_path, protocol="cuhk03")
    split = read_split(tmp_path / "splits_new_labeled.json", protocol="cuhk03")
    assert {file.parent.name for file in split.images.files} == {"images_labeled"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '[{"train": 3}]', '[{"query": [["a.png", 1]]}]', '[{"query": [1]}]'])
def test_json_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "splits_new_detected.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"has no list 'query' of \[path, person, camera\]"):
        read_split(tmp_path, protocol="cuhk03")


def test_what_cuhk03_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no split of CUHK03; expected splits_new_detected\.json or"):
        read_split(tmp_path, protocol="cuhk03")
    root = _cuhk03(tmp_path, "detected")
    (root / "images_detected" / "5_003_2_10.png").unlink()
    with pytest.raises(DataError, match=r"5_003_2_10.png is not there, but .*splits_new_detected.json names it"):
        read_split(root, protocol="cuhk03")


# --- folders


def test_folders_of_people_and_cameras(tmp_path: Path) -> None:
    _pictures(tmp_path, "bob/yard/1.jpg", "anna/lobby/2.png", "anna/lobby/1.png", "anna/yard/1.jpg")
    (tmp_path / "notes.txt").write_text("not looked at", encoding="utf-8")
    split = read_split(tmp_path, protocol="folders")
    expected = [("1.png", 1, 1), ("2.png", 1, 1), ("1.jpg", 1, 2), ("1.jpg", 2, 2)]
    assert _sides(split) == (expected, expected)
    assert split.dataset == tmp_path.name
    assert _labels(read_training_split(tmp_path, "folders")) == expected


def test_folders_with_a_query_and_a_gallery_of_the_same_people(tmp_path: Path) -> None:
    _pictures(tmp_path, "train/carl/hall/1.jpg", "query/bob/yard/1.jpg", "gallery/anna/hall/1.jpg")
    _pictures(tmp_path, "gallery/bob/lobby/1.jpg")
    split = read_split(tmp_path, protocol="folders")
    assert _sides(split) == ([("1.jpg", 2, 3)], [("1.jpg", 1, 1), ("1.jpg", 2, 2)])
    assert _labels(read_training_split(tmp_path, "folders")) == [("1.jpg", 1, 1)]


def test_folders_of_another_depth_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no PERSON/CAMERA/picture"):
        read_split(tmp_path, protocol="folders")
    _pictures(tmp_path, "anna/1.jpg")
    with pytest.raises(DataError, match="anna holds pictures itself; expected PERSON/CAMERA/picture"):
        read_split(tmp_path, protocol="folders")
    with pytest.raises(DataError, match="nowhere: cannot read the folder"):
        read_split(tmp_path / "nowhere", protocol="folders")


# --- any folder


def test_a_folder_of_market_names_to_train_on_has_no_distractors(tmp_path: Path) -> None:
    _pictures(tmp_path, "0001_c1_1.png", "0000_c1_1.png", "-1_c1_1.png")
    assert _labels(read_training_split(tmp_path, "all-vs-all")) == [("0001_c1_1.png", 1, 1)]
