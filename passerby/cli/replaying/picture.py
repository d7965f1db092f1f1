"""The footage with everybody's box in the colour and with the number of their identity, to look at."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import msgspec
import numpy as np
import supervision as sv

from edge.sources import open_source
from hub.export import CameraTracks
from passerby.arrays import Image
from passerby.cli.replaying.footage import START_NS
from passerby.config import CameraSettings
from passerby.ids import CameraId

_EVERY_FRAME = 120.0
_PALETTE = sv.ColorPalette.from_hex(
    ["#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#42d4f4", "#f032e6", "#bfef45", "#ffe119", "#469990"]
)


def write_video(
    path: Path,
    camera_id: CameraId,
    settings: CameraSettings,
    *,
    tracks: CameraTracks | None,
    as_decided: bool,
    on_frame: Callable[[], None],
) -> None:
    """Write `path` (H.264, MP4): every frame of the recording with the boxes of those who have an identity.

    `tracks` None: the camera saw nobody. Raises SourceError where the recording cannot be read.
    """
    every_frame = msgspec.structs.replace(settings, fps=_EVERY_FRAME)
    with open_source(camera_id, every_frame, realtime=False, start_at_ns=START_NS) as source:
        rate = Fraction(source.info.fps or settings.fps).limit_denominator(1001)
        with av.open(str(path), "w") as container:
            stream = None
            for frame in source:
                height, width = frame.image.shape[:2]
                if stream is None:
                    stream = container.add_stream("libx264", rate=rate, options={"crf": "24", "preset": "veryfast"})
                    # H.264 with the common colour format has even sides only.
                    stream.width, stream.height, stream.pix_fmt = width - width % 2, height - height % 2, "yuv420p"
                drawn = _draw(frame.image, tracks, frame.frame_number, as_decided=as_decided)
                picture = av.VideoFrame.from_ndarray(
                    np.ascontiguousarray(drawn[: stream.height, : stream.width]), format="bgr24"
                )
                container.mux(stream.encode(picture))
                on_frame()
            if stream is not None:
                container.mux(stream.encode())


def _draw(image: Image, tracks: CameraTracks | None, frame_number: int, *, as_decided: bool) -> Image:
    drawn: Image = image.copy()
    if tracks is None:
        return drawn
    identities = tracks.decided if as_decided else tracks.identities
    rows = (tracks.frame_numbers == frame_number) & (identities > 0)
    people = sv.Detections(
        xyxy=tracks.boxes_xyxy[rows], confidence=tracks.confidence[rows], tracker_id=identities[rows].astype(int)
    )
    boxes = sv.BoxAnnotator(_PALETTE, thickness=2, color_lookup=sv.ColorLookup.TRACK)
    names = sv.LabelAnnotator(_PALETTE, text_scale=0.5, text_padding=4, color_lookup=sv.ColorLookup.TRACK)
    labels = [f"person {identity}" for identity in identities[rows].tolist()]
    labelled: Image = names.annotate(boxes.annotate(drawn, people), people, labels=labels)
    return labelled
