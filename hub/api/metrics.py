"""Figures for Prometheus, read from the database when they are asked for. None is labelled by who was seen."""

import time
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hub.api.routes.cameras import CameraOut
from hub.camera_reports import camera_reports
from hub.corrections.requests import FOLDER_NAME
from hub.outgoing.report import read_report
from hub.ownership import is_owned
from hub.queues import read_queues
from hub.services import Services
from passerby.adaptation.job import PHASES, UNDER_WAY


def registry(services: Services, cameras: Iterable[CameraOut]) -> CollectorRegistry:
    """All figures as of now."""
    made = CollectorRegistry()
    made.register(_Site(services, list(cameras)))
    return made


class _Site(Collector):
    """Reads what it tells."""

    def __init__(self, services: Services, cameras: list[CameraOut]) -> None:
        self._services = services
        self._cameras = cameras

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is depends on the data."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every figure."""
        yield from self._of_cameras()
        yield from self._of_people()
        yield from self._of_hub()
        yield from self._of_queues()
        yield from self._of_telling()

    def _of_cameras(self) -> Iterator[Metric]:
        told = (
            ("fps", "Frames looked at per second.", "achieved_fps"),
            ("expected_fps", "Frames per second that are wanted.", "expected_fps"),
            ("clock_error_seconds", "How far capture times may be off.", "clock_error_s"),
        )
        for name, text, field in told:
            gauge = GaugeMetricFamily(f"passerby_camera_{name}", text, labels=["camera"])
            for one in self._cameras:
                value = getattr(one, field)
                if value is not None:
                    gauge.add_metric([one.id], value)
            yield gauge
        counted = (
            ("frames", "Frames looked at.", "frames"),
            ("skipped_frames", "Frames that the machine had no time for.", "skipped_frames"),
            ("reconnects", "Connections made anew.", "reconnects"),
            ("stalls", "Gaps in the stream.", "stalls"),
            ("tracklets", "Tracklets begun.", "tracklets"),
            ("id_switches", "Two people exchanged where they crossed, found and put right.", "id_switches"),
        )
        for name, text, field in counted:
            counter = CounterMetricFamily(f"passerby_camera_{name}", text, labels=["camera"])
            for one in self._cameras:
                counter.add_metric([one.id], getattr(one, field))
            yield counter
        up = GaugeMetricFamily("passerby_camera_up", "1 while pictures come.", labels=["camera"])
        for one in self._cameras:
            up.add_metric([one.id], float(one.state == "live"))
        yield up

    def _of_people(self) -> Iterator[Metric]:
        listing = self._services.listing()
        identities = GaugeMetricFamily("passerby_identities", "People by state.", labels=["state"])
        for state, count in listing.identities_by_state().items():
            identities.add_metric([state.value], count)
        yield identities
        yield GaugeMetricFamily(
            "passerby_gallery_tracklets", "Tracklets that are searched for each new one.", value=listing.prototypes()
        )
        decided = CounterMetricFamily("passerby_decisions", "Decisions by kind and by whom.", labels=["kind", "by"])
        for kind, (hub, operators) in listing.events_by_kind().items():
            decided.add_metric([kind.value, "hub"], hub)
            decided.add_metric([kind.value, "operator"], operators)
        yield decided
        drift = GaugeMetricFamily(
            "passerby_camera_drift", "How much a camera's colours and light have changed.", labels=["camera", "model"]
        )
        for model_id, cameras in camera_reports(self._services.data_dir).items():
            for one in cameras:
                if one.drift is not None:
                    drift.add_metric([one.camera_id, model_id], one.drift)
        yield drift

    def _of_hub(self) -> Iterator[Metric]:
        data = self._services.data_dir
        yield GaugeMetricFamily("passerby_hub_up", "1 while a hub works on the data.", value=float(is_owned(data)))
        waiting = len(list((data / FOLDER_NAME).glob("*.request")))
        yield GaugeMetricFamily("passerby_correction_queue", "Corrections that the hub has not taken.", value=waiting)
        if self._services.adaptations is not None:
            phase = GaugeMetricFamily("passerby_adaptation_phase", "1 for what a job is at.", labels=["phase"])
            running = [job.progress() for job in self._services.adaptations.jobs()]
            now = {far.phase for far in running if far.state in UNDER_WAY}
            for name in PHASES:
                phase.add_metric([name], float(name in now))
            yield phase

    def _of_queues(self) -> Iterator[Metric]:
        """Nothing while no hub tells them."""
        queues = read_queues(self._services.data_dir, now_ns=time.time_ns())
        if queues is None:
            return
        up = GaugeMetricFamily("passerby_edge_up", "1 while the edge is connected.", labels=["edge"])
        messages = GaugeMetricFamily("passerby_edge_waiting", "Messages that wait in the edge.", labels=["edge"])
        size = GaugeMetricFamily("passerby_edge_waiting_bytes", "What they take.", labels=["edge"])
        waited = GaugeMetricFamily("passerby_edge_waiting_seconds", "How long the oldest waits.", labels=["edge"])
        refused = CounterMetricFamily("passerby_edge_refused", "Messages that the hub refused.", labels=["edge"])
        for one in queues.edges:
            up.add_metric([one.edge_id], float(one.here))
            if one.backlog is not None:
                messages.add_metric([one.edge_id], one.backlog.messages)
                size.add_metric([one.edge_id], one.backlog.size)
                waited.add_metric([one.edge_id], (one.backlog.waited_ns or 0) / 1e9)
                refused.add_metric([one.edge_id], one.backlog.refused)
        yield from (up, messages, size, waited, refused)
        hub = queues.hub
        for name, text, value in (
            ("hub_waiting", "Messages that the hub has received and not committed.", hub.messages),
            ("hub_waiting_bytes", "What they take.", hub.size),
            ("hub_waiting_seconds", "How long the oldest waits.", (hub.waited_ns or 0) / 1e9),
            ("undecided_tracklets", "Tracklets that wait for a decision.", hub.undecided),
            ("undecided_seconds", "How long the oldest open one waits.", (hub.undecided_ns or 0) / 1e9),
        ):
            yield GaugeMetricFamily(f"passerby_{name}", text, value=value)
        yield CounterMetricFamily("passerby_missing_messages", "Messages that never came.", value=hub.missing)

    def _of_telling(self) -> Iterator[Metric]:
        receivers = read_report(self._services.data_dir, now_ns=time.time_ns())
        up = GaugeMetricFamily("passerby_told_up", "0 while somebody who is to be told is away.", labels=["receiver"])
        waiting = GaugeMetricFamily("passerby_told_waiting", "Messages that wait for it.", labels=["receiver"])
        taken = CounterMetricFamily("passerby_told", "Messages that it took.", labels=["receiver"])
        dropped = CounterMetricFamily("passerby_told_dropped", "Messages that it missed.", labels=["receiver"])
        for one in receivers:
            up.add_metric([one.name], float(one.state != "away"))
            waiting.add_metric([one.name], one.waiting)
            taken.add_metric([one.name], one.delivered)
            dropped.add_metric([one.name], one.dropped)
        yield from (up, waiting, taken, dropped)
