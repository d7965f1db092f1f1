"""A film that a stranger sends: what it is, before anything else trusts it, and single frames of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import av.error
import av.logging
import numpy as np

from edge.sources.decoding import stream_fps
from passerby.arrays import Int64Array
from passerby.errors import DataError

av.logging.set_level(None)

LONGEST_S = 3600.0
MOST_FRAMES = 400_000
MOST_PIXELS = 16_000_000

_CONTAINERS = frozenset({"mov", "mp4", "matroska", "webm", "avi", "mpegts"})
_OPTIONS = {
    # FFmpeg also plays lists of other files and addresses: not those that somebody sends.
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts",
    "protocol_whitelist": "file",
}
_LONGEST_RUN = 1000
"""Frames that are decoded at most to come from a keyframe to the frame that is meant."""

_BACK_S = (0, 2, 10, 60)
"""How much earlier it is begun, one after the other."""


@dataclass(frozen=True, slots=True, eq=False)
class Footage:
    """What a film is. `times` (n,) int64: when each frame is shown, in the stream's own unit, in order."""

    file: Path
    width: int
    height: int
    fps: float
    times: Int64Array = field(repr=False)

    def __len__(self) -> int:
        return len(self.times)

    def frame(self, number: int, *, width: int) -> bytes:
        """Frame `number`, from 1, as JPEG of at most this width. Raises DataError where it is not there, or damaged."""
        if not 1 <= number <= len(self):
            raise DataError(f"there is no frame {number}: the film has {len(self)}")
        wanted = int(self.times[number - 1])
        try:
            with _open(self.file) as container:
                stream = _video(container, self.file.name)
                picture = _picture_at(container, stream, wanted)
        except (av.FFmpegError, OSError) as error:
            raise DataError(f"frame {number} cannot be decoded: {_reason(error)}") from None
        if picture is None:
            raise DataError(f"frame {number} cannot be decoded")
        return _jpeg(picture, width)


def measure(file: Path, *, name: str) -> Footage:
    """Read a film through without decoding it, but for its first picture. Raises DataError, which calls it `name`."""
    try:
        with _open(file) as container:
            stream = _video(container, name)
            times = _times(container, stream, name)
            fps = stream_fps(stream)
            if len(times) / fps > LONGEST_S:
                raise DataError(f"{name} is longer than {LONGEST_S / 60:.0f} minutes; cut out what is meant")
            footage = Footage(file, stream.codec_context.width, stream.codec_context.height, fps, times)
    except (av.FFmpegError, OSError) as error:
        raise DataError(f"{name} is no film that is taken: {_reason(error)}; send MP4, WebM, MKV, AVI or TS") from None
    footage.frame(1, width=64)
    return footage


def _open(file: Path) -> Any:
    container = av.open(str(file), options=dict(_OPTIONS), metadata_errors="replace")
    if not _CONTAINERS & set(container.format.name.split(",")):
        container.close()
        raise DataError(f"a film as {container.format.name} is not taken; send MP4, WebM, MKV, AVI or TS")
    return container


def _video(container: Any, name: str) -> Any:
    videos = container.streams.video
    if not videos or videos[0].codec_context is None:
        raise DataError(f"{name}: there is no video in it that can be decoded")
    context = videos[0].codec_context
    if not 0 < context.width * context.height <= MOST_PIXELS:
        raise DataError(
            f"{name} has {context.width} x {context.height} pixels, at most {MOST_PIXELS // 10**6} million are taken"
        )
    context.options = {"max_pixels": str(MOST_PIXELS)}
    context.thread_count = 1
    return videos[0]


def _times(container: Any, stream: Any, name: str) -> Int64Array:
    times: list[int] = []
    for packet in container.demux(stream):
        time = packet.dts if packet.pts is None else packet.pts
        if packet.size and time is not None:
            times.append(time)
        if len(times) > MOST_FRAMES:
            raise DataError(f"{name} has more than {MOST_FRAMES} frames; cut out what is meant")
    if not times:
        raise DataError(f"{name}: there are no frames in it")
    return np.sort(np.array(times, np.int64))


def _picture_at(container: Any, stream: Any, wanted: int) -> Any:
    """The first picture at this time or later; where the film ends before, its last one.

    Containers without an index are sought in by guessing: where that leads too far, it begins earlier.
    """
    picture = None
    for back_s in _BACK_S:
        container.seek(wanted - round(back_s / stream.time_base), stream=stream, backward=True)
        for decoded, picture in enumerate(container.decode(stream)):
            time = picture.dts if picture.pts is None else picture.pts
            if time is None or time >= wanted or decoded >= _LONGEST_RUN:
                break
        else:
            continue
        if decoded or time == wanted:
            break
    return picture


def _jpeg(picture: Any, width: int) -> bytes:
    import cv2

    wide = min(width, picture.width)
    high = max(1, round(picture.height * wide / picture.width))
    image = picture.reformat(width=wide, height=high, format="bgr24").to_ndarray()
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)
