"""How an identity begins, is left, and how two become one, whoever decides it."""

from dataclasses import replace

from hub.records import ActId, EventId, EventKind, Evidence, Identity, IdentityState, TrackletNumber
from hub.state import SiteState
from passerby.ids import IdentityId


def begin_identity(state: SiteState) -> IdentityId:
    """A new identity, of which nothing is known yet but its number."""
    identity_id = IdentityId(state.next_number("identity"))
    state.put_identity(
        Identity(
            identity_id=identity_id,
            state=IdentityState.ACTIVE,
            name=None,
            created_at_ns=state.clock_ns,
            updated_at_ns=state.clock_ns,
        )
    )
    return identity_id


def leave_identity(state: SiteState, number: TrackletNumber, *, evidence: Evidence, pass_id: EventId | None) -> None:
    """Let one of an identity's tracklets begin another one; who stands for the one that is left is not chosen anew."""
    tracklet = state.tracklets[number]
    chosen = begin_identity(state)
    state.put_tracklet(replace(tracklet, identity_id=chosen, prototype=False))
    state.choose_prototypes(chosen)
    state.say(
        EventKind.SPLIT,
        chosen,
        other=tracklet.identity_id,
        tracklet=number,
        camera_id=tracklet.camera_id,
        evidence=evidence,
        pass_id=pass_id,
    )


def absorb_identity(
    state: SiteState,
    survivor: Identity,
    absorbed: Identity,
    *,
    evidence: Evidence | None = None,
    act_id: ActId | None = None,
    undoes: EventId | None = None,
    pass_id: EventId | None = None,
) -> EventId:
    """Let everything of `absorbed` belong to `survivor`; gives the event that says so.

    Of two of which one has expired the survivor takes tracklets again. It takes over the name where it has none.
    """
    state.absorb(survivor.identity_id, absorbed.identity_id)
    gone = replace(absorbed, state=IdentityState.MERGED, merged_into=survivor.identity_id, updated_at_ns=state.clock_ns)
    state.put_identity(gone)
    named = survivor if survivor.name_id is not None else absorbed
    active = IdentityState.ACTIVE in (survivor.state, absorbed.state)
    state.put_identity(
        replace(
            survivor,
            state=IdentityState.ACTIVE if active else survivor.state,
            name=named.name,
            name_id=named.name_id,
            updated_at_ns=state.clock_ns,
        )
    )
    state.choose_prototypes(survivor.identity_id)
    return state.say(
        EventKind.MERGED,
        survivor.identity_id,
        other=absorbed.identity_id,
        evidence=evidence,
        act_id=act_id,
        undoes=undoes,
        pass_id=pass_id,
    )
