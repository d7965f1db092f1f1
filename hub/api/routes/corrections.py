"""What operators say: merges, splits, rejections, names, answers to candidates; and taking it back."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hub.api.doors import Admin, Operator, Viewer, unscoped
from hub.api.plain import Cursor, Limit, Number, Page, PathNumber, moment, page_of, place_of
from hub.api.problems import not_found
from hub.api.routes.events import seen_event
from hub.api.routes.identities import seen_identity
from hub.api.routes.tracklets import seen_tracklet
from hub.corrections.acts import Answer, AnswerWord, Erase, Merge, Outcome, Reject, Rename, Split, Undo
from hub.corrections.candidates import Candidate, candidate_of, open_candidates
from hub.records import EventId, TrackletNumber
from passerby.ids import IdentityId

router = APIRouter(tags=["corrections"])


class Merging(BaseModel):
    """Who is the same person as the one named in the address."""

    absorbed: Number = Field(description="This number goes into the other.")


class Splitting(BaseModel):
    """Which tracklets are somebody else."""

    tracklets: list[Number] = Field(min_length=1, max_length=500)


class Rejecting(BaseModel):
    """Which tracklet is not that person."""

    tracklet: Number


class Naming(BaseModel):
    """What somebody is called."""

    name: Annotated[str, Field(max_length=200)] | None = Field(description="null takes the name away.")


class Undoing(BaseModel):
    """How much is taken back."""

    whole: bool = Field(False, description="Everything that one consolidation decided together with it.")


class Answering(BaseModel):
    """Whether the two are one person."""

    answer: AnswerWord


class ErasedOut(BaseModel):
    """What is gone for good."""

    identities: list[int]
    tracklets: int
    names: int
    from_statistics: int


class Done(BaseModel):
    """What came of it."""

    act: int
    first_event: int | None = Field(description="The events that it made are those from here.")
    last_event: int | None
    erased: ErasedOut | None = None


class CandidateOut(BaseModel):
    """Two who may be one person: for somebody to say."""

    id: int
    asked_at: datetime
    identity: int
    other_identity: int
    tracklet: int
    camera: str
    started_at: datetime
    ended_at: datetime
    probability: float | None
    similarity: float | None
    answer: AnswerWord | None = Field(description="What was said so far: unsure.")


@router.post("/identities/{number}/merge", summary="Say that two are one person")
def merge(who: Operator, number: PathNumber, body: Merging) -> Done:
    """For ever; it can be undone."""
    survivor, absorbed = seen_identity(who, number), seen_identity(who, body.absorbed)
    act = Merge(survivor=survivor.identity.identity_id, absorbed=absorbed.identity.identity_id)
    return _done(who.correct(act))


@router.post("/identities/{number}/split", summary="Say that some tracklets are somebody else")
def split(who: Operator, number: PathNumber, body: Splitting) -> Done:
    """For ever; it can be undone."""
    identity = seen_identity(who, number).identity.identity_id
    numbers = tuple(seen_tracklet(who, one).number for one in dict.fromkeys(body.tracklets))
    return _done(who.correct(Split(identity=identity, tracklets=numbers)))


@router.post("/identities/{number}/reject", summary="Say that a tracklet is not this person")
def reject(who: Operator, number: PathNumber, body: Rejecting) -> Done:
    """For ever; it can be undone. Where it was theirs it leaves."""
    identity = seen_identity(who, number).identity.identity_id
    tracklet: TrackletNumber = seen_tracklet(who, body.tracklet).number
    return _done(who.correct(Reject(tracklet=tracklet, identity=identity)))


@router.put("/identities/{number}/name", summary="Give somebody a name")
def rename(who: Operator, number: PathNumber, body: Naming) -> Done:
    """The name is in no log, and goes when they are erased."""
    identity = seen_identity(who, number).identity.identity_id
    return _done(who.correct(Rename(identity=identity, name=body.name)))


@router.delete("/identities/{number}", summary="Erase somebody")
def erase(who: Admin, number: PathNumber) -> Done:
    """Pictures, embeddings, sightings and names go for good; the number stays in the log. It cannot be undone."""
    identity: IdentityId = seen_identity(who, number).identity.identity_id
    return _done(who.correct(Erase(identity=identity)))


@router.post("/events/{number}/undo", summary="Take a decision back")
def undo(who: Operator, number: PathNumber, body: Undoing | None = None) -> Done:
    """An operator's or the hub's own; what the hub decided is then wrong, for ever."""
    whole = body is not None and body.whole
    if whole:
        unscoped(who)
    return _done(who.correct(Undo(event=seen_event(who, number).event_id, whole=whole)))


@router.get("/candidates", summary="Who may be one person?")
def candidates(
    who: Viewer,
    unsure: Annotated[bool, Query(description="Also those where somebody was unsure.")] = False,
    order: Annotated[Literal["latest", "oldest"], Query()] = "latest",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[CandidateOut]:
    """What is still to be said."""
    listing, place = who.services.listing(), place_of(cursor)
    asked = open_candidates(who.services.reader(), unsure=unsure)
    if order == "latest":
        asked = asked[::-1]
    if place is not None:
        asked = [one for one in asked if (one.event.event_id < place) == (order == "latest") and _number(one) != place]
    seen = [
        one
        for one in asked
        if who.sees(one.tracklet.camera_id)
        and (who.scope is None or listing.identity(one.other, scope=who.scope) is not None)
    ]
    return page_of([_described(one) for one in seen[: limit + 1]], limit=limit, key=lambda one: one.id)


@router.post("/candidates/{number}/answer", summary="Say whether two are one person")
def answer(who: Operator, number: PathNumber, body: Answering) -> Done:
    """`same` and `different` hold for ever, and can be undone; `unsure` leaves it open."""
    found = candidate_of(who.services.reader(), EventId(number))
    if found is None or not who.sees(found.tracklet.camera_id):
        raise not_found(f"open candidate {number}")
    return _done(who.correct(Answer(candidate=found.event.event_id, answer=body.answer)))


def _number(one: Candidate) -> int:
    return one.event.event_id


def _described(one: Candidate) -> CandidateOut:
    return CandidateOut(
        id=one.event.event_id,
        asked_at=moment(one.event.at_ns),
        identity=one.identity,
        other_identity=one.other,
        tracklet=one.tracklet.number,
        camera=one.tracklet.camera_id,
        started_at=moment(one.tracklet.started_at_ns),
        ended_at=moment(one.tracklet.ended_at_ns),
        probability=one.event.evidence.probability,
        similarity=one.event.evidence.similarity,
        answer=one.answer,
    )


def _done(outcome: Outcome) -> Done:
    gone = outcome.erased
    return Done(
        act=outcome.act_id,
        first_event=outcome.first_event,
        last_event=outcome.last_event,
        erased=None
        if gone is None
        else ErasedOut(
            identities=list(gone.identities),
            tracklets=gone.tracklets,
            names=gone.names,
            from_statistics=gone.from_statistics,
        ),
    )
