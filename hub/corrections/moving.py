"""The steps of which corrections are made: tracklets that leave an identity, and those that go to another."""

from collections.abc import Sequence
from dataclasses import replace

from hub.identities import begin_identity
from hub.records import ActId, EventId, EventKind, Identity, IdentityState, Tracklet, TrackletNumber
from hub.state import SiteState
from passerby.ids import CameraId


def recall(state: SiteState, tracklets: Sequence[Tracklet]) -> None:
    """Bring stored tracklets back to mind, so that what follows is about all of an identity."""
    for tracklet in tracklets:
        if tracklet.number not in state.tracklets:
            state.recall(tracklet)


def begin_with(
    state: SiteState,
    tracklets: Sequence[TrackletNumber],
    origin: Identity,
    *,
    act_id: ActId,
    undoes: EventId | None = None,
) -> EventId:
    """Let tracklets in mind leave `origin` and begin somebody new; gives the event."""
    new = begin_identity(state)
    _move(state, tracklets, state.identities[new], origin=origin)
    return state.say(
        EventKind.SPLIT,
        new,
        other=origin.identity_id,
        tracklet=tracklets[0],
        tracklets=tuple(tracklets[1:]),
        camera_id=_camera(state, tracklets[0]),
        act_id=act_id,
        undoes=undoes,
    )


def go_to(
    state: SiteState,
    tracklets: Sequence[TrackletNumber],
    target: Identity,
    *,
    origin: Identity,
    act_id: ActId,
    undoes: EventId,
) -> EventId:
    """Let tracklets in mind leave `origin` for `target`, which takes tracklets again if it had expired."""
    _move(state, tracklets, target, origin=origin)
    return state.say(
        EventKind.LINKED,
        target.identity_id,
        other=origin.identity_id,
        tracklet=tracklets[0],
        tracklets=tuple(tracklets[1:]),
        camera_id=_camera(state, tracklets[0]),
        act_id=act_id,
        undoes=undoes,
    )


def restore(
    state: SiteState,
    identity: Identity,
    tracklets: Sequence[TrackletNumber],
    *,
    origin: Identity | None,
    act_id: ActId,
    undoes: EventId,
) -> EventId:
    """Let an identity that was merged or had expired stand again, with tracklets in mind that are in `origin` now.

    A name that `origin` only has from it goes back with it.
    """
    if origin is None:
        state.put_identity(_awake(state, identity))
        state.choose_prototypes(identity.identity_id)
    else:
        _move(state, tracklets, identity, origin=origin)
        if origin.name_id is not None and origin.name_id == identity.name_id:
            here = state.identities.get(origin.identity_id, origin)
            state.put_identity(replace(here, name=None, name_id=None))
    return state.say(
        EventKind.RESTORED,
        identity.identity_id,
        other=None if origin is None else origin.identity_id,
        tracklets=tuple(tracklets),
        act_id=act_id,
        undoes=undoes,
    )


def _move(state: SiteState, tracklets: Sequence[TrackletNumber], target: Identity, *, origin: Identity) -> None:
    state.put_identity(_awake(state, target))
    for number in tracklets:
        tracklet = replace(state.tracklets[number], identity_id=target.identity_id, prototype=False)
        state.put_tracklet(tracklet)
    state.choose_prototypes(target.identity_id)
    state.choose_prototypes(origin.identity_id)


def _awake(state: SiteState, identity: Identity) -> Identity:
    return replace(identity, state=IdentityState.ACTIVE, merged_into=None, updated_at_ns=state.clock_ns)


def _camera(state: SiteState, number: TrackletNumber) -> CameraId:
    return state.tracklets[number].camera_id
