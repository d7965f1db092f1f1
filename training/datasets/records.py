"""What an archive of crops holds beside the pictures."""

from msgspec import Struct

FORMAT = 1


class ArchiveSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How all videos of an archive were looked at; those of two kinds are not mixed."""

    detector: str
    """Its model id, name@version."""
    fps: float
    """Frames looked at per second of video, at most."""
    crops_per_tracklet: int
    """Crops kept of one tracklet, at most: the best ones, spread over its time."""
    min_person_height: int
    """Pixels."""
    min_confidence: float | None
    """Detections below it start no tracklet; None: as the detector's manifest says."""
    format: int = FORMAT


class CropRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One crop: when, in nanoseconds since its video began, where in the frame, in pixels, and how good, 0-1."""

    captured_at_ns: int
    box_xyxy: tuple[float, float, float, float]
    quality: float


class TrackletRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person seen without a break, in nanoseconds since the video began, with the kept crops, best first."""

    started_at_ns: int
    ended_at_ns: int
    crops: list[CropRecord]


class VideoRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One video that was read."""

    camera: str
    name: str
    """Of its file, without the folder."""
    fingerprint: str
    """Tells its bytes from others."""
    complete: bool = False
    """Whether it was read to where it ends; until then its crops do not count."""
    cut_short: str = ""
    """Why it ends before it should; empty where it does not."""
    frames: int = 0
    """Looked at."""
    tracklets: int = 0
    crops: int = 0
