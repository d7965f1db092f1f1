"""A simulated site as live RTSP cameras, with the truth of every picture that was sent."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType

from passerby.arrays import Image
from passerby.ids import CameraId
from simulation.rtsp import RtspServer
from simulation.site import SimulatedSite
from simulation.truth import FrameTruth

_LONGEST_TRUTH = 200_000
"""Frames whose truth is kept: over an hour of four cameras at 10 fps. Later ones are shown all the same."""


@dataclass(slots=True)
class CameraPictures:
    """A camera of a site as a source of pictures for a stream, which remembers their truth.

    `first_frame` is the frame of index 0. Cameras of one site share a `rendering` lock: it is not thread-safe.
    """

    site: SimulatedSite
    camera_id: CameraId
    first_frame: int = 0
    rendering: threading.Lock = field(default_factory=threading.Lock)
    truths: dict[int, FrameTruth] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        spec = self.site.spec(self.camera_id)
        return spec.width, spec.height

    @property
    def fps(self) -> float:
        """Pictures a second."""
        return self.site.spec(self.camera_id).fps

    def picture(self, index: int) -> Image:
        """The picture of an index since the start, (height, width, 3) uint8 BGR."""
        with self.rendering:
            rendered = self.site.render(self.camera_id, self.first_frame + index)
        if len(self.truths) < _LONGEST_TRUTH:
            self.truths[index] = rendered.truth
        return rendered.image


class LiveSite:
    """Serves every camera of a site at `url(camera)`; a context manager.

    The world is `begin_s` old when the cameras begin, so that people are about. Raises SourceError on entering when
    it cannot listen.
    """

    def __init__(
        self, site: SimulatedSite, *, begin_s: float = 60.0, port: int = 0, login: tuple[str, str] | None = None
    ) -> None:
        self.site = site
        rendering = threading.Lock()
        self._pictures: dict[str, CameraPictures] = {
            camera: CameraPictures(site, camera, round(begin_s * site.spec(camera).fps), rendering)
            for camera in site.camera_ids
        }
        for pictures in self._pictures.values():
            site.render(
                pictures.camera_id, pictures.first_frame
            )  # the empty rooms, which take a second, before anybody waits
        self.server = RtspServer(self._pictures, port=port, login=login)

    def url(self, camera_id: CameraId) -> str:
        """Where the camera is; it holds the password."""
        return self.server.url(camera_id)

    def frame_at(self, camera_id: CameraId, captured_at_ns: int) -> int:
        """The index of the picture that was taken at this time."""
        return self.server.index_at(camera_id, captured_at_ns)

    def truths(self, camera_id: CameraId) -> Mapping[int, FrameTruth]:
        """The truth of every picture that was sent, by its index."""
        return dict(self._pictures[camera_id].truths)

    def __enter__(self) -> "LiveSite":
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.close()
