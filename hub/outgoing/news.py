"""What is told, as it leaves the site: ids, cameras and numbers; no name, picture or embedding of anybody."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from hub.health import Grade
from hub.records import Event, EventKind
from hub.rollout import RolloutStep
from passerby.adaptation.job import UNDER_WAY, JobProgress
from passerby.config.outgoing import NewsKind
from passerby.ids import CameraId, ModelId

WHO_IS_WHO = (
    EventKind.CREATED,
    EventKind.LINKED,
    EventKind.MERGED,
    EventKind.SPLIT,
    EventKind.RESTORED,
    EventKind.ERASED,
)
"""Events that change whose tracklets are whose: who follows them all knows it as the hub does."""

_JOINING = (EventKind.LINKED, EventKind.CANDIDATE, EventKind.MERGED)
"""Events that say of two that they are, or may be, one: with a probability."""

_ASSOCIATION: NewsKind = "association"
_KINDS: Mapping[EventKind, NewsKind] = {EventKind.CANDIDATE: "candidate", **dict.fromkeys(WHO_IS_WHO, _ASSOCIATION)}

_TOLD_STAGES = ("canary", "promoted", "withdrawn")
"""Nothing depends on a model in the shadow."""


class AssociationNews(Struct, frozen=True, kw_only=True):
    """An event of the log (`hub.records.Event`): somebody is new, was linked, merged, split, or may be another."""

    event: int
    what: EventKind
    identity: int
    other_identity: int | None
    tracklet: int | None
    tracklets: tuple[int, ...]
    camera: CameraId | None
    probability: float | None
    """That the two are one; None where it is not about two."""
    by: Literal["hub", "operator"]
    evidence: str
    """Where the REST interface says why."""


class CameraNews(Struct, frozen=True, kw_only=True):
    """A camera went, or came back."""

    camera: CameraId
    online: bool
    state: str
    """As the edge says it; `silent`: it says nothing any more; `unknown`: it never did."""
    detail: str
    fps: float
    expected_fps: float
    health: Grade | None


class AdaptationNews(Struct, frozen=True, kw_only=True):
    """An adaptation has ended (`passed`, `refused`, `failed`, `cancelled`), or another model is used than before."""

    what: str
    adaptation: int | None
    model: ModelId | None
    cameras: tuple[CameraId, ...]
    """Those that use it on trial; none: all."""
    reason: str


News: TypeAlias = AssociationNews | CameraNews | AdaptationNews


class Draft(Struct, frozen=True, kw_only=True):
    """News on their way into the outbox."""

    kind: NewsKind
    at_ns: int
    news: News

    def encoded(self) -> bytes:
        """The news as JSON."""
        return msgspec.json.encode(self.news)


class Message(Struct, frozen=True, kw_only=True):
    """News in the outbox. `message_id` is the same however often they are sent, and of no other message ever."""

    number: int
    message_id: str
    kind: str
    at_ns: int
    news: msgspec.Raw

    def body(self, site: str) -> bytes:
        """What is sent, JSON."""
        told = {"id": self.message_id, "kind": self.kind, "at": stamp(self.at_ns), "site": site, "news": self.news}
        return msgspec.json.encode(told)


def drafts_of_event(event: Event) -> list[Draft]:
    """One, or none where the event changes nothing of who is who."""
    kind = _KINDS.get(event.kind)
    if kind is None:
        return []
    news = AssociationNews(
        event=event.event_id,
        what=event.kind,
        identity=event.identity_id,
        other_identity=event.other_identity_id,
        tracklet=event.tracklet,
        tracklets=event.tracklets,
        camera=event.camera_id,
        probability=event.evidence.probability if event.kind in _JOINING else None,
        by="hub" if event.act_id is None else "operator",
        evidence=f"/api/v1/associations/{event.event_id}/evidence",
    )
    return [Draft(kind=kind, at_ns=event.at_ns, news=news)]


def drafts_of_job(number: int, progress: JobProgress) -> list[Draft]:
    """One of an adaptation that has ended, none before."""
    if progress.state in UNDER_WAY:
        return []
    news = AdaptationNews(
        what=progress.state, adaptation=number, model=progress.model_id, cameras=(), reason=progress.reason
    )
    return [Draft(kind="adaptation", at_ns=progress.at_ns, news=news)]


def drafts_of_rollout(step: RolloutStep) -> list[Draft]:
    """One of a step that cameras notice."""
    if step.stage not in _TOLD_STAGES:
        return []
    news = AdaptationNews(what=step.stage, adaptation=None, model=step.model_id, cameras=step.cameras, reason="")
    return [Draft(kind="adaptation", at_ns=step.at_ns, news=news)]


def stamp(at_ns: int) -> str:
    """Unix nanoseconds as RFC 3339 in UTC, to a millisecond.

    >>> stamp(1_500_000_000)
    '1970-01-01T00:00:01.500Z'
    """
    whole, rest = divmod(at_ns, 10**9)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 10**6:03d}Z"
