"""A detector and an embedder that implement the engines' protocol by arithmetic on the picture."""

from collections.abc import Sequence

import numpy as np

from passerby.arrays import Detections, Float32Array, Image
from passerby.ids import CameraId
from passerby.models import DetectionOutput, EmbeddingOutput, ModelManifest, Preprocessing


class ScriptedDetector:
    """Gives the next of the scripted detections for each frame, then nobody."""

    device = "a script"
    batch_limit = 1

    def __init__(self, script: Sequence[Detections] = ()) -> None:
        self._script = list(script)
        self.batches: list[int] = []

    @property
    def manifest(self) -> ModelManifest:
        return _manifest("scripted-detector", "detect")

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        self.batches.append(len(frames))
        return [self._script.pop(0) if self._script else Detections.empty() for _ in frames]

    def close(self) -> None:
        pass


class BrightnessDetector(ScriptedDetector):
    """Finds one person in every picture: a column that walks right with the picture's brightness."""

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        self.batches.append(len(frames))
        left = [float(frame.mean()) for frame in frames]
        return [people([x, 50, x + 50, 200]) for x in left]


class MeanColourEmbedder:
    """Three numbers: the mean colour of the crop."""

    device = "arithmetic"
    batch_limit = 32

    def __init__(self) -> None:
        self.calls: list[int] = []

    @property
    def manifest(self) -> ModelManifest:
        return _manifest("mean-colour", "embed")

    def embed(self, crops: Sequence[Image], camera_ids: Sequence[CameraId]) -> Float32Array:
        assert len(crops) == len(camera_ids)
        self.calls.append(len(crops))
        return np.array([crop.mean(axis=(0, 1)) for crop in crops], np.float32).reshape(-1, 3)

    def close(self) -> None:
        pass


def people(*boxes: Sequence[float], confidence: float | Sequence[float] = 0.9) -> Detections:
    """Detections with these boxes."""
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(xyxy, np.broadcast_to(np.asarray(confidence, np.float32), len(xyxy)).copy())


def _manifest(name: str, task: str) -> ModelManifest:
    return ModelManifest(
        name=name,
        version="1",
        task=task,
        files=[],
        input=Preprocessing(height=1, width=1, colour="BGR"),
        detection=DetectionOutput(layout="ssd") if task == "detect" else None,
        embedding=EmbeddingOutput(dimension=3) if task == "embed" else None,
    )
