"""The cameras of an edge process: which there are, whose turn it is, and what the hub changes about them."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge.commands import only_region_changed
from edge.embedders import Embedders
from edge.frames import Frame
from edge.live import LiveCamera
from edge.pipeline import CameraPipeline, tracklet_ids
from passerby.config import CameraSettings
from passerby.config.changing import changed_settings
from passerby.errors import ConfigError
from passerby.ids import CameraId, TrackletId
from passerby.inference import DetectionEngine
from passerby.messages import CameraCommand, CameraStatus, TrackletUpdate

_log = logging.getLogger("passerby.edge")


@dataclass(slots=True, eq=False)
class _Camera:
    live: LiveCamera
    pipeline: CameraPipeline


class Cameras:
    """Cameras with their pipelines. `arrival` is set whenever one has a frame or has changed state.

    With a detector that gains by batches, the first frame waits `batch_latency_s` at most for those of other cameras.
    """

    def __init__(
        self,
        cameras: Mapping[CameraId, CameraSettings],
        *,
        detector: DetectionEngine,
        embedders: Embedders,
        batch_latency_s: float = 0.0,
    ) -> None:
        self.arrival = threading.Event()
        self._detector = detector
        self._embedders = embedders
        self._batch_latency_s = batch_latency_s if detector.batch_limit > 1 else 0.0
        self._tracklet_ids: Iterator[TrackletId] = tracklet_ids()
        self._cameras = {camera_id: self._camera(camera_id, settings) for camera_id, settings in cameras.items()}

    @property
    def ids(self) -> list[CameraId]:
        """The cameras there are now, by name."""
        return sorted(self._cameras)

    @property
    def embedders(self) -> Embedders:
        """Which network describes whose people."""
        return self._embedders

    def describe_with(self, embedders: Embedders) -> None:
        """Use other networks from the next updates on. No turn may be under way."""
        self._embedders = embedders
        for camera_id, camera in self._cameras.items():
            camera.pipeline.describe_with(embedders.of(camera_id))

    def start(self) -> None:
        """Begin to connect to every enabled camera; the others are paused."""
        for camera in self._cameras.values():
            _begin(camera)

    def stop(self) -> list[TrackletUpdate]:
        """Let go of all cameras; the last updates of their open tracklets."""
        for camera in self._cameras.values():
            camera.live.stop()
        return [update for camera in self._cameras.values() for update in camera.pipeline.finish()]

    def next_frames(self, limit: int, *, wait_s: float) -> list[tuple[CameraPipeline, Frame]]:
        """The latest frame of each camera that has one, at most `limit`; waits `wait_s` at most for the first.

        With 0 it does not wait for the other cameras' either: something else is under way meanwhile.
        """
        self.arrival.wait(wait_s)
        work: dict[CameraId, tuple[CameraPipeline, Frame]] = {}
        self._take(work, limit)
        if work and wait_s > 0:
            deadline = time.monotonic() + self._batch_latency_s
            while len(work) < min(limit, len(self._cameras)) and (left_s := deadline - time.monotonic()) > 0:
                self.arrival.wait(left_s)
                self._take(work, limit)
        return list(work.values())

    def _take(self, work: dict[CameraId, tuple[CameraPipeline, Frame]], limit: int) -> None:
        """Add a frame of each camera that has one and is not in `work` yet."""
        self.arrival.clear()
        for camera_id in [camera_id for camera_id in self._cameras if camera_id not in work]:
            if len(work) == limit:
                self.arrival.set()
                break
            frame = self._cameras[camera_id].live.take()
            if frame is not None:
                work[camera_id] = (self._cameras[camera_id].pipeline, frame)
                # To the end of the line: with more cameras than a batch holds, everyone has a turn.
                self._cameras[camera_id] = self._cameras.pop(camera_id)

    def check(self) -> list[TrackletUpdate]:
        """Look after every camera; the last updates of people who were there when a stream broke off."""
        updates = []
        for camera in self._cameras.values():
            camera.live.check()
            if camera.live.seconds_silent() > camera.live.settings.lost_after_s:
                updates += camera.pipeline.finish()
        return updates

    def statuses(self) -> list[CameraStatus]:
        """How every camera is doing, by name."""
        cameras = [self._cameras[camera_id] for camera_id in self.ids]
        return [
            camera.live.status(camera.pipeline.published, id_switches=camera.pipeline.switches) for camera in cameras
        ]

    def have_ended(self) -> bool:
        """Whether nothing will come any more unless somebody acts: recordings over, cameras paused or failed."""
        return all(camera.live.is_over() for camera in self._cameras.values())

    def obey(self, command: CameraCommand) -> list[TrackletUpdate]:
        """Do what the hub asks (`preview` apart); the last updates of tracklets that end by it.

        Raises ConfigError for an unknown camera or wrong settings; nothing is changed then.
        """
        camera_id, camera = command.camera_id, self._cameras.get(command.camera_id)
        if camera is None and command.action != "attach":
            raise ConfigError(f"camera {camera_id}: not one of this edge's ({', '.join(self.ids) or 'it has none'})")
        if camera is None or command.action in ("attach", "edit", "zones"):
            settings = changed_settings(camera_id, camera.live.settings if camera else None, command.settings)
            return self._change(camera_id, camera, settings)
        if command.action == "pause":
            camera.live.pause()
            return camera.pipeline.finish()
        if command.action == "resume":
            camera.live.resume()
        elif command.action == "remove":
            camera.live.stop()
            del self._cameras[camera_id]
            return camera.pipeline.finish()
        return []

    def _change(self, camera_id: CameraId, camera: _Camera | None, settings: CameraSettings) -> list[TrackletUpdate]:
        """A new camera, one with new zones, or one that is connected to anew."""
        if camera is not None and only_region_changed(camera.live.settings, settings):
            camera.live.settings = settings
            camera.pipeline.watch(settings)
            return []
        closed: list[TrackletUpdate] = []
        if camera is not None:
            camera.live.stop()
            closed = camera.pipeline.finish()
        self._cameras[camera_id] = self._camera(camera_id, settings)
        _begin(self._cameras[camera_id])
        return closed

    def _camera(self, camera_id: CameraId, settings: CameraSettings) -> _Camera:
        pipeline = CameraPipeline(
            camera_id,
            settings,
            detector=self._detector,
            embedder=self._embedders.of(camera_id),
            tracklet_ids=self._tracklet_ids,
        )
        return _Camera(LiveCamera(camera_id, settings, arrival=self.arrival), pipeline)


def _begin(camera: _Camera) -> None:
    _log.info("%s: %r", camera.live.camera_id, camera.live.settings)
    if camera.live.settings.enabled:
        camera.live.start()
    else:
        camera.live.pause()
