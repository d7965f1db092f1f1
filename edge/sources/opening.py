"""From a camera's URL to an open source."""

import time
from pathlib import Path

from edge.sources.images import ImageFolder
from edge.sources.source import FrameSource, StreamInfo
from edge.sources.video import LIVE_SCHEMES, LiveVideo, VideoFile
from passerby.config import CameraSettings
from passerby.errors import SourceError, SourceRefusedError
from passerby.ids import CameraId
from passerby.redaction import redact

__all__ = ["FrameSource", "StreamInfo", "is_live", "open_source"]


def is_live(url: str) -> bool:
    """Whether the URL is a camera's stream, which never ends by itself, and not a recording."""
    return url.lower().startswith(LIVE_SCHEMES)


def open_source(
    camera_id: CameraId, settings: CameraSettings, *, realtime: bool, start_at_ns: int | None = None
) -> FrameSource:
    """Connect to or open `settings.url`: rtsp(s)://, http(s)://, a video file, or a folder of pictures.

    A recording is read as fast as it is iterated over, its frames captured at `start_at_ns` (default: now) plus
    their own time; with `realtime` it is paced by that time. A live stream knows its own time and ignores both.

    Raises SourceRefusedError, SourceUnauthorizedError, SourceTimeoutError (after `open_timeout_s`), SourceError.
    """
    if is_live(settings.url):
        return LiveVideo(camera_id, settings)
    if "://" in settings.url:
        raise SourceError(f"{redact(settings.url)}: expected rtsp://, http://, https://, a video file or a folder")
    path = Path(settings.url)
    start = time.time_ns() if start_at_ns is None else start_at_ns
    if path.is_dir():
        return ImageFolder(camera_id, path, fps=settings.fps, realtime=realtime, start_at_ns=start)
    if not path.exists():
        raise SourceRefusedError(f"{redact(settings.url)}: no such file or folder")
    return VideoFile(camera_id, settings, realtime=realtime, start_at_ns=start)
