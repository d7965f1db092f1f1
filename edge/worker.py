"""The edge process: cameras in, tracklet updates out, until somebody stops it."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from edge.ahead import DetectionAhead, Turn
from edge.cameras import Cameras
from edge.embedders import Embedders
from edge.models import ArrivingModels
from edge.pipeline import track_together
from edge.previews import TRAILS_NS, Previews
from passerby import __version__
from passerby.errors import ConfigError, MalformedMessageError, MessageTooLargeError, SpoolFullError
from passerby.ids import CameraId
from passerby.inference import DetectionEngine
from passerby.messages import (
    CameraCommand,
    CameraStatus,
    CommandAnswer,
    Hello,
    HubMessage,
    ModelChunk,
    ModelOffer,
    ModelRequest,
    Preview,
    Status,
    TrackletUpdate,
)

_log = logging.getLogger("passerby.edge")

STATUS_INTERVAL_S = 5.0
_CHECK_INTERVAL_S = 0.5
_IDLE_WAIT_S = 0.1
_PUBLISH_WAIT_S = 1.0
_COMMANDS_A_TURN = 16
_LONGEST_REASON = 500


class LinkCounts(Protocol):
    """What a Status says of the link."""

    @property
    def spooled_messages(self) -> int:
        """Not acknowledged yet."""

    @property
    def spooled_bytes(self) -> int:
        """Their size."""

    @property
    def refused(self) -> int:
        """Refused by the hub for good."""


class HubLink(Protocol):
    """What the worker needs of `passerby.transport.edge_link.EdgeLink`."""

    def publish(self, message: TrackletUpdate | Status, *, timeout_s: float) -> int:
        """Spool a message that must arrive."""

    def offer(self, message: Preview | ModelRequest) -> bool:
        """Send a message that may be lost."""

    def receive(self, timeout_s: float) -> HubMessage | None:
        """What the hub asks."""

    def say_hello(self, hello: Hello) -> None:
        """Introduce the edge anew."""

    def stats(self) -> LinkCounts:
        """How the link is doing."""


def hello(cameras: Sequence[CameraId], embedders: Embedders) -> Hello:
    """How this edge introduces itself."""
    others = {camera: model for camera, model in embedders.camera_models.items() if camera in cameras}
    return Hello(
        software=f"passerby {__version__}",
        cameras=list(cameras),
        model_id=embedders.model_id,
        camera_models=others,
    )


class EdgeWorker:
    """All cameras of a process on one detector and few embedders, which see the cameras' frames together.

    `startup`, then `main_loop` until `stop` is set or, with `until_ended`, no camera has anything to come; then
    `shutdown`, which closes every tracklet. One thread runs the rest; decoding has a thread per camera. When the hub is
    away for so long that the spool is full, the loop waits for it: frames are skipped and counted, nothing that was
    told is lost. The detector works in a thread of its own, one turn ahead.
    """

    def __init__(
        self,
        cameras: Cameras,
        *,
        detector: DetectionEngine,
        link: HubLink,
        stop: threading.Event,
        models: ArrivingModels | None = None,
        max_batch: int = 8,
        until_ended: bool = False,
    ) -> None:
        self._cameras = cameras
        self._ahead = DetectionAhead(detector)
        self._link = link
        self._models = models
        self._stop = stop
        self._max_batch = max_batch
        self._until_ended = until_ended
        self._previews = Previews()
        self._told: dict[CameraId, CameraStatus] = {}
        self._answers: list[CommandAnswer] = []
        self._status_at = float("-inf")
        self._checked_at = float("-inf")
        self._waiting_for_hub = False

    def startup(self) -> None:
        """Begin to connect to the cameras, and say so."""
        self._cameras.start()
        self._tell_status(time.monotonic())

    def main_loop(self) -> None:
        """Work until told to stop."""
        while not self._stop.is_set() and not (self._until_ended and self._cameras.have_ended()):
            self._look()
            self._obey()
            self._renew_models()
            now = time.monotonic()
            if now - self._checked_at >= _CHECK_INTERVAL_S:
                self._checked_at = now
                self._settle()
                self._publish_updates(self._cameras.check())
            self._tell_status(now)

    def shutdown(self) -> None:
        """Let go of the cameras and tell of every open tracklet. To flush the link is its owner's part."""
        self._settle()
        self._ahead.close()
        self._publish_updates(self._cameras.stop())
        self._publish_status(self._cameras.statuses())

    def _look(self) -> None:
        """Begin to detect on what the cameras have now; track and tell what was detected before."""
        work = self._cameras.next_frames(self._max_batch, wait_s=0 if self._ahead.busy else _IDLE_WAIT_S)
        self._finish(self._ahead.exchange(work))

    def _settle(self) -> None:
        """Finish the turn under way, before anything is done to the cameras it belongs to."""
        self._finish(self._ahead.exchange(()))

    def _finish(self, turn: Turn | None) -> None:
        if turn is None:
            return
        self._publish_updates(track_together(turn.work, turn.detections))
        now = time.monotonic()
        for pipeline, frame in turn.work:
            people = pipeline.present(now_ns=frame.captured_at_ns, within_ns=TRAILS_NS)
            preview = self._previews.preview(frame, people, now=now)
            if preview is not None:
                self._link.offer(preview)

    def _obey(self) -> None:
        """The hub's commands, a few at a time. A wrong one is logged and changes nothing."""
        for _ in range(_COMMANDS_A_TURN):
            message = self._link.receive(0)
            if message is None:
                return
            match message:
                case CameraCommand():
                    refused = ""
                    try:
                        self._command(message)
                    except ConfigError as error:
                        refused = str(error)[:_LONGEST_REASON]
                        _log.warning("the hub's command %d (%s): %s", message.command_id, message.action, error)
                    if message.action != "preview":
                        self._answers.append(CommandAnswer(command_id=message.command_id, refused=refused))
                case ModelOffer() if self._models is not None:
                    self._models.offered(
                        message, embedders=self._cameras.embedders, cameras=self._cameras.ids, now=time.monotonic()
                    )
                case ModelChunk() if self._models is not None:
                    self._models.received(message)

    def _command(self, command: CameraCommand) -> None:
        if command.action == "preview":
            seconds = command.settings.get("seconds")
            if not isinstance(seconds, int | float):
                raise ConfigError(f"camera {command.camera_id}: preview needs `seconds`, a number; it has {seconds!r}")
            full = command.settings.get("full") is True
            self._previews.ask(command.camera_id, seconds, now=time.monotonic(), full=full)
            return
        _log.info("%s: %s, as the hub asks", command.camera_id, command.action)
        self._settle()
        before = self._cameras.ids
        self._publish_updates(self._cameras.obey(command))
        if self._cameras.ids != before:
            self._previews.forget(command.camera_id)
            self._told.pop(command.camera_id, None)
            self._link.say_hello(hello(self._cameras.ids, self._cameras.embedders))

    def _renew_models(self) -> None:
        """Ask for the next piece of a model, or use one that is ready: between two turns, for all updates to come."""
        switch = None if self._models is None else self._models.turn(now=time.monotonic(), ask=self._link.offer)
        if self._models is None or switch is None:
            return
        before = self._cameras.embedders
        after = before.changed(switch.engine, switch.cameras)
        self._settle()
        self._cameras.describe_with(after)
        for engine in before.engines():
            if engine not in after.engines():
                engine.close()
        if (after.model_id, after.camera_models) != (before.model_id, before.camera_models):
            self._models.remember(after)
        self._link.say_hello(hello(self._cameras.ids, after))

    def _publish_updates(self, updates: Sequence[TrackletUpdate]) -> None:
        for update in updates:
            try:
                self._publish(update)
            except (MessageTooLargeError, MalformedMessageError) as error:
                _log.error("%s: tracklet %d cannot be sent: %s", update.camera_id, update.tracklet_id, error)

    def _publish(self, message: TrackletUpdate | Status) -> None:
        """Spool it, however long the spool stays full; an edge that is to stop gives up after one wait."""
        while True:
            try:
                self._link.publish(message, timeout_s=_PUBLISH_WAIT_S)
            except SpoolFullError as error:
                if not self._waiting_for_hub:
                    _log.warning("frames are skipped until the hub comes back: %s", error)
                self._waiting_for_hub = True
                if self._stop.is_set():
                    _log.error("stopped while the spool is full: a message is lost")
                    return
            else:
                self._waiting_for_hub = False
                return

    def _tell_status(self, now: float) -> None:
        """A Status at each change of a camera's state, after the hub's commands, and every few seconds."""
        statuses = self._cameras.statuses()
        changed = [status for status in statuses if _differs(status, self._told.get(status.camera_id))]
        for status in changed:
            _log_state(status)
            self._told[status.camera_id] = status
        if changed or self._answers or now - self._status_at >= STATUS_INTERVAL_S:
            self._status_at = now
            self._publish_status(statuses)

    def _publish_status(self, statuses: list[CameraStatus]) -> None:
        counts = self._link.stats()
        answers, self._answers = self._answers, []
        self._publish(
            Status(
                sent_at_ns=time.time_ns(),
                cameras=statuses,
                spooled_messages=counts.spooled_messages,
                spooled_bytes=counts.spooled_bytes,
                refused_messages=counts.refused,
                answers=answers,
            )
        )


def _differs(status: CameraStatus, told: CameraStatus | None) -> bool:
    return told is None or (told.state, told.detail) != (status.state, status.detail)


def _log_state(status: CameraStatus) -> None:
    level = logging.WARNING if status.state in ("stalled", "waiting", "failed") else logging.INFO
    picture = f" {status.width}x{status.height}" if status.state == "live" else ""
    detail = f": {status.detail}" if status.detail else ""
    _log.log(level, "%s: %s%s%s", status.camera_id, status.state, picture, detail)
