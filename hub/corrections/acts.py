"""What an operator may ask of the hub, and what comes of it: as it travels, and as it is kept on record."""

from typing import Literal, TypeAlias

from msgspec import Struct

from hub.records import ActId, EventId, NameId, TrackletNumber
from passerby.config import TransitSettings
from passerby.ids import CameraId, IdentityId, ModelId

AnswerWord: TypeAlias = Literal["same", "different", "unsure"]


class Merge(Struct, frozen=True, tag="merge", kw_only=True):
    """`absorbed` is `survivor`: everything of it belongs there."""

    survivor: IdentityId
    absorbed: IdentityId


class Split(Struct, frozen=True, tag="split", kw_only=True):
    """These tracklets of `identity` are another person."""

    identity: IdentityId
    tracklets: tuple[TrackletNumber, ...]


class Reject(Struct, frozen=True, tag="reject", kw_only=True):
    """The person of `tracklet` is not `identity`; where it is in there, it leaves."""

    tracklet: TrackletNumber
    identity: IdentityId


class Answer(Struct, frozen=True, tag="answer", kw_only=True):
    """Whether the two of the `candidate` event are one person."""

    candidate: EventId
    answer: AnswerWord


class Rename(Struct, frozen=True, tag="rename", kw_only=True):
    """Give `identity` a name; None takes it away. On record the name is left out: `name_id` tells which it was."""

    identity: IdentityId
    name: str | None = None
    name_id: NameId | None = None


class Undo(Struct, frozen=True, tag="undo", kw_only=True):
    """Take an event back; if `whole`, everything that was decided together with it."""

    event: EventId
    whole: bool = False


class Erase(Struct, frozen=True, tag="erase", kw_only=True):
    """Let nothing be left of `identity` but its number."""

    identity: IdentityId


class ResetCamera(Struct, frozen=True, tag="reset-camera", kw_only=True):
    """`camera` was moved: what was learned of its colours and light holds no more."""

    camera: CameraId


class SetTransit(Struct, frozen=True, tag="set-transit", kw_only=True):
    """What is known of getting from one camera to another, in place of what was said of it before."""

    word: TransitSettings


class Stage(Struct, frozen=True, tag="stage", kw_only=True):
    """Let a model be tried or used: `shadow`, nothing depends on it; `canary`, by these cameras; `promoted`, by all."""

    model: ModelId
    stage: Literal["shadow", "canary", "promoted"]
    cameras: tuple[CameraId, ...] = ()
    reason: str = ""
    force: bool = False
    """Also where many of the people who are known would not be found again."""


class Rollback(Struct, frozen=True, tag="rollback", kw_only=True):
    """End the trial of a model; without one, use the model again that was used before."""

    reason: str = ""


Act: TypeAlias = Merge | Split | Reject | Answer | Rename | Undo | Erase | ResetCamera | SetTransit | Stage | Rollback


class Erased(Struct, frozen=True, kw_only=True):
    """What is gone for good."""

    identities: tuple[IdentityId, ...]
    """The one named, and those that had been merged into it."""
    tracklets: int
    names: int
    from_statistics: int
    """People whom the cameras' statistics have forgotten for it."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What an act has come to."""

    act_id: ActId
    first_event: EventId | None = None
    last_event: EventId | None = None
    """The events that it made are those from `first_event` to `last_event`; None: it made none."""
    erased: Erased | None = None


class CarriedOut(Struct, frozen=True, kw_only=True):
    """An act on record."""

    request_id: str
    """Given by who asked: the same request is carried out once."""
    at_ns: int
    actor: str
    act: Act
    outcome: Outcome
