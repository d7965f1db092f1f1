"""From messages to tracklets: what is accepted, what is refused and why."""

from dataclasses import replace

import numpy as np

from hub.changes import ReportedStatus
from hub.deciding import ENOUGH_EXEMPLARS
from hub.records import Boot, Tracklet, TrackletNumber
from hub.spaces import ModelSpace, StoreFactory
from hub.state import SiteState
from hub.statistics import StatisticsSource
from hub.storage import Transaction
from passerby.ids import BootId, EdgeId, ModelId
from passerby.messages import Envelope, Status, TrackletUpdate

_INT64_END = 2**63


class Intake:
    """Takes the messages of one batch into the state, within one transaction.

    Reasons for a refusal, fixed words: `not-reliable` (a kind that cannot be committed), `not-numbered` (no sequence
    number), `number-range` (beyond 63 bits or negative), `boot-of-another-edge`, `times` (ends before it starts),
    `embedding-not-finite`, `embedding-zero`, `embedding-dimension` (not what the model makes), `exemplars` (a crop id
    twice, or a quality that is no number), `camera-changed`, `stale-revision`, `tracklet-closed`, `erased` (an operator
    has erased the person of this tracklet).
    """

    def __init__(
        self, state: SiteState, transaction: Transaction, *, store: StoreFactory, statistics: StatisticsSource
    ) -> None:
        self._state = state
        self._transaction = transaction
        self._store = store
        self._statistics = statistics
        self.touched: dict[TrackletNumber, None] = {}
        """Tracklets with news in this batch, in the order of their first."""

    def take(self, edge_id: EdgeId, envelope: Envelope) -> str | None:
        """Take one message; gives the reason if it is refused for good, which counts as committed too.

        One at or below the committed mark of its boot has been taken before, and has no effect.
        """
        if envelope.seq == 0 and not isinstance(envelope.message, TrackletUpdate | Status):
            return None
        if not 0 < envelope.seq < _INT64_END:
            return "not-numbered"
        boot = self._state.boots.get(envelope.boot_id, Boot(envelope.boot_id, edge_id, 0))
        if boot.edge_id != edge_id:
            return "boot-of-another-edge"
        if envelope.seq <= boot.committed_seq:
            return None
        reason = self._take_message(edge_id, envelope)
        self._state.put_boot(replace(boot, committed_seq=envelope.seq))
        return reason

    def _take_message(self, edge_id: EdgeId, envelope: Envelope) -> str | None:
        match envelope.message:
            case TrackletUpdate() as update:
                return self._take_tracklet(envelope.boot_id, update)
            case Status() as status:
                return self._take_status(edge_id, envelope.boot_id, status)
            case _:
                return "not-reliable"

    def _take_status(self, edge_id: EdgeId, boot_id: BootId, status: Status) -> str | None:
        if not 0 <= status.sent_at_ns < _INT64_END:
            return "number-range"
        for camera in status.cameras:
            self._state.put_status(ReportedStatus(camera, edge_id, boot_id, status.sent_at_ns, self._state.clock_ns))
        return None

    def _take_tracklet(self, boot_id: BootId, update: TrackletUpdate) -> str | None:
        reason = _wrong_by_itself(update)
        if reason is not None:
            return reason
        space = self._state.spaces.get(update.model_id)
        if space is not None and space.dimension != len(update.embedding):
            return "embedding-dimension"
        former = self._state.find(boot_id, update.tracklet_id) or self._transaction.find_tracklet(
            boot_id, update.tracklet_id
        )
        if former is not None:
            reason = _wrong_after(former, update)
            if reason is not None:
                return reason
        elif self._transaction.is_erased(boot_id, update.tracklet_id):
            return "erased"
        if space is None:
            space = new_space(
                self._state,
                update.model_id,
                dimension=len(update.embedding),
                store=self._store,
                statistics=self._statistics,
            )
        tracklet = self._tracklet(boot_id, update, former=former)
        if former is not None:
            self._recall(former)
            if not former.open:
                self._state.drop_twins(former)
        self._state.put_tracklet(tracklet)
        self._note_pictures(tracklet.number, update)
        self._learn(space, tracklet, former=former)
        self.touched[tracklet.number] = None
        return None

    def _recall(self, former: Tracklet) -> None:
        """Have a tracklet in mind as it was, with where it was, however long ago that is."""
        self._state.recall(former)
        if former.number not in self._state.paths and len(path := self._transaction.path_of(former)):
            self._state.paths[former.number] = path

    def _learn(self, space: ModelSpace, tracklet: Tracklet, *, former: Tracklet | None) -> None:
        """Let camera statistics learn from a tracklet twice: when it has some evidence, and when it has all."""
        if space.statistics is None:
            return
        some = tracklet.exemplars >= ENOUGH_EXEMPLARS and (former is None or former.exemplars < ENOUGH_EXEMPLARS)
        if some or tracklet.final:
            space.statistics.observe(
                tracklet.camera_id, tracklet.embedding, at_ns=tracklet.started_at_ns, quality=tracklet.quality
            )
            self._state.changes.models[space.model_id] = None

    def _tracklet(self, boot_id: BootId, update: TrackletUpdate, *, former: Tracklet | None) -> Tracklet:
        quality = update.exemplars.quality
        return Tracklet(
            number=TrackletNumber(self._state.next_number("tracklet")) if former is None else former.number,
            boot_id=boot_id,
            tracklet_id=update.tracklet_id,
            camera_id=update.camera_id,
            model_id=update.model_id,
            started_at_ns=update.started_at_ns,
            ended_at_ns=update.ended_at_ns,
            revision=update.revision,
            final=update.final,
            open=not update.final,
            exemplars=len(update.exemplars),
            quality=float(quality.mean()) if len(quality) else 0.0,
            clock_source=update.clock.source,
            clock_error_ns=update.clock.error_ns,
            frame_width=update.frame_size[0],
            frame_height=update.frame_size[1],
            identity_id=None if former is None else former.identity_id,
            prototype=former is not None and former.prototype,
            opened_at_ns=self._state.clock_ns if former is None else former.opened_at_ns,
            updated_at_ns=self._state.clock_ns,
            embedding=np.array(update.embedding, np.float32),
        )

    def _note_pictures(self, number: TrackletNumber, update: TrackletUpdate) -> None:
        changes = self._state.changes
        changes.exemplars[number] = (update.model_id, update.exemplars)
        if len(update.observations):
            changes.observations[number, update.revision] = update.observations
        self._state.walk(number, update.observations, frame_height=update.frame_size[1])
        kept = set(update.exemplars.crop_ids.tolist())
        for crop_id, jpeg in update.crops.items():
            if crop_id in kept:
                changes.crops[number, crop_id] = jpeg


