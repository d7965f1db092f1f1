"""What a model is: its manifest. (The registry that finds, fetches and verifies models stands beside it.)"""

from typing import Literal

from msgspec import Struct

from passerby.ids import ModelId

Task = Literal["detect", "embed"]

DetectionLayout = Literal["ssd", "yolox", "ultralytics-nms", "ultralytics-end2end"]
"""How the raw output of a detector is laid out.

`ssd` rows [image, label, confidence, x1, y1, x2, y2] in 0-1; `yolox` the raw grid at strides 8, 16, 32;
`ultralytics-nms` (1, 4 + classes, anchors) as YOLOv8 and YOLO11 give it; `ultralytics-end2end` (1, n, 6) as YOLO26.
"""


class Preprocessing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From a BGR uint8 picture to the network's input (n, 3, height, width) float32."""

    height: int
    width: int
    colour: Literal["BGR", "RGB"]
    resize: Literal["stretch", "letterbox-topleft", "letterbox-centre"] = "stretch"
    """Letterbox keeps the aspect ratio, fills with 114; YOLOX puts the picture top left, Ultralytics in the middle."""
    scale: float = 1.0
    """Multiplied first: 1/255 brings bytes to 0-1."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Per channel in the order of `colour`, applied after `scale`."""


class DetectionOutput(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to read people out of a detector."""

    layout: DetectionLayout
    person_class: int = 0
    min_confidence: float = 0.3
    """The lowest confidence worth handing on; cameras choose their own above it."""
    nms_iou: float = 0.7


class ReferenceStatistics(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mean and standard deviation (d,) of the raw embedding over people of many sites: where a young camera starts."""

    mean: list[float]
    std: list[float]
    measured_on: str


class EmbeddingOutput(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an embedding network gives."""

    dimension: int
    reference: ReferenceStatistics | None = None


class ModelManifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything needed to run a model and to know where it came from."""

    name: str
    version: str
    """The first 12 hex digits of the SHA-256 over its files, so that another file is another model."""
    task: Task
    files: list[str]
    """Absolute paths; the one to load first (the .xml of an OpenVINO pair, the .onnx)."""
    input: Preprocessing
    detection: DetectionOutput | None = None
    embedding: EmbeddingOutput | None = None
    licence: str = "unknown"
    weights_licence: str = "unknown"
    trained_on: str = "unknown"

    @property
    def model_id(self) -> ModelId:
        """`name@version`."""
        return ModelId(f"{self.name}@{self.version}")
