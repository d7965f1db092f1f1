"""One camera, live: a thread that keeps it connected and decodes, and a slot for its latest frame."""

import random
import threading
import time
from collections import deque
from dataclasses import replace

from msgspec.structs import replace as _changed

from edge.arrivals import Arrivals
from edge.backoff import REFUSED_FOR_GOOD_S, Backoff
from edge.frames import Frame
from edge.sources import FrameSource, open_source
from edge.sources.clocks import may_follow
from edge.sources.opening import is_live
from passerby.config import CameraSettings
from passerby.errors import SourceError, SourceRefusedError, SourceUnauthorizedError
from passerby.ids import CameraId
from passerby.messages import CameraState, CameraStatus

_STALL_S = 2.0
"""A gap of more than this, or than two frame intervals, is a stall: worth counting, not yet a reason to reconnect."""

_THREAD_GRACE_S = 10.0
"""How much longer than its own time-outs a connection's thread may hang before it is left behind."""

_FPS_WINDOW_S = 10.0


class LiveCamera:
    """Keeps a camera connected from `start` to `stop`, through all its states.

    connecting -> live <-> stalled -> waiting -> connecting ...; a recording becomes `ended`; a password that stays
    refused or a missing file `failed`; `pause` and `resume` work in every state. Only the latest frame is kept: if
    nobody takes it before the next, it is skipped and counted. `arrival` is set whenever there is a frame or a change
    of state. A live camera's `detail` says what is wrong with what comes.

    A thread that hangs beyond all time-outs is left behind and replaced, so that no camera is lost for ever.
    """

    def __init__(self, camera_id: CameraId, settings: CameraSettings, *, arrival: threading.Event) -> None:
        self.camera_id = camera_id
        self.settings = settings
        self._arrival = arrival
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._generation = 0
        self._frame: Frame | None = None
        self._status = CameraStatus(camera_id=camera_id, state="connecting")
        self._source_fps = 0.0
        self._arrivals = Arrivals()
        self._source_trouble = ""
        self._taken: deque[float] = deque(maxlen=int(_FPS_WINDOW_S * settings.fps) + 1)
        self._heard = time.monotonic()
        self._last_number = 0
        self._paused = False

    def start(self) -> None:
        """Begin to connect."""
        with self._lock:
            self._generation += 1
            self._wake.set()
            self._wake = threading.Event()
            self._heard = time.monotonic()
            arguments = (self._generation, self._wake)
        name = f"camera-{self.camera_id}"
        threading.Thread(target=self._run, args=arguments, name=name, daemon=True).start()

    def stop(self) -> None:
        """End for good: no frame or change comes any more. The thread ends at its next packet or time-out."""
        with self._lock:
            self._generation += 1
            self._frame = None
            self._wake.set()

    def pause(self) -> None:
        """Let go of the camera until `resume`."""
        self.stop()
        self._paused = True
        self._set(self._generation, "paused", "")

    def resume(self) -> None:
        """Connect again."""
        self._paused = False
        self._set(self._generation, "connecting", "")
        self.start()

    def take(self) -> Frame | None:
        """The latest frame, once."""
        with self._lock:
            frame, self._frame = self._frame, None
            if frame is not None:
                self._taken.append(time.monotonic())
            return frame

    def check(self) -> None:
        """Look after it: call every second or so. Finds stalls, what is wrong, and threads that hang."""
        now = time.monotonic()
        with self._lock:
            generation, silent_s = self._generation, now - self._heard
            live = self._status.state == "live"
            connected = self._status.state in ("live", "stalled", "connecting")
        settings = self.settings
        interval_s = 1 / min(settings.fps, self._source_fps or settings.fps)
        patience_s = max(settings.stall_after_s, settings.open_timeout_s, settings.read_timeout_s, 3 * interval_s)
        limit_s = patience_s + _THREAD_GRACE_S
        if live and silent_s > max(_STALL_S, 2 * interval_s):
            self._set(generation, "stalled", f"no picture for {silent_s:.0f} s")
        elif connected and silent_s > limit_s and not self._paused:
            self.stop()
            self._set(self._generation, "connecting", "the connection hung; it was left behind and made anew")
            self.start()
        elif live:
            self._complain(generation, now)

    def seconds_silent(self) -> float:
        """Since the last frame came, or the last attempt began."""
        with self._lock:
            return time.monotonic() - self._heard

    def is_over(self) -> bool:
        """Whether nothing more will come by itself: a recording at its end, a paused or failed camera."""
        with self._lock:
            return self._frame is None and self._status.state in ("ended", "paused", "failed")

    def status(self, tracklets: int, *, id_switches: int = 0) -> CameraStatus:
        """How it is doing now; `tracklets` have been told of, and so many exchanges of two people were cut."""
        now = time.monotonic()
        with self._lock:
            recent = [taken for taken in self._taken if now - taken <= _FPS_WINDOW_S]
            fps = len(recent) / max(now - recent[0], 1.0) if recent else 0.0
            return _changed(self._status, achieved_fps=round(fps, 2), tracklets=tracklets, id_switches=id_switches)

    def _run(self, generation: int, wake: threading.Event) -> None:
        backoff = Backoff(random.Random())  # noqa: S311 - spreads attempts in time; nothing secret
        failure = ""
        while self._set(generation, "connecting", failure):
            backoff.begin(time.monotonic())
            try:
                ended = self._connection(generation, backoff)
            except SourceError as error:
                state, wait_s = self._verdict(error, backoff)
                failure = str(error)
                again = f"; next attempt in {wait_s:.1f} s" if wait_s else ""
                if not self._set(generation, state, f"{failure}{again}") or not wait_s:
                    return
                if wake.wait(wait_s):
                    return
                with self._lock:
                    self._status = _changed(self._status, reconnects=self._status.reconnects + 1)
            else:
                if ended:
                    self._set(generation, "ended", "")
                return

    def _verdict(self, error: SourceError, backoff: Backoff) -> tuple[CameraState, float]:
        """What a failure makes of the camera, and the seconds until the next attempt; 0 = none."""
        if isinstance(error, SourceUnauthorizedError):
            quick_s = backoff.refused_s(known=self._status.frames > 0)
            return ("failed", REFUSED_FOR_GOOD_S) if quick_s is None else ("waiting", quick_s)
        if not is_live(self.settings.url):
            return "failed", 0.0 if not isinstance(error, SourceRefusedError) else REFUSED_FOR_GOOD_S
        return "waiting", backoff.next_s(time.monotonic())

    def _connection(self, generation: int, backoff: Backoff) -> bool:
        """Frames from one connection until it breaks (SourceError), a recording ends (True) or we are stopped."""
        with open_source(self.camera_id, self.settings, realtime=True) as source:
            with self._lock:
                self._source_fps = source.info.fps
                self._heard = time.monotonic()
                self._arrivals.begin(self._heard)
                counted_before = self._last_number
            for frame in source:
                numbered = replace(frame, frame_number=counted_before + frame.frame_number)
                if not self._offer(generation, numbered, source):
                    return False
                backoff.reset()
        return True

    def _offer(self, generation: int, frame: Frame, source: FrameSource) -> bool:
        """Put a frame in the slot; False if this connection has been left behind."""
        height, width = frame.image.shape[:2]
        with self._lock:
            if generation != self._generation:
                return False
            self._heard = time.monotonic()
            self._last_number = frame.frame_number
            self._arrivals.add(self._heard)
            self._source_trouble = source.trouble
            status = self._status
            if not may_follow(frame.captured_at_ns, status.last_frame_at_ns):
                return True  # a new connection's clock may lag behind the old one's: wait it out
            skipped = self._frame is not None
            self._frame = frame
            self._status = _changed(
                status,
                state="live",
                detail="" if status.state != "live" else status.detail,
                width=width,
                height=height,
                expected_fps=min(self.settings.fps, source.info.fps),
                frames=status.frames + 1,
                skipped_frames=status.skipped_frames + skipped,
                last_frame_at_ns=frame.captured_at_ns,
                clock=frame.clock,
            )
            self._arrival.set()
            return True

    def _complain(self, generation: int, now: float) -> None:
        """Say what is wrong with a live camera, or that nothing is any more."""
        with self._lock:
            status = self._status
            few = self._arrivals.are_few(now, expected_fps=status.expected_fps)
            detail = "; ".join(
                filter(None, ("fewer than half of the pictures come" if few else "", self._source_trouble))
            )
            if generation == self._generation and status.state == "live" and status.detail != detail:
                self._status = _changed(status, detail=detail)
                self._arrival.set()

    def _set(self, generation: int, state: CameraState, detail: str) -> bool:
        """Change the state; False, and nothing is changed, if this connection has been left behind."""
        with self._lock:
            if generation != self._generation:
                return False
            stalls = self._status.stalls + (state == "stalled")
            self._status = _changed(self._status, state=state, detail=detail, stalls=stalls)
            self._arrival.set()
            return True
