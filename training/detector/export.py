"""From a trained detector to the file that an edge loads."""

from pathlib import Path

import numpy as np
import torch

from passerby.models import ModelDescription, ModelManifest
from training.detector.network import DeployedDetector, PersonDetector
from training.export import publish, require_equal, run_onnx, write_onnx


def export_detector(network: PersonDetector, out: Path, *, description: ModelDescription) -> ModelManifest:
    """Write `network` as ONNX with a free batch axis and the output layout `ultralytics-nms`, and its manifest.

    The network is put into evaluation mode. Nothing is left at `out` unless ONNX Runtime gives torch's numbers. Raises
    ModelError when it does not, or when `out` is not an .onnx.
    """
    deployed = DeployedDetector(network).eval()
    size = (3, description.input.height, description.input.width)

    def write(file: Path) -> None:
        write_onnx(deployed, file, size=size, output="people")

    def check(file: Path) -> None:
        pictures = np.random.default_rng(0).random((3, *size), dtype=np.float32)
        with torch.no_grad():
            expected = deployed(torch.from_numpy(pictures)).numpy()
        require_equal(expected, run_onnx(file, pictures), what=out.name)

    return publish(out, description=description, write=write, check=check)
