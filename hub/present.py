"""Who is in a camera's picture now: boxes and identities of its open tracklets, to be drawn over a live picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.reader import SiteReader
from hub.records import EventKind, TrackletNumber
from passerby.ids import CameraId, IdentityId

WITHIN_NS = 2 * 10**9
"""An open tracklet has news every second (`update_interval_s`); without any for so long the person is out of sight."""

_DECISIONS = frozenset({EventKind.CREATED, EventKind.LINKED, EventKind.SPLIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """One person in the picture, as last told of."""

    tracklet: TrackletNumber
    box_xyxy: tuple[float, float, float, float]
    """Fractions of the picture's width and height, 0 to 1."""
    captured_at_ns: int
    """When the box was right, by the camera's clock."""
    identity_id: IdentityId | None
    """None while it is not decided."""
    name: str | None
    probability: float | None
    """That the link to `identity_id` is right; None where it is no link, but where the identity began."""


def present(reader: SiteReader, camera_id: CameraId, *, now_ns: int) -> Sequence[Present]:
    """Everybody whom a camera has told of within the last two seconds of the hub's time, by tracklet.

    A box is up to `update_interval_s` old. Raises StoreError.
    """
    found = []
    for tracklet in reader.open_tracklets(camera_id, updated_since_ns=now_ns - WITHIN_NS):
        seen = reader.last_observations(tracklet.number)
        if not len(seen):
            continue
        identity = None if tracklet.identity_id is None else reader.identity(tracklet.identity_id)
        left, top, right, bottom = map(float, seen.boxes_xyxy[-1])
        width, height = tracklet.frame_width, tracklet.frame_height
        found.append(
            Present(
                tracklet=tracklet.number,
                box_xyxy=(
                    _fraction(left, width),
                    _fraction(top, height),
                    _fraction(right, width),
                    _fraction(bottom, height),
                ),
                captured_at_ns=int(seen.captured_at_ns[-1]),
                identity_id=tracklet.identity_id,
                name=None if identity is None else identity.name,
                probability=None if identity is None else _probability(reader, tracklet.number),
            )
        )
    return found


def _probability(reader: SiteReader, number: TrackletNumber) -> float | None:
    decisions = [event for event in reader.events_of_tracklet(number) if event.kind in _DECISIONS]
    return decisions[-1].evidence.probability if decisions and decisions[-1].kind is EventKind.LINKED else None


def _fraction(pixels: float, length: int) -> float:
    return min(1.0, max(0.0, pixels / length))
