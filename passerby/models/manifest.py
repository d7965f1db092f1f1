"""What a model is: everything needed to run it, and to know where it came from."""

import json
import math
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from passerby.errors import ModelError
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

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise ModelError(f"input size is {self.height}x{self.width} (height x width), expected positive pixels")
        if not math.isfinite(self.scale) or self.scale == 0:
            raise ModelError(f"input scale is {self.scale}, expected a finite number that is not zero")
        if not all(value > 0 and math.isfinite(value) for value in self.std):
            raise ModelError(f"input std is {self.std}, expected three positive numbers")


class DetectionOutput(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to read people out of a detector."""

    layout: DetectionLayout
    person_class: int = 0
    min_confidence: float = 0.3
    """The lowest confidence worth handing on: it may prolong a tracklet."""
    start_confidence: float = 0.5
    """The lowest confidence that begins a tracklet, where a camera does not say otherwise."""
    nms_iou: float = 0.7
    """Of two boxes that overlap more, the less confident goes; unused where the network does it itself."""


class ReferenceStatistics(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mean and standard deviation (d,) of the raw embedding over people of many sites: where a young camera starts."""

    mean: list[float]
    std: list[float]
    measured_on: str


class EmbeddingOutput(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an embedding network gives."""

    dimension: int
    reference: ReferenceStatistics | None = None
    cameras: list[str] = []
    """Whose batch-norm statistics the network has, in order of its rows; the row after them is the site's.

    Empty: an ordinary network.
    """

    def __post_init__(self) -> None:
        if len(set(self.cameras)) != len(self.cameras):
            twice = next(name for name in self.cameras if self.cameras.count(name) > 1)
            raise ModelError(f"cameras name {twice!r} twice, expected one row for each camera")
        if self.reference is None:
            return
        lengths = (len(self.reference.mean), len(self.reference.std))
        if lengths != (self.dimension, self.dimension):
            raise ModelError(
                f"reference statistics have {lengths} numbers (mean, std), expected {self.dimension}, "
                "the dimension of the embedding"
            )


class ModelDescription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What FILE.json beside FILE.onnx says, and each entry of models.yaml: all but the file's name and bytes."""

    task: Task
    input: Preprocessing
    detection: DetectionOutput | None = None
    embedding: EmbeddingOutput | None = None
    licence: str = "unknown"
    """Of the code that defines the network."""
    weights_licence: str = "unknown"
    trained_on: str = "unknown"
    source: str = "unknown"
    """Who published it, or which file it was exported from."""

    def __post_init__(self) -> None:
        if self.task == "detect" and self.detection is None:
            raise ModelError("a model with task `detect` needs `detection`: how its output is laid out")
        if self.task == "embed" and self.embedding is None:
            raise ModelError("a model with task `embed` needs `embedding`: the dimension of its output")


class ModelManifest(ModelDescription, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that is here: its description, with its name, its bytes' hash, and where they lie."""

    name: str
    """The stem of its file."""
    version: str
    """The first 12 hex digits of the SHA-256 over its files in order, so that another file is another model."""
    files: list[str]
    """Absolute paths; the one to load first (the .xml of an OpenVINO pair, the .onnx)."""

    @property
    def model_id(self) -> ModelId:
        """`name@version`."""
        return ModelId(f"{self.name}@{self.version}")

    @property
    def description(self) -> ModelDescription:
        """What a FILE.json beside a copy of the file would say."""
        return ModelDescription(**{name: getattr(self, name) for name in ModelDescription.__struct_fields__})


def read_description(path: Path) -> ModelDescription:
    """The description in FILE.json. Raises ModelError when it cannot be read or a key or value is wrong."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ModelDescription)
    except OSError as error:
        raise ModelError(f"{path}: cannot read the manifest: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ModelError(f"{path}: not a valid manifest: {error}") from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def write_description(description: ModelDescription, path: Path) -> None:
    """Write FILE.json, to lie beside FILE.onnx."""
    path.write_text(json.dumps(msgspec.to_builtins(description), indent=2) + "\n", encoding="utf-8")
