"""Reading people out of a detector's raw output: one pure function per layout."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from passerby.arrays import Detections, Float32Array
from passerby.inference.decoders.nms import non_maximum_suppression
from passerby.inference.decoders.ssd import decode_ssd
from passerby.inference.decoders.ultralytics_end2end import decode_ultralytics_end2end
from passerby.inference.decoders.ultralytics_nms import decode_ultralytics_nms
from passerby.inference.decoders.yolox import decode_yolox
from passerby.inference.preprocessing import Placement
from passerby.models import DetectionLayout, DetectionOutput, Preprocessing


class Decoder(Protocol):
    """What each decoder is."""

    def __call__(
        self,
        outputs: Sequence[Float32Array],
        placements: Sequence[Placement],
        *,
        how: DetectionOutput,
        network: Preprocessing,
    ) -> list[Detections]:
        """One `Detections` per picture, best first, in pixels of the picture. Raises EngineError for another layout."""


DECODERS: Mapping[DetectionLayout, Decoder] = {
    "ssd": decode_ssd,
    "yolox": decode_yolox,
    "ultralytics-nms": decode_ultralytics_nms,
    "ultralytics-end2end": decode_ultralytics_end2end,
}

__all__ = [
    "DECODERS",
    "Decoder",
    "decode_ssd",
    "decode_ultralytics_end2end",
    "decode_ultralytics_nms",
    "decode_yolox",
    "non_maximum_suppression",
]
