"""The running hub: receives from the port, commits in groups, acknowledges, and says in its log how it goes."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from hub.camera_changes import CameraChanges
from hub.collector import spare_what_is_there
from hub.corrections.desk import Desk
from hub.endurance import EnduringHub
from hub.live_pictures import LivePictures
from hub.model_offers import ModelOffers
from hub.queue_watch import QueueWatch
from hub.retention import Retention
from hub.site_hub import Hub
from hub.twins.inbox import TwinInbox
from passerby.errors import DataError
from passerby.ids import CameraId, EdgeId
from passerby.messages import CameraState, ModelRequest, Status
from passerby.tape import TapeWriter
from passerby.transport import Delivery, HubPort

_log = logging.getLogger("passerby.hub")

TICK_S = 0.25
"""How long the port is waited for; so late, at most, comes what time alone decides."""

BATCH_MESSAGES = 256
"""One transaction takes so many messages at most: what came while the former one was written."""

_REPORT_EVERY_S = 10.0

CLOCK_TOLERANCE_NS = 60 * 10**9
"""So far this machine's clock may be behind the hub's time before it is worth a line: daily corrections are less."""


class HubServer:
    """Between the port and the hub, and between operators and the hub where there is a `desk`.

    With `offers` it sends edges the models that are wanted, with `cameras` what was said of cameras at run time; of
    `twins` it takes what was made beside it; with `pictures` it keeps live ones for whoever watches; with `retention`
    it lets go of what is kept too long; `queues` tells what waits.

    `startup`, `main_loop`, `shutdown`; `stop` ends the loop.
    """

    def __init__(
        self,
        hub: Hub,
        port: HubPort,
        *,
        stop: threading.Event,
        tape: TapeWriter | None = None,
        desk: Desk | None = None,
        offers: ModelOffers | None = None,
        twins: TwinInbox | None = None,
        cameras: CameraChanges | None = None,
        pictures: LivePictures | None = None,
        retention: Retention | None = None,
        queues: QueueWatch | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._hub = hub
        self._work = EnduringHub(hub, stop=stop)
        self._port = port
        self._stop = stop
        self._tape = tape
        self._desk = desk
        self._offers = offers
        self._twins = twins
        self._cameras = cameras
        self._pictures = pictures
        self._retention = retention
        self._queues = queues
        self._clock = clock
        self._connected: set[EdgeId] = set()
        self._states: dict[CameraId, CameraState] = {}
        self._reported: dict[str, int] = {}
        self._report_due = 0.0
        self._flush_due = 0.0
        self._tick_due = 0.0
        self._time_stands = False

    def startup(self) -> None:
        """Say where it listens."""
        spare_what_is_there()
        active = len(self._hub.state.identities)
        _log.info("listens at %s; %d identities known", self._port.address, active)
        self._watch_clock()
        if self._pictures is not None:
            self._port.divert(self._pictures.take)

    def main_loop(self) -> None:
        """Until `stop` is set. Raises TransportError when the port fails."""
        while not self._stop.is_set():
            deliveries = self._port.receive(max_messages=BATCH_MESSAGES, timeout_s=TICK_S)
            if not self._take(deliveries):
                if deliveries and time.monotonic() < self._tick_due:
                    continue  # who watches live pictures must cost no decisions, and change none
                self._work.tick(self._clock())
            self._tick_due = time.monotonic() + TICK_S
            if self._queues is not None:
                state = self._hub.state
                self._queues.decided(state.undecided_count, since_ns=state.longest_waiting_ns)
            if self._desk is not None:
                self._desk.serve(self._clock())
            if self._twins is not None:
                self._twins.serve()
            if self._offers is not None:
                self._offers.look(self._port, now=time.monotonic())
            if self._cameras is not None:
                self._cameras.look(self._port, now=time.monotonic())
            if self._retention is not None:
                self._retention.look(now_ns=self._clock(), now=time.monotonic())
            self._report()

    def shutdown(self) -> None:
        """What was not acknowledged stays with the edges."""
        self._report_counters()
        _log.info("stopped; %d identities known", len(self._hub.state.identities))

    def _take(self, deliveries: Sequence[Delivery]) -> bool:
        """Take what came; whether there was anything to decide over."""
        now_ns = self._clock()
        self._record(deliveries, now_ns=now_ns)
        for delivery in deliveries:
            if isinstance(delivery.envelope.message, Status):
                self._note_states(delivery.envelope.message)
                if self._cameras is not None:
                    self._cameras.answered(delivery)
            elif isinstance(delivery.envelope.message, ModelRequest) and self._offers is not None:
                self._offers.answer(delivery, self._port)
        reliable = [delivery for delivery in deliveries if delivery.envelope.seq > 0]
        if not reliable:
            return False
        batch = [(delivery.edge_id, delivery.envelope) for delivery in reliable]
        refused = self._work.take(batch, now_ns=now_ns)
        if refused is None:
            return True  # stopped while it could not be written: the edges keep it
        reasons = {(refusal.boot_id, refusal.seq): refusal.reason for refusal in refused}
        self._port.acknowledge([d for d in reliable if (d.envelope.boot_id, d.envelope.seq) not in reasons])
        for delivery in reliable:
            reason = reasons.get((delivery.envelope.boot_id, delivery.envelope.seq))
            if reason is not None:
                self._port.refuse(delivery, reason)
        return True

    def _record(self, deliveries: Sequence[Delivery], *, now_ns: int) -> None:
        """Put a batch on the tape, at the batch's time: so a replay of the tape decides over the same batches.

        A disk that does not take the tape ends the tape, which is logged, and not the hub.
        """
        if self._tape is None:
            return
        try:
            for delivery in deliveries:
                self._tape.write(now_ns, delivery.edge_id, parts=delivery.parts)
            if time.monotonic() >= self._flush_due:
                self._flush_due = time.monotonic() + _REPORT_EVERY_S
                self._tape.flush()
        except DataError as error:
            _log.error("%s; the recording ends here, the hub goes on without it", error)
            with contextlib.suppress(DataError):  # said already
                self._tape.close()
            self._tape = None

    def _note_states(self, status: Status) -> None:
        for camera in status.cameras:
            before = self._states.get(camera.camera_id)
            if camera.state != before:
                detail = f" ({camera.detail})" if camera.detail else ""
                _log.info("camera %s is %s%s", camera.camera_id, camera.state, detail)
                self._states[camera.camera_id] = camera.state

    def _watch_clock(self) -> None:
        """Say once when this machine's clock falls behind the hub's time, which never runs back, and when that ends.

        The hub's time is in every row: a hub that set it back would have to change what it has decided.
        """
        behind_ns = self._hub.state.clock_ns - self._clock()
        if self._time_stands and behind_ns <= 0:
            _log.info("the clock has reached the hub's time again")
            self._time_stands = False
        elif not self._time_stands and behind_ns > CLOCK_TOLERANCE_NS:
            self._time_stands = True
            until = datetime.fromtimestamp(self._hub.state.clock_ns / 1e9, UTC)
            _log.warning(
                "this machine's clock is %s behind the hub's time, %s UTC: it has been set back, or was wrong before. "
                "Until it gets there people seen only for a moment stay undecided, tracklets of an edge that is gone "
                "stay open and nobody is forgotten. Set the clock right; if it is: docs/operating.md, The clock",
                timedelta(seconds=behind_ns // 10**9),
                f"{until:%Y-%m-%d %H:%M:%S}",
            )

    def _report(self) -> None:
        connected = {edge.edge_id for edge in self._port.edges()}
        for edge_id in sorted(connected - self._connected):
            _log.info("edge %s is here", edge_id)
        for edge_id in sorted(self._connected - connected):
            _log.warning("edge %s is gone", edge_id)
        self._connected = connected
        self._watch_clock()
        if time.monotonic() >= self._report_due:
            self._report_due = time.monotonic() + _REPORT_EVERY_S
            self._report_counters()

    def _report_counters(self) -> None:
        """Say what was turned away since the last time, by reason."""
        counters = self._port.counters()
        totals = {
            **{f"refused {reason}": count for reason, count in counters.refused.items()},
            **{f"malformed {reason}": count for reason, count in counters.malformed.items()},
            **{f"handshake {kind}": count for kind, count in counters.handshake_failures.items()},
            "gap in the sequence": counters.gaps,
            "unauthorized": counters.unauthorized,
            "requests for a model that was not offered": 0 if self._offers is None else self._offers.ignored,
        }
        news = {name: count - self._reported.get(name, 0) for name, count in totals.items()}
        said = [f"{name}: {count}" for name, count in sorted(news.items()) if count]
        if said:
            _log.warning("turned away: %s", ", ".join(said))
        self._reported = totals
