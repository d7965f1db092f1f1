"""One round of decisions: which tracklets are due, what the associator says, and what that changes."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from hub.association import Assignment, Associator, Boundaries, Outcome
from hub.exclusion import seen_together
from hub.explaining import evidence_beside, evidence_of
from hub.identities import absorb_identity, begin_identity
from hub.learning import learn_from
from hub.likelihood import Judge, judge_of
from hub.link_question import LinkQuestion, link_question
from hub.merging import merge
from hub.records import EventKind, Evidence, Identity, IdentityState, Tracklet, TrackletNumber
from hub.spaces import ModelSpace
from hub.state import SiteState
from passerby.ids import IdentityId

DEFERRED_NS = 1_300_000_000
"""A tracklet with little evidence waits for more, but not longer."""

ENOUGH_EXEMPLARS = 2
ENOUGH_DURATION_NS = 1_000_000_000

SILENT_NS = 30 * 10**9
"""An open tracklet without news for so long is closed: its edge is gone. News that come later open it again."""


class Round:
    """Decides over the state once. Everything goes in the order of ids and numbers: same state, same result."""

    def __init__(
        self, state: SiteState, associator: Associator, *, forget_after_ns: int, false_link_rate: float
    ) -> None:
        self._state = state
        self._associator = associator
        self._forget_after_ns = forget_after_ns
        self._false_link_rate = false_link_rate

    def decide(self, touched: Collection[TrackletNumber]) -> None:
        """Close what is silent, link what is due, merge what is one, expire what is forgotten."""
        state = self._state
        touched = {*touched, *self._close_silent()}
        boundaries = self._boundaries()
        for model_id in sorted(state.spaces):
            space = state.spaces[model_id]
            if space.refresh_statistics():
                state.changes.models[model_id] = None
            due = self._due(space, touched)
            if due:
                judge = judge_of(state, space, reasoning=self._associator.reasoning)
                thresholds = self._associator.thresholds(model_id)
                question = link_question(state, space, due, judge=judge, thresholds=thresholds, boundaries=boundaries)
                answers = self._associator.link(question.problem)
                self._link(space, question, answers)
                if judge is not None:
                    self._learn(question, answers, judge)
        self._keep_identities_fresh(touched)
        merge(state, self._associator, touched=touched, boundaries=boundaries)
        self._expire()

    def due_ns(self, *, now_ns: int) -> int | None:
        """When time alone brings the next decision, if that is not after `now_ns`."""
        state = self._state
        times = []
        if state.longest_silent_ns is not None:
            times.append(state.longest_silent_ns + SILENT_NS)
        if state.longest_waiting_ns is not None:
            times.append(state.longest_waiting_ns + DEFERRED_NS)
        if state.closed_undecided:
            times.append(state.clock_ns)
        forgotten = state.identities_without_news_since(now_ns - self._forget_after_ns)
        first = next((identity for identity in forgotten if self._lonely(identity)), None)
        if first is not None:
            times.append(first.updated_at_ns + self._forget_after_ns)
        return min((at for at in times if at <= now_ns), default=None)

    def _boundaries(self) -> Boundaries:
        reasoning = self._associator.reasoning
        if reasoning is None or not reasoning.calibrated:
            return Boundaries()
        promise, rate = self._state.knowledge.promise, self._false_link_rate
        return Boundaries(link=promise.boundary(rate), merge=promise.boundary(rate, merges=True))

    def _close_silent(self) -> list[TrackletNumber]:
        silent = self._state.open_without_news_since(self._state.clock_ns - SILENT_NS)
        for tracklet in silent:
            self._state.put_tracklet(replace(tracklet, open=False))
        return [tracklet.number for tracklet in silent]

    def _due(self, space: ModelSpace, touched: Collection[TrackletNumber]) -> list[Tracklet]:
        """Undecided tracklets with evidence enough, and those that the news may revise: the open ones of a camera."""
        state = self._state
        ready = [t for t in state.undecided() if t.model_id == space.model_id and self._ready(t)]
        # A closed tracklet is only touched when it has just been closed: its last chance to be revised.
        news = [t for n in touched if (t := state.tracklets.get(n)) is not None and t.model_id == space.model_id]
        decided = [t for t in news if t.identity_id is not None]
        decided += [rival for t in decided for rival in self._rivals(t)]
        asked = {t.number: t for t in ready + decided if state.constraints.must_be(t.number) is None}
        return [asked[number] for number in sorted(asked)]

    def _rivals(self, tracklet: Tracklet) -> list[Tracklet]:
        """The open tracklets of its identity that turn out to be somebody else: it is asked which of them is."""
        members = [] if tracklet.identity_id is None else self._state.members(tracklet.identity_id)
        return [
            other
            for other in members
            if other.open and other.model_id == tracklet.model_id and seen_together(other, tracklet)
        ]

    def _ready(self, tracklet: Tracklet) -> bool:
        return (
            not tracklet.open
            or tracklet.exemplars >= ENOUGH_EXEMPLARS
            or tracklet.ended_at_ns - tracklet.started_at_ns >= ENOUGH_DURATION_NS
            or self._state.clock_ns - tracklet.opened_at_ns >= DEFERRED_NS
        )

    def _link(self, space: ModelSpace, question: LinkQuestion, answers: Sequence[Assignment]) -> None:
        begun: dict[int, IdentityId] = {}
        changed: dict[IdentityId, None] = {}
        joined = [question.identities[one.identity] if one.outcome is Outcome.LINKED else None for one in answers]
        for row, (tracklet, answer) in enumerate(zip(question.tracklets, answers, strict=True)):
            before = self._state.tracklets[tracklet.number].identity_id
            if answer.outcome is Outcome.LINKED:
                # It may have been merged a moment ago, in this very round.
                chosen = self._survivor(question.identities[answer.identity])
                if chosen != before:
                    evidence = evidence_of(self._state, space, question, row=row, answer=answer)
                    self._move(tracklet.number, chosen, evidence=evidence, awaited=joined[row + 1 :])
            elif before is not None and not self._others(before, tracklet.number):
                continue  # all others have left: it stays, and the identity with it
            else:
                evidence = evidence_of(self._state, space, question, row=row, answer=answer)
                why = evidence
                if self._joins(question, answer, begun=begun):
                    why = evidence_beside(self._state, space, question, row=row, beside=answer.beside)
                chosen = self._begin(tracklet.number, answer, begun=begun, evidence=why)
                nearest = None if answer.nearest < 0 else question.identities[answer.nearest]
                if answer.outcome is Outcome.CANDIDATE and nearest in self._state.identities and nearest != before:
                    self._state.say(
                        EventKind.CANDIDATE,
                        chosen,
                        other=nearest,
                        tracklet=tracklet.number,
                        camera_id=tracklet.camera_id,
                        evidence=evidence,
                    )
            for identity_id in (before, self._state.tracklets[tracklet.number].identity_id):
                if identity_id is not None:
                    changed[identity_id] = None
        for identity_id in changed:
            self._state.choose_prototypes(identity_id)

    def _learn(self, question: LinkQuestion, answers: Sequence[Assignment], judge: Judge) -> None:
        """What ended in this round has its last decision, and is taken as a lesson."""
        for row, answer in enumerate(answers[: question.due]):
            tracklet = self._state.tracklets[question.tracklets[row].number]
            if not tracklet.open:
                learn_from(self._state, tracklet, terms=question.terms.of(row), answer=answer, judge=judge)

    def _move(
        self,
        number: TrackletNumber,
        chosen: IdentityId,
        *,
        evidence: Evidence,
        awaited: Collection[IdentityId | None],
    ) -> None:
        """Link a tracklet; where it was all that was left of another identity, and nobody is to join that one in this
        round, it is merged."""
        tracklet = self._state.tracklets[number]
        before = tracklet.identity_id
        # An identity that has expired meanwhile stays so: only its tracklet has come back, and is somebody else's now.
        if before in self._state.identities and before not in awaited and not self._others(before, number):
            self._absorb(chosen, before, evidence=evidence)
            return
        self._state.put_tracklet(replace(tracklet, identity_id=chosen, prototype=False))
        self._state.say(
            EventKind.LINKED,
            chosen,
            other=before,
            tracklet=number,
            camera_id=tracklet.camera_id,
            evidence=evidence,
        )

    def _begin(
        self, number: TrackletNumber, answer: Assignment, *, begun: dict[int, IdentityId], evidence: Evidence
    ) -> IdentityId:
        """Let a tracklet begin a new identity, or join the one that its group has begun."""
        state = self._state
        tracklet = state.tracklets[number]
        before = tracklet.identity_id
        chosen = begun.get(answer.group)
        if chosen is None:
            kind = EventKind.CREATED if before is None else EventKind.SPLIT
            chosen = begun[answer.group] = begin_identity(state)
        else:
            kind = EventKind.LINKED
        state.put_tracklet(replace(tracklet, identity_id=chosen, prototype=False))
        state.say(kind, chosen, other=before, tracklet=number, camera_id=tracklet.camera_id, evidence=evidence)
        return chosen

    def _joins(self, question: LinkQuestion, answer: Assignment, *, begun: dict[int, IdentityId]) -> bool:
        """Whether the tracklet that one goes with is of the identity that its group has begun."""
        if answer.beside < 0 or answer.group not in begun:
            return False
        other = self._state.tracklets[question.tracklets[answer.beside].number]
        return other.identity_id == begun[answer.group]

    def _survivor(self, identity_id: IdentityId) -> IdentityId:
        """Whom an identity of this round's beginning is now."""
        changed = self._state.changes.identities
        while identity_id in changed and (merged_into := changed[identity_id].merged_into) is not None:
            identity_id = merged_into
        return identity_id

    def _others(self, identity_id: IdentityId, number: TrackletNumber) -> bool:
        return any(member.number != number for member in self._state.members(identity_id))

    def _keep_identities_fresh(self, touched: Collection[TrackletNumber]) -> None:
        state = self._state
        seen = {state.tracklets[number].identity_id for number in touched if number in state.tracklets}
        for identity_id in sorted(i for i in seen if i is not None and i in state.identities):
            state.put_identity(replace(state.identities[identity_id], updated_at_ns=state.clock_ns))
            state.choose_prototypes(identity_id)

    def _absorb(self, survivor: IdentityId, absorbed: IdentityId, *, evidence: Evidence) -> None:
        identities = self._state.identities
        absorb_identity(self._state, identities[survivor], identities[absorbed], evidence=evidence)

    def _expire(self) -> None:
        state = self._state
        limit = state.clock_ns - self._forget_after_ns
        forgotten = [i for i in state.identities_without_news_since(limit) if self._lonely(i)]
        for identity in sorted(forgotten, key=lambda i: i.identity_id):
            state.put_identity(replace(identity, state=IdentityState.EXPIRED, updated_at_ns=state.clock_ns))
            state.choose_prototypes(identity.identity_id)
            state.say(EventKind.EXPIRED, identity.identity_id)

    def _lonely(self, identity: Identity) -> bool:
        """Nobody sees it now."""
        return not any(member.open for member in self._state.members(identity.identity_id))
