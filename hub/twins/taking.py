"""From twins that were made to what the hub has in mind and keeps."""

from hub.intake import new_space
from hub.records import Tracklet, TrackletNumber, Twin
from hub.spaces import StoreFactory
from hub.state import SiteState
from hub.statistics import StatisticsSource
from hub.storage import Transaction
from passerby.adaptation.twins import Twins
from passerby.errors import DataError
from passerby.ids import IdentityId


def require_fitting(state: SiteState, twins: Twins) -> None:
    """Raise DataError where the twins cannot be of the model that they name."""
    space = state.spaces.get(twins.model_id)
    if space is not None and space.dimension != twins.dimension:
        raise DataError(
            f"twins of {twins.model_id} have {twins.dimension} numbers, the model makes {space.dimension}; "
            "was another network given its name?"
        )


def take_twins(
    state: SiteState, transaction: Transaction, twins: Twins, *, store: StoreFactory, statistics: StatisticsSource
) -> int:
    """Keep the twins that are still of use; gives how many that are.

    Left out are those of tracklets that are gone, may still change, have changed since, or came with this very model;
    and those of which there is one already, unless it was only mapped and the new one is from pictures. The statistics
    of the model's cameras learn from those made of pictures, in the order in which people came.
    """
    if not len(twins):
        return 0
    space = state.spaces.get(twins.model_id)
    if space is None:
        space = new_space(state, twins.model_id, dimension=twins.dimension, store=store, statistics=statistics)
    tracklets, known = _stored(state, transaction, twins)
    rows = {TrackletNumber(number): row for row, number in enumerate(twins.numbers.tolist())}
    revisions = twins.revisions.tolist()
    taken = 0
    changed: dict[IdentityId, None] = {}
    for tracklet in sorted(tracklets, key=lambda t: (t.started_at_ns, t.number)):
        row = rows[tracklet.number]
        mapped = bool(twins.mapped[row])
        if tracklet.open or tracklet.model_id == twins.model_id or tracklet.revision != revisions[row]:
            continue
        former = known.get(tracklet.number)
        if former is not None and (mapped or not former.mapped):
            continue
        embedding = twins.embeddings[row].copy()
        state.put_twin(Twin(tracklet=tracklet.number, model_id=twins.model_id, embedding=embedding, mapped=mapped))
        taken += 1
        if not mapped and space.statistics is not None:
            space.statistics.observe(
                tracklet.camera_id, embedding, at_ns=tracklet.started_at_ns, quality=tracklet.quality
            )
            state.changes.models[space.model_id] = None
        if tracklet.number in state.tracklets and tracklet.identity_id is not None:
            changed[tracklet.identity_id] = None
    for identity_id in sorted(changed):
        state.choose_prototypes(identity_id)
    return taken


def _stored(
    state: SiteState, transaction: Transaction, twins: Twins
) -> tuple[list[Tracklet], dict[TrackletNumber, Twin]]:
    """The tracklets that there are, and their twins of this model."""
    numbers = [TrackletNumber(number) for number in twins.numbers.tolist()]
    stored = transaction.tracklets_numbered([number for number in numbers if number not in state.tracklets])
    tracklets = [*stored, *(state.tracklets[number] for number in numbers if number in state.tracklets)]
    known = [*transaction.twins_of([t.number for t in tracklets]), *state.changes.twins.values()]
    return tracklets, {twin.tracklet: twin for twin in known if twin.model_id == twins.model_id}
