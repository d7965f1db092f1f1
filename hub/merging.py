"""Identities that turn out to be one person: asked about when something new is known of them, and again later."""

from collections.abc import Collection

import numpy as np

from hub.association import Associator, Boundaries
from hub.explaining import merge_evidence, stray_evidence
from hub.identities import absorb_identity, leave_identity
from hub.learning import learn_movement
from hub.likelihood import judge_of
from hub.merge_question import MergeQuestion, merge_question
from hub.records import TrackletNumber
from hub.spaces import ModelSpace
from hub.state import SiteState
from passerby.ids import IdentityId, ModelId

YOUNG_NS = 60 * 10**9
"""For so long a new identity is asked about again and again: overlapping views begin one person several times."""

YOUNG_EVERY_NS = 2 * 10**9
"""How often that is."""

CONSOLIDATED_IN = 10
"""In so many turns of YOUNG_EVERY_NS all fragments are compared again, each in one of them: what the site has taught
meanwhile, and what others have become, may tell."""

FRAGMENT_TRACKLETS = 4
"""An identity of at most so many tracklets is a fragment: perhaps of somebody who is known."""

FRAGMENT_NS = 600 * 10**9
"""Fragments are compared for so long after their last news."""


def merge(
    state: SiteState, associator: Associator, *, touched: Collection[TrackletNumber], boundaries: Boundaries
) -> None:
    """Merge what has just turned out to be one person."""
    changed = [i for i in state.changes.identities if i in state.identities]
    young = {identity.identity_id for identity in state.identities_created_since(state.clock_ns - YOUNG_NS)}
    ended = _ended(state, touched)
    asked = {i for i in changed if i in ended}
    reasoning = associator.reasoning
    # Never for the passing of time alone: how often the hub is asked whether something is due must make no difference.
    turns = turns_since(state) if touched else range(0)
    if turns:
        asked.update(young)
        if reasoning is not None and reasoning.consolidated:
            asked.update(fragments(state, turns))
    if not asked:
        return
    models = _asked_in_turn(state)
    for turn, model_id in enumerate(models):
        space = state.spaces[model_id]
        question = merge_question(
            state,
            space,
            sorted(asked),
            young=young,
            judge=judge_of(state, space, reasoning=reasoning),
            thresholds=associator.thresholds(model_id),
            boundaries=boundaries,
            others=models[:turn] if state.rollout.promoted else (),
        )
        if question is not None:
            _answer(state, space, question, associator=associator)


def _asked_in_turn(state: SiteState) -> list[ModelId]:
    """The spaces in which two may turn out to be one: first that of the model in use, and none on which nothing may
    depend."""
    models = [model_id for model_id in sorted(state.spaces) if not state.rollout.rests(model_id)]
    return sorted(models, key=lambda model_id: model_id != state.rollout.deployed)


def _answer(state: SiteState, space: ModelSpace, question: MergeQuestion, *, associator: Associator) -> None:
    groups = associator.merge(question.problem)
    for group in range(int(groups.max()) + 1):
        survivor, *others = np.flatnonzero(groups == group).tolist()
        for other in others:
            evidence = merge_evidence(state, space, question, pair=(survivor, other))
            pair = question.identities[survivor], question.identities[other]
            terms = question.terms.get(pair)
            strays = () if terms is None else terms.strays
            pass_id = state.next_event if strays else None
            for number in strays:
                leave_identity(state, number, evidence=stray_evidence(space, state.tracklets[number]), pass_id=pass_id)
            ways = _begun_by(state, *pair)
            absorb_identity(
                state, state.identities[pair[0]], state.identities[pair[1]], evidence=evidence, pass_id=pass_id
            )
            if ways is not None and evidence.probability is not None:
                learn_movement(state, state.tracklets[ways], linked=evidence.probability, stranger=0.0)


def _begun_by(state: SiteState, first: IdentityId, second: IdentityId) -> TrackletNumber | None:
    """The tracklet with which the later of two identities began, where it has ended: the way to it is known now."""
    begun = [min(members, key=lambda t: (t.started_at_ns, t.number)) for members in map(state.members, (first, second))]
    later = max(begun, key=lambda t: (t.started_at_ns, t.number))
    return None if later.open else later.number


def _ended(state: SiteState, touched: Collection[TrackletNumber]) -> set[IdentityId]:
    """The identities of which a tracklet has just ended: what is known of them has just become more."""
    news = [t for number in touched if (t := state.tracklets.get(number)) is not None]
    return {t.identity_id for t in news if not t.open and t.identity_id is not None}


def turns_since(state: SiteState) -> range:
    """The turns that have come since the former decisions."""
    return range(state.former_clock_ns // YOUNG_EVERY_NS + 1, state.clock_ns // YOUNG_EVERY_NS + 1)


def fragments(state: SiteState, turns: range) -> list[IdentityId]:
    """Those whose turn it is, so that no round has to compare them all."""
    places = {turn % CONSOLIDATED_IN for turn in turns[:CONSOLIDATED_IN]}
    lately = {t.identity_id for t in state.lately(FRAGMENT_NS) if t.identity_id is not None}
    mine = sorted(i for i in lately if i % CONSOLIDATED_IN in places)
    return [i for i in mine if len(state.members(i)) <= FRAGMENT_TRACKLETS]
