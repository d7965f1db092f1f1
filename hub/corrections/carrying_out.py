"""From what an operator asks to a plan, and from a plan to what is kept: within the hub's one transaction."""

from dataclasses import dataclass

from msgspec import structs

from hub.corrections.acts import (
    Act,
    Answer,
    CarriedOut,
    Erase,
    Merge,
    Outcome,
    Reject,
    Rename,
    ResetCamera,
    Rollback,
    SetTransit,
    Split,
    Stage,
    Undo,
)
from hub.corrections.archive import Archive
from hub.corrections.asserting import assertion_of
from hub.corrections.plans import (
    Merging,
    Plan,
    Rejecting,
    Splitting,
    candidate_pair,
    plan_different,
    plan_erase,
    plan_merge,
    plan_reject,
    plan_rename,
    plan_same,
    plan_split,
)
from hub.corrections.resetting import Resetting
from hub.corrections.rolling import plan_rollout
from hub.corrections.transits import plan_transit
from hub.corrections.undoing import Restoring, Returning, plan_undo
from hub.records import ActId, Event, TrackletNumber, Twin
from hub.state import SiteState
from passerby.errors import DataError
from passerby.ids import IdentityId


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks for what. The same `request_id` is carried out once, however often it comes."""

    request_id: str
    actor: str
    act: Act


@dataclass(frozen=True, slots=True)
class Planned:
    """A request that can be carried out."""

    request: Request
    plan: Plan | None
    """None: nothing changes, but that it is on record."""
    undone: Event | None
    """The event that it takes back."""
    twins: tuple[Twin, ...] = ()
    """Of the tracklets that move."""


def plan_request(request: Request, archive: Archive) -> Planned:
    """Look everything up. Raises DataError where it cannot be done; nothing has changed then."""
    undone = archive.event(request.act.event) if isinstance(request.act, Undo) else None
    plan = _plan(request.act, archive)
    twins: tuple[Twin, ...] = ()
    if isinstance(plan, Merging | Splitting | Rejecting | Returning | Restoring):
        twins = tuple(archive.twins_among([tracklet.number for tracklet in plan.tracklets]))
    return Planned(request, plan, undone, twins)


def carry_out(planned: Planned, state: SiteState) -> Outcome:
    """Change the state, append the events, keep what is said, and put it on record.

    Raises DataError where a later word of an operator would be broken: then the state is of no use any more.
    """
    act_id = ActId(state.next_number("act"))
    for twin in planned.twins:
        if twin.tracklet not in state.tracklets:
            state.recall_twin(twin)
    erased = None if planned.plan is None else planned.plan.carry_out(state, act_id)
    events = state.changes.events
    for event in events:
        _conclude(event, planned.undone, state)
    act = planned.request.act
    if isinstance(act, Rename):
        act = structs.replace(act, name=None, name_id=events[0].name_id)
    if isinstance(act, Answer):
        state.changes.answers[act.candidate] = (act.answer, act_id)
    outcome = Outcome(
        act_id=act_id,
        first_event=events[0].event_id if events else None,
        last_event=events[-1].event_id if events else None,
        erased=erased,
    )
    request = planned.request
    state.changes.acts.append(
        CarriedOut(request_id=request.request_id, at_ns=state.clock_ns, actor=request.actor, act=act, outcome=outcome)
    )
    return outcome


def _plan(act: Act, archive: Archive) -> Plan | None:
    plan: Plan | None = None
    match act:
        case Merge():
            plan = plan_merge(archive, act.survivor, act.absorbed)
        case Split():
            plan = plan_split(archive, act.identity, act.tracklets)
        case Reject():
            plan = plan_reject(archive, act.tracklet, act.identity)
        case Answer(answer="same"):
            plan = plan_same(archive, act.candidate)
        case Answer(answer="different"):
            plan = plan_different(archive, act.candidate)
        case Answer():
            candidate_pair(archive, act.candidate)
        case Rename():
            plan = plan_rename(archive, act.identity, act.name)
        case Undo():
            plan = plan_undo(archive, act.event)
        case Erase():
            plan = plan_erase(archive, act.identity)
        case ResetCamera():
            plan = Resetting(act.camera)
        case SetTransit():
            plan = plan_transit(archive, act.word)
        case Stage() | Rollback():
            plan = plan_rollout(archive, act)
    return plan


def _conclude(event: Event, undone: Event | None, state: SiteState) -> None:
    """Let what an event says hold, and what it takes back hold no more."""

    def members(identity_id: IdentityId) -> list[TrackletNumber]:
        # Planning has brought all of the identities concerned to mind.
        return [member.number for member in state.members(identity_id)]

    if event.undoes is not None:
        state.unbind(event.undoes)
    assertion = assertion_of(event, undone=undone, members=members)
    if assertion is not None:
        named = assertion.tracklets | assertion.apart_from
        where = {number: state.tracklets[number].identity_id for number in named}
        state.bind(assertion, identities={number: one for number, one in where.items() if one is not None})
    if event.undoes is not None:
        broken = state.constraints.broken()
        if broken is not None:
            raise DataError(f"event {broken} has said otherwise since event {event.undoes}: undo that one first")
