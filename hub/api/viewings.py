"""What is told of a question about a film: how far it is, and the answer."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from hub.api.plain import moment, moment_or_none
from hub.enrolment.posterior import Verdict
from hub.films.records import Answer, Compared, Enrolled, Phase, Several, Shown, State, Viewing


class ShownOut(BaseModel):
    """One person of the film, with crops at `/viewings/{number}/people/{person}/crops/{crop}`, all from 1."""

    from_frame: int
    to_frame: int
    box_xyxy: list[float]
    crops: int


class NameOut(BaseModel):
    """A name that it may be."""

    name: str
    probability: float


class NamedOut(ShownOut):
    """Who one person may be."""

    verdict: str = Field(description="A name, `nobody known`, or `unsure`.")
    nobody_known: float
    ranking: list[NameOut]


class EnrolledOut(BaseModel):
    """Somebody was enrolled."""

    kind: Literal["enrolled"] = "enrolled"
    enrolment: int
    name: str
    pictures: int
    expires_at: datetime | None
    people: list[ShownOut]


class VerifiedOut(BaseModel):
    """Whether it is who was claimed."""

    kind: Literal["verified"] = "verified"
    name: str
    verdict: Verdict
    probability: float
    evidence: float = Field(description="Log-likelihood ratio, natural logarithm.")
    people: list[ShownOut]


class IdentifiedOut(BaseModel):
    """Who everybody is."""

    kind: Literal["identified"] = "identified"
    people: list[NamedOut]


class SeveralOut(BaseModel):
    """It was not said who of several people is meant: ask again, with `person`, `largest`, or other frames."""

    kind: Literal["several"] = "several"
    people: list[ShownOut]


class ViewingOut(BaseModel):
    """A question about a film, and how far it is."""

    number: int
    film: str
    what: Literal["enroll", "verify", "identify"]
    asked_at: datetime
    from_frame: int
    to_frame: int
    state: State
    phase: Phase | None
    frame: int = Field(description="The last one that was looked at.")
    share: float = Field(description="Of the frames, 0 to 1.")
    reason: str = Field(description="Why it failed.")
    answer: EnrolledOut | VerifiedOut | IdentifiedOut | SeveralOut | None


def described(one: Viewing) -> ViewingOut:
    """As it is told."""
    return ViewingOut(
        number=one.number,
        film=one.film.film_id,
        what=one.asked.what,
        asked_at=moment(one.asked_at_ns),
        from_frame=one.asked.first,
        to_frame=one.of_frames,
        state=one.state,
        phase=one.phase,
        frame=one.frame,
        share=one.share,
        reason=one.reason,
        answer=None if one.answer is None else _answer(one.answer),
    )


def _answer(answer: Answer) -> EnrolledOut | VerifiedOut | IdentifiedOut | SeveralOut:
    if isinstance(answer, Enrolled):
        return EnrolledOut(
            enrolment=answer.enrolment_id,
            name=answer.name,
            pictures=answer.pictures,
            expires_at=moment_or_none(answer.expires_at_ns),
            people=[_shown(answer.shown)],
        )
    if isinstance(answer, Compared):
        return VerifiedOut(
            name=answer.name,
            verdict=answer.verdict,
            probability=answer.probability,
            evidence=answer.evidence,
            people=[_shown(answer.shown)],
        )
    if isinstance(answer, Several):
        return SeveralOut(people=list(map(_shown, answer.people)))
    return IdentifiedOut(
        people=[
            NamedOut(
                **_shown(one.shown).model_dump(),
                verdict=one.said,
                nobody_known=one.nobody,
                ranking=[NameOut(name=name, probability=probability) for name, probability in one.ranking],
            )
            for one in answer.people
        ]
    )


def _shown(shown: Shown) -> ShownOut:
    return ShownOut(
        from_frame=shown.from_frame,
        to_frame=shown.to_frame,
        box_xyxy=list(shown.box_xyxy),
        crops=len(shown.crops),
    )
