"""The hub of a site without its sockets: messages in, identities out, everything in the database before it counts."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.association import Associator, CalibratedAssociator
from hub.changes import Changes
from hub.collector import without_collector
from hub.corrections.acts import Outcome
from hub.corrections.archive import Archive
from hub.corrections.carrying_out import Request, carry_out, plan_request
from hub.database.storage import DatabaseStorage
from hub.deciding import Round
from hub.intake import Intake
from hub.records import Boot, Event, Refused
from hub.spaces import StoreFactory, best_store
from hub.state import SiteState
from hub.statistics import StatisticsSource
from hub.storage import Storage, Transaction
from hub.twins.taking import require_fitting, take_twins
from passerby.adaptation.twins import Twins
from passerby.config import AssociationSettings
from passerby.errors import StoreError
from passerby.ids import BootId, EdgeId, ModelId
from passerby.messages import Envelope
from passerby.models import ReferenceStatistics


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What a batch has led to, all of it committed."""

    events: Sequence[Event]
    refusals: Sequence[Refused]


class Hub:
    """Takes messages and decides, on a storage: the one writer of a data folder, or memory alone for a rehearsal.

    The state is a function of what is stored: it goes on after a restart, however it ended, exactly where the last
    commit was. Time is an argument and nothing is random, so the same messages at the same times give the same
    decisions. Not thread-safe.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        association: AssociationSettings | None,
        associator: Associator,
        store: StoreFactory,
        statistics: StatisticsSource,
    ) -> None:
        self._association = association or AssociationSettings()
        self._said_of_ways = None if association is None else association.topology
        self._associator = associator
        self._store = store
        self._statistics = statistics
        with contextlib.ExitStack() as opened:
            self._storage = storage
            opened.callback(storage.close)
            self._state = self._load()
            self._stale = False
            self._resources = opened.pop_all()

    @classmethod
    def open(
        cls,
        data_dir: Path,
        *,
        association: AssociationSettings | None = None,
        associator: Associator | None = None,
        store: StoreFactory | None = None,
        references: Mapping[ModelId, ReferenceStatistics] | None = None,
    ) -> Self:
        """Open or make the hub's data under `data_dir`. Raises StoreError, also when another hub works there.

        `references` are the statistics that models bring in their manifests; `store` defaults to FAISS where it is
        installed, else to its NumPy twin; `associator` to the plain one.
        """
        return cls.on(
            DatabaseStorage(data_dir),
            association=association,
            associator=associator,
            store=store,
            references=references,
        )

    @classmethod
    def on(
        cls,
        storage: Storage,
        *,
        association: AssociationSettings | None = None,
        associator: Associator | None = None,
        store: StoreFactory | None = None,
        references: Mapping[ModelId, ReferenceStatistics] | None = None,
    ) -> Self:
        """A hub on this storage, which is closed with it; the other arguments are those of `open`."""
        normalize = (association or AssociationSettings()).normalize
        return cls(
            storage,
            association=association,
            associator=associator or CalibratedAssociator(),
            store=store or best_store(),
            statistics=StatisticsSource(normalize == "camera", references or {}),
        )

    def ingest(self, deliveries: Sequence[tuple[EdgeId, Envelope]], *, now_ns: int) -> IngestResult:
        """Take a batch and decide, in one transaction. After it returns, and not before, the batch may be acknowledged.

        What was due by itself before `now_ns` is decided first, as by `tick`. Messages that were committed before have
        no effect, those that may be lost (sequence number 0) have none here either. `now_ns` is the hub's time; where
        it runs backwards, the latest time known counts. Raises StoreError when it cannot be written: then nothing of
        the batch has changed anything.
        """
        before = self.tick(now_ns)
        events, refusals = self._take(deliveries, now_ns=now_ns, decide=True)
        return IngestResult((*before, *events), refusals)

    def keep(self, deliveries: Sequence[tuple[EdgeId, Envelope]], *, now_ns: int) -> Sequence[Refused]:
        """Take a batch as `ingest` does, without deciding anything; what of it is refused. Raises StoreError.

        For when decisions fail. The next `ingest` or `tick` decides whom nobody has decided; an identity that was
        known before is revised with the tracklet's next update.
        """
        self._recover()
        return self._take(deliveries, now_ns=now_ns, decide=False)[1]

    def tick(self, now_ns: int) -> Sequence[Event]:
        """Take the decisions that time alone brings up to `now_ns`: what was deferred, is silent, is to be forgotten.

        Each is taken at its own time, so it makes no difference how often this is called; a few times a second keeps
        the latency low. Raises StoreError.
        """
        self._recover()
        events: list[Event] = []
        while (due_ns := self._round().due_ns(now_ns=now_ns)) is not None:
            with self._transaction(due_ns):
                self._round().decide(())
                events += self._state.changes.events
                if not self._state.changes:
                    break
        return events

    def correct(self, request: Request, archive: Archive, *, now_ns: int) -> Outcome:
        """Carry out what an operator asks, in one transaction; a request that was carried out before has no effect.

        `archive` reads what is stored under this hub. Raises DataError, with the reason, where it cannot be done, and
        StoreError when it cannot be written: then nothing has changed.
        """
        self._recover()
        known = archive.outcome_of(request.request_id)
        if known is not None:
            return known
        planned = plan_request(request, archive)
        with self._transaction(now_ns):
            return carry_out(planned, self._state)

    def take_twins(self, batches: Sequence[Twins]) -> int:
        """Take tracklets as another model describes them, in one transaction; gives how many of them are of use.

        Time does not matter to it, and what was taken before has no effect. Raises DataError where a batch cannot be of
        the model that it names, and StoreError when it cannot be written: then nothing has changed.
        """
        self._recover()
        for twins in batches:
            self.require_fitting(twins)
        with self._transaction(self._state.clock_ns) as transaction:
            return sum(
                take_twins(self._state, transaction, twins, store=self._store, statistics=self._statistics)
                for twins in batches
            )

    def require_fitting(self, twins: Twins) -> None:
        """Raise DataError where a batch cannot be of the model that it names."""
        require_fitting(self._state, twins)

    def let_go(self, change: Callable[[SiteState], None]) -> None:
        """Let `change` take out of the state what is kept no longer, in one transaction, at the hub's present time.

        Raises StoreError when it cannot be written: then nothing has changed.
        """
        self._recover()
        with self._transaction(self._state.clock_ns):
            change(self._state)

    def dismiss(self, edge_id: EdgeId, envelope: Envelope) -> None:
        """Note a message as settled without taking it: one that could not be processed. Raises StoreError."""
        self._recover()
        with self._transaction(self._state.clock_ns):
            committed = self.committed().get(envelope.boot_id, 0)
            if 0 < envelope.seq < 2**63:
                self._state.put_boot(Boot(envelope.boot_id, edge_id, max(committed, envelope.seq)))

    def committed(self) -> Mapping[BootId, int]:
        """The highest committed sequence number of each edge's life."""
        return {boot.boot_id: boot.committed_seq for boot in self._state.boots.values()}

    @property
    def state(self) -> SiteState:
        """What the hub has in mind, to look at."""
        return self._state

    def close(self) -> None:
        """Close what it is kept in. Everything is committed already."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(
        self, deliveries: Sequence[tuple[EdgeId, Envelope]], *, now_ns: int, decide: bool
    ) -> tuple[Sequence[Event], Sequence[Refused]]:
        refusals = []
        with self._transaction(now_ns) as transaction:
            intake = Intake(self._state, transaction, store=self._store, statistics=self._statistics)
            for edge_id, envelope in deliveries:
                reason = intake.take(edge_id, envelope)
                if reason is not None:
                    refusals.append(Refused(edge_id, envelope.boot_id, envelope.seq, reason))
            if decide:
                self._round().decide(intake.touched)
            events = tuple(self._state.changes.events)
        return events, tuple(refusals)

    def _round(self) -> Round:
        return Round(
            self._state,
            self._associator,
            forget_after_ns=round(self._association.forget_after_s * 1_000_000_000),
            false_link_rate=self._association.false_link_rate,
        )

    @contextlib.contextmanager
    def _transaction(self, now_ns: int) -> Iterator[Transaction]:
        """Work on the state, then keep what has changed. Where anything fails, the state is loaded anew."""
        former_clock = self._state.clock_ns
        try:
            with self._storage.transaction() as transaction:
                self._state.former_clock_ns = former_clock
                self._state.clock_ns = max(former_clock, now_ns)
                yield transaction
                changes = self._state.changes
                if changes:
                    transaction.save(self._state)
                else:
                    transaction.save_structures(self._state)
            self._state.changes = Changes()
            for space in self._state.spaces.values():
                space.keep_structure()
            if changes:
                self._state.forget_old_tracklets()
            else:
                # Time alone is not written, so it must not be remembered either: a restart would not know it.
                self._state.clock_ns = former_clock
        except BaseException:
            self._stale = True
            raise
        finally:
            if self._stale:
                with contextlib.suppress(StoreError):  # tried again before the next batch, which raises it
                    self._recover()

    def _recover(self) -> None:
        """Load the state anew where a transaction has failed: nothing may stand on what was not committed."""
        if self._stale:
            self._state = self._load()
            self._stale = False

    def _load(self) -> SiteState:
        with without_collector():
            state = self._storage.load(store=self._store, statistics=self._statistics)
        if self._said_of_ways is not None:
            # Who opens the data without the site's settings, for one act, leaves what they said.
            state.knowledge.topology.overrides.written = self._said_of_ways
        return state