def new_space(
    state: SiteState, model_id: ModelId, *, dimension: int, store: StoreFactory, statistics: StatisticsSource
) -> ModelSpace:
    """The space of a model of which nothing was known."""
    space = ModelSpace(model_id, dimension=dimension, statistics=statistics.begin(model_id, dimension), store=store)
    state.spaces[model_id] = space
    state.changes.models[model_id] = None
    return space


def _wrong_by_itself(update: TrackletUpdate) -> str | None:
    """Why an update cannot be taken, whatever was before."""
    numbers = (
        update.tracklet_id,
        update.revision,
        update.started_at_ns,
        update.ended_at_ns,
        update.clock.error_ns,
        *update.frame_size,
    )
    if not all(0 <= number < _INT64_END for number in numbers):
        return "number-range"
    if update.ended_at_ns < update.started_at_ns:
        return "times"
    embedding = np.asarray(update.embedding, np.float32)
    exemplars = update.exemplars
    if not (np.isfinite(embedding).all() and np.isfinite(exemplars.embeddings).all()):
        return "embedding-not-finite"
    if len(np.unique(exemplars.crop_ids)) < len(exemplars) or not np.isfinite(exemplars.quality).all():
        return "exemplars"
    with np.errstate(over="ignore", under="ignore"):
        length = float(np.linalg.norm(embedding))
    if not np.isfinite(length):
        return "embedding-not-finite"
    return None if length > 0 else "embedding-zero"


def _wrong_after(former: Tracklet, update: TrackletUpdate) -> str | None:
    """Why an update cannot follow what is known of its tracklet."""
    if former.camera_id != update.camera_id:
        return "camera-changed"
    if former.final:
        return "tracklet-closed"
    if update.revision <= former.revision:
        return "stale-revision"
    return None
