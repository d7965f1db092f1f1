"""The hub's side of `hub.queues`: a thread that asks the port every two seconds, and tells."""

import logging
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from hub.queues import EdgeQueue, HubQueue, Queues, write_queues
from hub.worker import Worker
from passerby.errors import StoreError
from passerby.ids import EdgeId
from passerby.messages import Backlog
from passerby.transport import ConnectedEdge, HubCounters, Unsettled

_log = logging.getLogger("passerby.hub")

LOOK_S = 2.0
FORGOTTEN_NS = 24 * 3600 * 10**9
"""Of an edge that was away for so long nothing is told any more."""

_CLOSE_TIMEOUT_S = 5.0


class QueuePort(Protocol):
    """What is needed of `passerby.transport.HubPort`; called from a thread of its own."""

    def edges(self) -> list[ConnectedEdge]:
        """The edges that are here."""

    def unsettled(self) -> Unsettled:
        """What was received and is not committed."""

    def counters(self) -> HubCounters:
        """Everything counted."""


class QueueWatch(Worker):
    """Tells from `__enter__` to the end. `decided` is for the hub's thread, after each round."""

    def __init__(self, data_dir: Path, port: QueuePort, *, look_s: float = LOOK_S) -> None:
        super().__init__("queue-watch", stop_s=_CLOSE_TIMEOUT_S)
        self._data_dir = data_dir
        self._port = port
        self._look_s = look_s
        self._undecided: tuple[int, int | None] = 0, None
        self._edges: Mapping[EdgeId, EdgeQueue] = {}
        self._fails = False

    def decided(self, undecided: int, *, since_ns: int | None) -> None:
        """So many tracklets wait for a decision now, the first of the open ones since then."""
        self._undecided = undecided, since_ns

    def _run(self) -> None:
        while True:
            try:
                self._tell(time.time_ns())
                self._fails = False
            except StoreError as error:
                if not self._fails:
                    self._fails = True
                    _log.error("%s; what waits cannot be told", error)
            if self._stop.wait(self._look_s):
                return

    def _tell(self, now_ns: int) -> None:
        self._edges = edges_now(self._port.edges(), self._edges, now_ns=now_ns)
        unsettled, (undecided, undecided_since_ns) = self._port.unsettled(), self._undecided
        hub = HubQueue(
            messages=unsettled.messages,
            size=unsettled.size,
            waited_ns=_since(unsettled.oldest_ns, now_ns),
            undecided=undecided,
            undecided_ns=_since(undecided_since_ns, now_ns),
            missing=self._port.counters().gaps,
        )
        write_queues(self._data_dir, Queues(at_ns=now_ns, hub=hub, edges=tuple(self._edges.values())))


def edges_now(
    connected: Sequence[ConnectedEdge], before: Mapping[EdgeId, EdgeQueue], *, now_ns: int
) -> Mapping[EdgeId, EdgeQueue]:
    """Each edge by name: those that are connected, and of those that are gone what they said last."""
    here = {
        edge_id: _together(list(processes))
        for edge_id, processes in groupby(
            sorted(connected, key=lambda edge: edge.edge_id), key=lambda edge: edge.edge_id
        )
    }
    gone = {
        edge_id: replace(one, here=False, unsettled=0)
        for edge_id, one in before.items()
        if edge_id not in here and now_ns - one.heard_ns < FORGOTTEN_NS
    }
    return dict(sorted({**here, **gone}.items()))


def _since(at_ns: int | None, now_ns: int) -> int | None:
    return None if at_ns is None else max(0, now_ns - at_ns)


def _together(processes: Sequence[ConnectedEdge]) -> EdgeQueue:
    """One edge of all processes with its key; `unsettled` counts them together already."""
    told = [one.backlog for one in processes if one.backlog is not None]
    waited = [one.waited_ns for one in told if one.waited_ns is not None]
    return EdgeQueue(
        edge_id=processes[0].edge_id,
        cameras=tuple(sorted({camera for one in processes for camera in one.cameras})),
        here=True,
        heard_ns=max(one.last_heard_ns for one in processes),
        backlog=None
        if not told
        else Backlog(
            messages=sum(one.messages for one in told),
            size=sum(one.size for one in told),
            waited_ns=max(waited, default=None),
            refused=sum(one.refused for one in told),
        ),
        unsettled=processes[0].unsettled,
    )
