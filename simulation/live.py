"""A simulated site as live RTSP cameras, with the truth of every picture that was sent."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol

from passerby.arrays import Image
from passerby.ids import CameraId
from simulation.ahead import Stretch
from simulation.reels import ReelPlayer
from simulation.rtsp import RtspServer
from simulation.site import SimulatedSite
from simulation.truth import FrameTruth, RenderedFrame

_LONGEST_TRUTH = 200_000
"""Frames whose truth is kept: over an hour of four cameras at 10 fps. Later ones are shown all the same."""


class Frames(Protocol):
    """Where a camera's frames come from: drawn now, or ahead."""

    def frame(self, index: int) -> RenderedFrame:
        """The frame of an index since the start."""


@dataclass(frozen=True, slots=True)
class DrawnFrames:
    """Frames of a camera, drawn as they are asked for; `first_frame` is that of index 0.

    Cameras of one site share a `rendering` lock: it is not thread-safe.
    """

    site: SimulatedSite
    camera_id: CameraId
    first_frame: int = 0
    rendering: threading.Lock = field(default_factory=threading.Lock)

    def frame(self, index: int) -> RenderedFrame:
        """The frame of an index since the start."""
        with self.rendering:
            return self.site.render(self.camera_id, self.first_frame + index)


@dataclass(frozen=True, slots=True)
class LoopedFrames:
    """Frames of a camera that were rendered ahead: `frames` of them from `first_frame` on, again and again."""

    player: ReelPlayer
    first_frame: int
    frames: int

    def frame(self, index: int) -> RenderedFrame:
        """The frame of an index since the start. Raises DataError when it cannot be read."""
        return self.player.frame(self.first_frame + index % self.frames)


@dataclass(slots=True)
class CameraPictures:
    """Frames of a camera as a source of pictures for a stream; remembers the truth of those that were shown."""

    size: tuple[int, int]
    """Width and height in pixels."""
    fps: float
    """Pictures a second."""
    frames: Frames
    truths: dict[int, FrameTruth] = field(default_factory=dict)

    def picture(self, index: int) -> Image:
        """The picture of an index since the start, (height, width, 3) uint8 BGR."""
        shown = self.frames.frame(index)
        if len(self.truths) < _LONGEST_TRUTH:
            self.truths[index] = shown.truth
        return shown.image


class LiveSite:
    """Serves every camera of a site at `url(camera)`; a context manager.

    The world is `begin_s` old when the cameras begin, so that people are about. With `ahead`, the stretch that was
    rendered (`simulation.ahead.render_ahead`) is shown instead, again from its begin after its end. Raises SourceError
    on entering when it cannot listen.
    """

    def __init__(
        self,
        site: SimulatedSite,
        *,
        begin_s: float = 60.0,
        ahead: Stretch | None = None,
        port: int = 0,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.site = site
        self._players: list[ReelPlayer] = []
        frames = self._drawn(begin_s) if ahead is None else self._looped(ahead)
        self._pictures: dict[str, CameraPictures] = {}
        for camera, source in frames.items():
            spec = site.spec(camera)
            self._pictures[camera] = CameraPictures((spec.width, spec.height), spec.fps, source)
            source.frame(0)  # before anybody waits: drawing the empty rooms takes a second
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
        for player in self._players:
            player.close()

    def _drawn(self, begin_s: float) -> dict[CameraId, Frames]:
        rendering = threading.Lock()
        return {
            camera: DrawnFrames(self.site, camera, round(begin_s * self.site.spec(camera).fps), rendering)
            for camera in self.site.camera_ids
        }

    def _looped(self, ahead: Stretch) -> dict[CameraId, Frames]:
        found: dict[CameraId, Frames] = {}
        for camera in self.site.camera_ids:
            fps = self.site.spec(camera).fps
            self._players.append(ReelPlayer(ahead.folder, camera, fps))
            found[camera] = LoopedFrames(self._players[-1], ahead.first_frame(fps), ahead.frames(fps))
        return found
