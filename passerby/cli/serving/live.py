"""Live pictures for who looks by way of the web."""

from pathlib import Path

from hub.live_pictures import picture, watch
from hub.services import LivePicture
from passerby.ids import CameraId


class SiteLivePictures:
    """Implements `hub.services.LivePictures`: to ask is to watch."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def latest(self, camera_id: CameraId, *, full: bool = False) -> LivePicture | None:
        watch(self._data_dir, [camera_id], full=full)
        found = picture(self._data_dir, camera_id)
        if found is None:
            return None
        return LivePicture(found.captured_at_ns, found.jpeg, boot_id=found.boot_id, people=found.people)
