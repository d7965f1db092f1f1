"""From labelled pictures on disk to the numbers: the table of PKU-Reid, and the command."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from passerby.cli.app import app
from passerby.errors import DataError
from tests.pku_reid import pku_reid
from tests.training.reference_verification import area_under_curve, pooled_pairs
from training.evaluate import (
    FALSE_POSITIVE_RATES,
    RankedImages,
    compare,
    evaluate_retrieval,
    evaluate_verification,
    read_labelled_images,
    read_split,
    search,
)
from training.evaluate.curves import draw_curves
from training.evaluate.labelled import read_image


def _picture(folder: Path, name: str, *, seed: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (64, 32, 3), np.uint8)
    assert cv2.imwrite(str(folder / name), pixels)


# --- the table


@pytest.mark.parametrize(
    ("network", "normalize", "mean_ap", "rank1"),
    [
        ("osnet_x0_25_msmt17", "none", 0.124, 0.129),
        ("osnet_x0_25_msmt17", "camera", 0.344, 0.428),
        ("person-reidentification-retail-0288", "none", 0.342, 0.439),
        ("person-reidentification-retail-0288", "camera", 0.604, 0.750),
        ("person-reidentification-retail-0277", "none", 0.632, 0.743),
        ("person-reidentification-retail-0277", "camera", 0.835, 0.926),
    ],
)
def test_pku_reid_gives_the_known_table_to_the_third_digit(
    shared_data: Callable[[str], Path], network: str, normalize: str, mean_ap: float, rank1: float
) -> None:
    pku = pku_reid(network, data=shared_data("reid/pku-reid").parents[1])
    found = compare(pku.split, pku.embeddings, normalize=normalize)
    assert round(found.mean_average_precision, 3) == mean_ap
    assert round(found.rank(1), 3) == rank1
    assert (found.queries, found.gallery) == (704, 704)


def test_the_command_says_the_same_on_its_last_line(
    shared_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSERBY_MODEL_DIR", str(shared_data("models")))
    root = str(shared_data("reid/pku-reid"))
    network = "person-reidentification-retail-0288"
    result = CliRunner().invoke(app, ["eval", "reid", "--root", root, "--model", network, "--threads", "2", "--json"])
    report = json.loads(result.stdout.splitlines()[-1])
    assert (round(report["mAP"], 3), round(report["rank1"], 3)) == (0.604, 0.75)
    assert 0 < report["mINP"] < report["mAP"] < report["rank5"] < report["rank10"] < 1
    assert (report["queries"], report["gallery"]) == (704, 704)
    assert (report["protocol"], report["normalize"], report["ap"]) == ("all-vs-all", "camera", "torchreid")
    assert report["model"].startswith(f"{network}@")


def test_the_document_shows_what_the_command_says(shared_data: Callable[[str], Path]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
    shown = json.loads(next(line for line in text.splitlines() if line.startswith("{")))
    network = shown["model"].partition("@")[0]
    pku = pku_reid(network, data=shared_data("reid/pku-reid").parents[1])
    found = compare(pku.split, pku.embeddings, normalize=shown["normalize"], ap=shown["ap"])
    assert shown["mAP"] == pytest.approx(found.mean_average_precision, abs=1e-3)
    assert shown["mINP"] == pytest.approx(found.mean_inverse_negative_penalty, abs=1e-3)
    assert [shown[f"rank{k}"] for k in (1, 5, 10)] == pytest.approx([found.rank(k) for k in (1, 5, 10)], abs=2e-3)


def test_the_command_shows_people_a_table(
    shared_data: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSERBY_MODEL_DIR", str(shared_data("models")))
    for number, name in enumerate(("0001_c1s1_1.png", "0001_c2s1_1.png", "0002_c1s1_1.png", "0002_c2s1_1.png")):
        _picture(tmp_path, name, seed=number)
    arguments = ["eval", "reid", "--root", str(tmp_path), "--model", "person-reidentification-retail-0288"]
    result = CliRunner().invoke(app, [*arguments, "--normalize", "none", "--threads", "1"])
    assert result.exit_code == 0
    assert "mAP" in result.stdout
    assert "queries          4" in result.stdout


# --- the folders


def test_names_say_who_and_where(tmp_path: Path) -> None:
    for name in ("0002_c2s1_000001_00.jpg", "0002_c13_f01.png", "0000_c1s1_000001_00.jpg", "-1_c3s1_000001_00.jpg"):
        _picture(tmp_path, name)
    (tmp_path / "Thumbs.db").write_bytes(b"not looked at")
    images = read_labelled_images(tmp_path)
    assert [file.name for file in images.files] == [
        "0000_c1s1_000001_00.jpg",
        "0002_c13_f01.png",
        "0002_c2s1_000001_00.jpg",
    ]
    assert images.people.tolist() == [0, 2, 2]
    assert images.cameras.tolist() == [1, 13, 2]


def test_market_looks_for_its_queries_in_its_gallery(tmp_path: Path) -> None:
    for name in ("0001_c1s1_1.jpg", "0002_c1s1_1.jpg"):
        _picture(tmp_path / "query", name)
    for name in ("0001_c2s1_1.jpg", "0000_c2s1_1.jpg", "-1_c2s1_1.jpg", "0002_c3s1_1.jpg"):
        _picture(tmp_path / "bounding_box_test", name)
    split = read_split(tmp_path, protocol="market")
    assert split.images.people[split.is_query].tolist() == [1, 2]
    assert split.images.people[split.is_gallery].tolist() == [0, 1, 2]


def test_in_all_vs_all_distractors_are_found_but_search_for_nothing(tmp_path: Path) -> None:
    for name in ("0000_c1s1_1.jpg", "0000_c2s1_1.jpg", "0004_c1s1_1.jpg"):
        _picture(tmp_path, name)
    split = read_split(tmp_path, protocol="all-vs-all")
    assert split.is_query.tolist() == [False, False, True]
    assert split.is_gallery.all()


def test_wrong_folders_say_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the folder"):
        read_labelled_images(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no image"):
        read_labelled_images(tmp_path)
    _picture(tmp_path / "query", "0001_c1s1_1.jpg")
    with pytest.raises(DataError, match="use --protocol market"):
        read_split(tmp_path, protocol="all-vs-all")
    with pytest.raises(DataError, match="bounding_box_test: cannot read the folder"):
        read_split(tmp_path, protocol="market")


@pytest.mark.parametrize("name", ["somebody.jpg", "1-2_c1.jpg", "0001_x1.jpg"])
def test_an_image_with_another_name_is_refused(tmp_path: Path, name: str) -> None:
    _picture(tmp_path, name)
    with pytest.raises(DataError, match="does not say who and where"):
        read_labelled_images(tmp_path)


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "0001_c1s1_1.jpg").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"0001_c1s1_1\.jpg is not a picture"):
        read_image(tmp_path / "0001_c1s1_1.jpg")


# --- everything the command can measure


def test_the_command_measures_all_it_can_at_once(
    shared_data: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSERBY_MODEL_DIR", str(shared_data("models")))
    for number, (folder, name) in enumerate(
        (folder, f"{person:04}_c{camera}s1_{number}.png")
        for folder, number in (("query", 0), ("bounding_box_test", 1), ("gt_bbox", 2), ("gt_bbox", 3))
        for person in (1, 2)
        for camera in (1, 2)
    ):
        _picture(tmp_path / "site" / folder, name, seed=number)
    arguments = ["eval", "reid", "--root", str(tmp_path / "site"), "--model", "person-reidentification-retail-0288"]
    arguments += ["--protocol", "market", "--rerank", "layumi", "--multi-query", "--curves", str(tmp_path / "drawn")]
    result = CliRunner().invoke(app, [*arguments, "--threads", "1", "--json"])
    report = json.loads(result.stdout.splitlines()[-1])
    assert (report["queries"], report["gallery"]) == (4, 4)
    assert (report["dataset"], report["rerank"], report["multi_query"]) == ("Market-1501", "layumi", "mean")
    assert (report["matching_pairs"], report["other_pairs"]) == (4, 8)
    assert 0 <= report["tpr_at_fpr_1e-4"] <= report["tpr_at_fpr_1e-3"] <= report["tpr_at_fpr_1e-2"] <= 1
    assert 0 <= report["AUC"] <= 1
    assert "distance_at_fpr_1e-4" in report
    for name in ("cmc.png", "roc.png"):
        assert cv2.imread(str(tmp_path / "drawn" / name)).shape == (540, 720, 3)


def test_verification_of_pku_reid_is_that_of_its_naive_twin(shared_data: Callable[[str], Path]) -> None:
    network = "person-reidentification-retail-0288"
    pku = pku_reid(network, data=shared_data("reid/pku-reid").parents[1])
    found = search(pku.split, pku.embeddings, normalize="camera")
    labels = (pku.split.images.people, pku.split.images.cameras)
    matching, others = pooled_pairs(labels, labels, found.distances(slice(0, 704)))
    verification = found.verification()
    assert [verification.at(rate).true_positive_rate for rate in FALSE_POSITIVE_RATES] == pytest.approx(
        [0.142, 0.306, 0.631], abs=2e-3
    )
    assert (verification.matching_pairs, verification.other_pairs) == (len(matching), len(others)) == (5632, 484352)
    assert verification.area_under_curve == pytest.approx(area_under_curve(matching, others), abs=1e-12)
    for rate in FALSE_POSITIVE_RATES:
        limit = np.sort(others)[int(rate * len(others))]  # the first that would be one too many
        assert verification.at(rate).true_positive_rate == pytest.approx(np.mean(matching < limit))


@pytest.mark.parametrize(
    ("rerank", "mean_ap", "rank1"), [("zhong", 0.838, 0.830), ("layumi", 0.837, 0.832), ("faiss", 0.811, 0.818)]
)
def test_reranking_gives_the_table_of_the_document(
    shared_data: Callable[[str], Path], rerank: str, mean_ap: float, rank1: float
) -> None:
    pku = pku_reid("person-reidentification-retail-0288", data=shared_data("reid/pku-reid").parents[1])
    found = search(pku.split, pku.embeddings, normalize="camera", rerank=rerank).retrieval()
    assert found.mean_average_precision == pytest.approx(mean_ap, abs=1e-3)
    assert found.rank(1) == pytest.approx(rank1, abs=3e-3)


def test_multi_queries_give_what_the_document_shows(shared_data: Callable[[str], Path]) -> None:
    pku = pku_reid("person-reidentification-retail-0288", data=shared_data("reid/pku-reid").parents[1])
    found = search(pku.split, pku.embeddings, normalize="camera", multi_query=True).retrieval()
    assert (found.queries, found.gallery) == (88, 704)
    assert found.mean_average_precision == pytest.approx(0.786, abs=1e-3)


def test_curves_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    images = RankedImages(np.eye(3, dtype=np.float32), np.array([1, 1, 2]), np.array([1, 2, 2]))
    with pytest.raises(DataError, match="file: cannot write the curves: File exists"):
        draw_curves(tmp_path / "file", evaluate_retrieval(images, images), evaluate_verification(images, images))
