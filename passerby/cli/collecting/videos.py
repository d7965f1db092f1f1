"""The videos that are to be read, each of a camera."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import av

from passerby.cli.looking.films import frames_in
from passerby.errors import ConfigError, SourceRefusedError
from passerby.redaction import redact

CameraOf: TypeAlias = Literal["file", "folder"]
"""Whose name is the camera's: the video's, or its folder's."""

_SAMPLE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Video:
    """A video file. `fingerprint` tells its bytes from others'; `frames` and `seconds`: None where it does not say."""

    file: Path
    camera: str
    fingerprint: str
    frames: int | None
    seconds: float | None


def videos_of(files: Sequence[str], *, camera_of: CameraOf) -> list[Video]:
    """The videos, in their order. Raises ConfigError, and SourceRefusedError for what is no file."""
    seen: dict[tuple[str, str], Path] = {}
    videos = []
    for given in files:
        if "://" in given:
            raise ConfigError(f"{redact(given)}: expected a video file; record some of the stream first")
        file = Path(given).expanduser()
        if not file.is_file():
            raise SourceRefusedError(f"{given}: no such file")
        camera = file.stem if camera_of == "file" else file.resolve().parent.name
        other = seen.setdefault((camera, file.name), file)
        if other is not file:
            hint = "; say --camera-of folder" if camera_of == "file" and other.parent != file.parent else ""
            raise ConfigError(f"{other} and {file} are both {file.name} of camera {camera}{hint}")
        videos.append(Video(file, camera, _fingerprint(file), frames_in(file), _seconds_in(file)))
    return videos


def _seconds_in(file: Path) -> float | None:
    try:
        with av.open(str(file)) as container:
            videos = container.streams.video
            if not videos or videos[0].start_time is None or container.duration is None:
                return None  # FFmpeg guesses the length of a raw file from its size
            return float(container.duration / av.time_base)
    except (av.FFmpegError, OSError):
        return None  # what is wrong with it is said where it is read


def _fingerprint(file: Path) -> str:
    """Of a file's size, beginning and end: enough for videos, which begin and end unlike each other."""
    try:
        with file.open("rb") as content:
            size = file.stat().st_size
            digest = hashlib.sha256(str(size).encode())
            digest.update(content.read(_SAMPLE_BYTES))
            content.seek(max(0, size - _SAMPLE_BYTES))
            digest.update(content.read(_SAMPLE_BYTES))
    except OSError as error:
        raise SourceRefusedError(f"{file}: cannot be read: {error.strerror}") from error
    return digest.hexdigest()[:32]
