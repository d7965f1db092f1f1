"""What the hub's database holds, asked while it runs or afterwards."""

from dataclasses import dataclass
from pathlib import Path

from hub.reader import SiteReader
from hub.records import Tracklet
from passerby.errors import StoreError
from passerby.ids import CameraId
from passerby.messages import CameraStatus


@dataclass(frozen=True, slots=True)
class Records:
    """All tracklets, by the hub's number, and each camera's latest status."""

    tracklets: dict[int, Tracklet]
    statuses: dict[CameraId, CameraStatus]

    def last_seen_ns(self, camera: str) -> int:
        """The latest capture time of a person in that camera; 0 if there was nobody."""
        return max((t.ended_at_ns for t in self.tracklets.values() if t.camera_id == camera), default=0)

    def state(self, camera: str) -> str:
        """As last told by the edge; empty if it has not been."""
        status = self.statuses.get(CameraId(camera))
        return status.state if status else ""


def read_records(data: Path) -> Records:
    """As committed now; empty before the hub has made its database."""
    try:
        with SiteReader(data) as reader:
            return Records(
                {tracklet.number: tracklet for tracklet in reader.tracklets()},
                {one.status.camera_id: one.status for one in reader.cameras()},
            )
    except StoreError:
        return Records({}, {})
