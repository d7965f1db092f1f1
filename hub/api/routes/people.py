"""People by picture: whom a picture shows, who is enrolled, whether it is who is claimed."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Path, Response, UploadFile
from pydantic import BaseModel, Field

from hub.api.doors import Caller, Operator, Viewer, unscoped
from hub.api.pictures import LONGEST_BYTES, picture_of
from hub.api.plain import moment, moment_or_none, wanted_sightings
from hub.api.problems import ProblemError, not_found
from hub.api.routes.cameras import JPEG
from hub.api.routes.tracklets import TrackletOut
from hub.api.routes.tracklets import described as described_tracklet
from hub.association.appearance import Known
from hub.enrolment.identifying import all_at_once
from hub.enrolment.identifying import identify as identify_all
from hub.enrolment.likeness import Likeness, by_name
from hub.enrolment.posterior import SURE, Verdict, verdict, verified
from hub.enrolment.records import Enrolment, checked_name, checked_reason
from hub.enrolment.search import Where, search
from hub.enrolment.store import EnrolmentStore, delete_expired, read_enrolments
from hub.listing import Wanted
from hub.services import Eyes, SeenPerson
from passerby.arrays import Image

router = APIRouter(tags=["people"])

_DAY_NS = 86_400 * 10**9
_MOST_PICTURES = 20
_MOST_SIGHTINGS = 20

Picture = Annotated[UploadFile, File(description="JPEG, PNG or WebP.")]
Pictures = Annotated[list[UploadFile], File(description="JPEG, PNG or WebP, at most 20.", max_length=_MOST_PICTURES)]
Whole = Annotated[bool, Form(description="All of the picture is one person, cut out already.")]
Box = Annotated[
    str,
    Form(
        pattern=r"^(\d{1,6},\d{1,6},\d{1,6},\d{1,6})?$",
        description="`left,top,right,bottom` in pixels: what is in it is one person, and the rest is not looked at.",
    ),
]
Most = Annotated[int, Form(ge=1, le=100, description="How many at most of each person.")]
Sure = Annotated[float, Form(ge=0.5, le=1.0, description="The probability from which on it is said.")]
PathName = Annotated[str, Path(min_length=1, max_length=200)]


class FoundOut(BaseModel):
    """Somebody whom the picture may show."""

    identity: int
    name: str | None
    probability: float
    sightings: list[TrackletOut] = Field(description="There and then, by their time, the latest twenty.")


class SearchedOut(BaseModel):
    """One person in the picture."""

    box_xyxy: list[float]
    searched: int = Field(description="Among so many identities.")
    nobody: float = Field(description="The probability that it is none of them.")
    found: list[FoundOut] = Field(description="The most probable first.")


class EnrolmentOut(BaseModel):
    """Pictures that somebody has given a name."""

    id: int
    name: str
    reason: str
    model: str
    enrolled_at: datetime
    expires_at: datetime | None
    pictures: int
    quality: list[float]


class Gone(BaseModel):
    """What was deleted."""

    removed: int


class Verified(BaseModel):
    """Whether it is who was claimed."""

    name: str
    verdict: Verdict
    probability: float
    evidence: float = Field(description="Log-likelihood ratio, natural logarithm.")


class Ranked(BaseModel):
    """A name that it may be."""

    name: str
    probability: float


class Identified(BaseModel):
    """Who one person in the picture may be."""

    box_xyxy: list[float]
    verdict: str = Field(description="A name, `nobody known`, or `unsure`.")
    nobody_known: float
    ranking: list[Ranked]


@router.post("/search", summary="Whom does a picture show?")
def search_picture(
    who: Operator,
    picture: Picture,
    wanted: Annotated[Wanted, Depends(wanted_sightings)],
    *,
    whole: Whole = False,
    box: Box = "",
    most: Most = 5,
) -> list[SearchedOut]:
    """The most probable of all who were ever seen, for everybody in the picture, or for who is in a box of it.

    The picture may be a camera's `snapshot`, or a frame of a film.
    """
    image, corner = _read(picture), (0.0, 0.0)
    if box:
        image, corner = _cut(image, box)
    cameras = (wanted.camera,) if wanted.camera else tuple(sorted(who.scope or ()))
    if who.scope is not None and not all(map(who.sees, cameras or (None,))):
        raise not_found(f"camera {wanted.camera}")
    where = Where(cameras=cameras, from_ns=wanted.from_ns, to_ns=wanted.to_ns)
    who.services.reader()  # says what is wrong where there are no data, before networks are loaded
    eyes = who.services.eyes()
    people, likeness = eyes.people(image, name="the picture", whole=whole or bool(box)), eyes.likeness()
    answers = [
        (one, search(who.services.data_dir, _known(one, likeness), likeness=likeness, where=where, most=most))
        for one in people
    ]
    who.did("search", [f"identity:{f.identity.identity_id}" for _, answer in answers for f in answer.found])
    return [
        SearchedOut(
            box_xyxy=_box(one, corner),
            searched=answer.searched,
            nobody=answer.nobody,
            found=[
                FoundOut(
                    identity=found.identity.identity_id,
                    name=found.identity.name,
                    probability=found.probability,
                    sightings=[described_tracklet(t) for t in found.sightings[-_MOST_SIGHTINGS:]],
                )
                for found in answer.found
            ],
        )
        for one, answer in answers
    ]


@router.get("/enrolments", summary="Who is enrolled")
def enrolments(who: Viewer) -> list[EnrolmentOut]:
    """By name; several of a name add up."""
    unscoped(who)
    return [_described(one) for one in _enrolled(who)]


@router.post("/enrolments", summary="Enroll somebody by pictures", status_code=201)
def enroll(
    who: Operator,
    name: Annotated[str, Form(min_length=1, max_length=200)],
    pictures: Pictures,
    *,
    reason: Annotated[str, Form(max_length=500, description="Why they are to be recognized.")] = "",
    days: Annotated[float, Form(ge=0, le=36_500, allow_inf_nan=False, description="0: until removed.")] = 90.0,
    whole: Whole = False,
) -> EnrolmentOut:
    """Each picture shows one person, the one who is enrolled; embeddings and crops are kept under the name."""
    unscoped(who)
    named, why = checked_name(name), checked_reason(reason)
    images = [_read(one) for one in pictures]
    eyes = who.services.eyes()
    looks = [_only(eyes, image, number, whole=whole).look for number, image in enumerate(images, 1)]
    now_ns = time.time_ns()
    with EnrolmentStore(who.services.data_dir, now_ns=now_ns) as store:
        expires_at_ns = now_ns + round(days * _DAY_NS) if days else None
        added = store.add(named, looks, model_id=eyes.model_id, reason=why, expires_at_ns=expires_at_ns)
    who.did("enrolments.add", [f"enrolment:{added.enrolment_id}"])
    return _described(added)


@router.get("/enrolments/{name}/picture", summary="Whom a name means", response_class=Response, responses=JPEG)
def picture(who: Viewer, name: PathName) -> Response:
    """The best picture of all enrolments of the name, as JPEG."""
    unscoped(who)
    mine = _named(who, name)
    best = max((one for enrolment in mine for one in enrolment.pictures), key=lambda one: one.quality)
    who.viewed("enrolments.view", f"enrolment:{mine[0].enrolment_id}")
    return Response(best.jpeg, media_type="image/jpeg")


@router.delete("/enrolments/{name}", summary="Forget somebody who is enrolled")
def remove(who: Operator, name: PathName) -> Gone:
    """All enrolments of the name are deleted for good."""
    unscoped(who)
    mine = _named(who, name)
    with EnrolmentStore(who.services.data_dir, now_ns=time.time_ns()) as store:
        gone = store.remove(mine[0].name)
    who.did("enrolments.remove", [f"enrolment:{one.enrolment_id}" for one in mine])
    return Gone(removed=gone)


@router.post("/enrolments/{name}/verify", summary="Is it who is claimed?")
def verify(who: Operator, name: PathName, pictures: Pictures, sure: Sure = SURE, whole: Whole = False) -> Verified:
    """How probable it is that the pictures show an enrolled person, if that was as likely as not before."""
    unscoped(who)
    mine = _named(who, name)
    images = [_read(one) for one in pictures]
    eyes = who.services.eyes()
    likeness = eyes.likeness()
    seen = [k for n, image in enumerate(images, 1) for k in _known(_only(eyes, image, n, whole=whole), likeness)]
    claimed = _comparable(mine, likeness)[mine[0].name]
    evidence = likeness.evidence(claimed, seen)
    who.did("verify", [f"enrolment:{one.enrolment_id}" for one in mine])
    probability = verified(evidence)
    return Verified(
        name=mine[0].name, verdict=verdict(probability, sure=sure), probability=probability, evidence=evidence
    )


@router.post("/identify", summary="Who of the enrolled does a picture show?")
def identify(who: Operator, picture: Picture, sure: Sure = SURE, whole: Whole = False) -> list[Identified]:
    """Everybody in the picture, who have different names; nobody known is an outcome of its own."""
    unscoped(who)
    image = _read(picture)
    enrolled = _enrolled(who)
    if not enrolled:
        raise ProblemError(409, "nobody is enrolled")
    eyes = who.services.eyes()
    likeness = eyes.likeness()
    known = _comparable(enrolled, likeness)
    people = eyes.people(image, name="the picture", whole=whole)
    found = identify_all(known, [_known(one, likeness) for one in people], all_at_once(len(people)), likeness=likeness)
    who.did("identify")
    return [
        Identified(
            box_xyxy=_box(person),
            verdict=one.said(sure),
            nobody_known=one.nobody,
            ranking=[Ranked(name=name, probability=probability) for name, probability in one.ranking],
        )
        for person, one in zip(people, found, strict=True)
    ]


def _read(upload: UploadFile) -> Image:
    return picture_of(upload.file.read(LONGEST_BYTES + 1), name="the picture")


def _only(eyes: Eyes, image: Image, number: int, *, whole: bool) -> SeenPerson:
    people = eyes.people(image, name=f"picture {number}", whole=whole)
    if len(people) > 1:
        raise ProblemError(
            422, f"{len(people)} people are seen in picture {number}; cut out the one who is meant, and send `whole`"
        )
    return people[0]


def _known(person: SeenPerson, likeness: Likeness) -> list[Known]:
    return [likeness.known(person.look, origin="seen")]


def _box(person: SeenPerson, corner: tuple[float, float] = (0.0, 0.0)) -> list[float]:
    return [round(float(value) + off, 1) for value, off in zip(person.box_xyxy, corner * 2, strict=True)]


def _cut(image: Image, box: str) -> tuple[Image, tuple[float, float]]:
    """What is in the box, and its left top corner in the picture."""
    height, width = image.shape[:2]
    left, top, right, bottom = (int(value) for value in box.split(","))
    right, bottom = min(right, width), min(bottom, height)
    if left >= right or top >= bottom:
        raise ProblemError(422, f"box {box} has nothing of the picture, which is {width} x {height}")
    return image[top:bottom, left:right], (float(left), float(top))


def _enrolled(who: Caller) -> Sequence[Enrolment]:
    now_ns = time.time_ns()
    delete_expired(who.services.data_dir, now_ns=now_ns)
    return read_enrolments(who.services.data_dir, now_ns=now_ns)


def _named(who: Caller, name: str) -> Sequence[Enrolment]:
    mine = [one for one in _enrolled(who) if one.name == name.strip()]
    if not mine:
        raise not_found("enrolment of that name")
    return mine


def _comparable(enrolled: Sequence[Enrolment], likeness: Likeness) -> Mapping[str, list[Known]]:
    people = by_name(enrolled, likeness)
    if not people:
        raise ProblemError(409, f"everybody is enrolled with another model than {likeness.model_id}; enroll anew")
    return people


def _described(one: Enrolment) -> EnrolmentOut:
    return EnrolmentOut(
        id=one.enrolment_id,
        name=one.name,
        reason=one.reason,
        model=one.model_id,
        enrolled_at=moment(one.enrolled_at_ns),
        expires_at=moment_or_none(one.expires_at_ns),
        pictures=len(one.pictures),
        quality=[round(picture.quality, 4) for picture in one.pictures],
    )
