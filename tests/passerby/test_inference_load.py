"""Choosing an engine where some are missing."""

import sys
from pathlib import Path

import pytest

from passerby.errors import EngineUnavailableError
from passerby.inference import load_embedder
from passerby.inference.load import choose_engine
from tests.passerby.tiny_networks import tiny_embedder


@pytest.fixture
def without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where the import fails; TensorRT is away too."""
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setitem(sys.modules, "tensorrt", None)


@pytest.mark.usefixtures("without_openvino")
def test_auto_falls_back_to_what_is_there() -> None:
    assert choose_engine(Path("model.onnx")) == "onnxruntime"


@pytest.mark.usefixtures("without_openvino")
def test_a_file_that_nothing_reads_says_what_to_install() -> None:
    with pytest.raises(EngineUnavailableError, match=r"nothing here can run model\.xml: .*'passerby\[openvino\]'"):
        choose_engine(Path("model.xml"))


@pytest.mark.usefixtures("without_openvino")
def test_an_engine_asked_for_by_name_says_what_to_install(tmp_path: Path) -> None:
    manifest = tiny_embedder(tmp_path / "tiny.onnx")
    with pytest.raises(EngineUnavailableError, match=r"pip install 'passerby\[openvino\]'"):
        load_embedder(manifest, engine="openvino")
    with pytest.raises(EngineUnavailableError, match=r"pip install 'passerby\[tensorrt\]'"):
        load_embedder(manifest, engine="tensorrt")


def test_half_precision_is_only_on_request(tmp_path: Path) -> None:
    manifest = tiny_embedder(tmp_path / "tiny.onnx")
    assert load_embedder(manifest, engine="openvino").device.endswith("float32")
    assert load_embedder(manifest, engine="openvino", precision="half").device.startswith("OpenVINO")
