"""Telling everybody, until it is to stop."""

import contextlib
import fcntl
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from hub.outgoing.broker import Broker
from hub.outgoing.collecting import Collector, Now
from hub.outgoing.condition import Conditions
from hub.outgoing.news import Message
from hub.outgoing.outbox import Outbox
from hub.outgoing.posting import Answer, Mailbox
from hub.outgoing.report import STALE_NS, Report, hosts_of, report_of, write_report
from hub.outgoing.telling import Teller
from hub.ownership import is_owned
from passerby.config import Site
from passerby.config.outgoing import MQTT_NAME, NEWS_KINDS
from passerby.errors import StoreError, TransportError
from passerby.ids import CameraId

_log = logging.getLogger("passerby.notify")

_LOOK_S = 0.25
_REPORT_S = 1.0
_HUB_S = 5.0
_LOCK = "outgoing.lock"


def tell_all(
    site: Site,
    *,
    folder: Path,
    cameras: Callable[[], Collection[CameraId]],
    stop: threading.Event,
    first_pause_s: float = 1.0,
) -> None:
    """Tell everybody whom the site file names, until `stop`; relative paths of the settings begin at `folder`.

    `cameras` gives those that the site has now. Raises ConfigError where somebody cannot be told as it is written, and
    StoreError where another process does this already; TransportError at a fault of ours: begin anew.
    """
    mailboxes = {one.name: Mailbox(one, folder=folder) for one in site.webhooks}
    hosts = hosts_of(site)
    kinds = {one.name: one.kinds for one in site.webhooks} | ({MQTT_NAME: NEWS_KINDS} if site.mqtt.host else {})
    conditions = Conditions(hosts, now_ns=time.time_ns())
    with contextlib.ExitStack() as opened:
        opened.enter_context(_alone(site.data))
        outbox = opened.enter_context(Outbox(site.data))
        outbox.serve(kinds)
        collector = opened.enter_context(contextlib.closing(Collector(site.data, outbox, cameras=cameras)))
        broker = None
        if site.mqtt.host is not None:
            broker = opened.enter_context(
                Broker(
                    site.mqtt,
                    outbox,
                    site=site.site,
                    folder=folder,
                    conditions=conditions,
                    first_pause_s=first_pause_s,
                )
            )
        workers: list[Broker | Teller] = [] if broker is None else [broker]
        for name, mailbox in mailboxes.items():
            send = _sending(mailbox, site.site)
            teller = Teller(name, outbox, send=send, conditions=conditions, first_pause_s=first_pause_s)
            workers.append(opened.enter_context(teller))
        rounds = _Rounds(site, collector, broker)
        reporter = _Reporter(site.data, outbox, hosts)
        report_at = 0.0
        while True:
            rounds.look()
            if time.monotonic() >= report_at:
                report_at = time.monotonic() + _REPORT_S
                reporter.report(conditions)
            if stop.wait(_LOOK_S):
                return
            if not all(worker.is_alive for worker in workers):
                raise TransportError("a thread has ended by a fault of ours; the trace is above")


class _Rounds:
    """Looks, and says once when it cannot."""

    def __init__(self, site: Site, collector: Collector, broker: Broker | None) -> None:
        self._data = site.data
        self._collector = collector
        self._broker = broker
        self._now: Now | None = None
        self._hub = False
        self._hub_at = 0.0
        self._trouble = ""

    def look(self) -> None:
        """Once; what was true last stays so while it cannot look."""
        try:
            self._now = self._collector.look(now_ns=time.time_ns())
            self._note("")
        except StoreError as error:
            self._note(str(error))
        if self._broker is not None and self._now is not None:
            self._broker.show(self._now, hub=self._has_hub() and not self._trouble)

    def _has_hub(self) -> bool:
        """Asked for seldom: the question takes the hub's lock for a moment."""
        if time.monotonic() >= self._hub_at:
            self._hub, self._hub_at = is_owned(self._data), time.monotonic() + _HUB_S
        return self._hub

    def _note(self, trouble: str) -> None:
        if trouble and not self._trouble:
            _log.warning("nothing can be told: %s; looked at again until it can", trouble)
        elif self._trouble and not trouble:
            _log.info("the site's data can be read")
        self._trouble = trouble


class _Reporter:
    """Writes the report when it has changed, and now and then when it has not, which says that somebody is there."""

    def __init__(self, data_dir: Path, outbox: Outbox, hosts: Mapping[str, str]) -> None:
        self._data_dir = data_dir
        self._outbox = outbox
        self._hosts = hosts
        self._written: Report | None = None

    def report(self, conditions: Conditions) -> None:
        """As of now."""
        now_ns = time.time_ns()
        try:
            standings = {name: self._outbox.standing(name) for name in self._hosts}
            new = report_of(self._hosts, conditions.all(), standings, now_ns=now_ns)
            old = self._written
            if old is None or new.receivers != old.receivers or now_ns - old.at_ns > STALE_NS // 3:
                write_report(self._data_dir, new)
                self._written = new
        except StoreError as error:
            _log.error("%s", error)


@contextlib.contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    file = data_dir / _LOCK
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        opened = file.open("ab")
    except OSError as error:
        raise StoreError(f"{file}: cannot be made: {error.strerror}") from error
    with opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(f"{data_dir}: another `passerby notify run` works here already") from error
        yield


def _sending(mailbox: Mailbox, site: str) -> Callable[[Message], Answer]:
    return lambda message: mailbox.post(message.body(site), message_id=message.message_id, now_s=time.time())
