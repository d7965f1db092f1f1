"""A film that was brought, a question about it, and its answer. They cross to the process that looks, as JSON."""

from typing import Literal, TypeAlias

from msgspec import Struct

from hub.enrolment.posterior import SURE, Verdict

Phase: TypeAlias = Literal["loading", "watching", "describing", "comparing"]
"""The networks; the frames, decoded, with the people found in them; their crops, embedded; what is known."""

PHASES: tuple[Phase, ...] = ("loading", "watching", "describing", "comparing")

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]
UNDER_WAY: frozenset[State] = frozenset({"queued", "running"})

MOST_CROPS = 6
"""Of one person, that are shown."""


class Film(Struct, frozen=True, kw_only=True):
    """A film that lies here for a while. `frames` are numbered from 1."""

    film_id: str
    name: str
    """As its owner calls the file."""
    actor: str
    """Who brought it: nobody else sees it."""
    size: int
    """Bytes."""
    frames: int
    fps: float
    width: int
    height: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.frames / self.fps


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done with frames `first` to `last` (from 1, both included; None: to the end)."""

    what: Literal["enroll", "verify", "identify"]
    first: int = 1
    last: int | None = None
    name: str = ""
    """Who it is, or is said to be."""
    reason: str = ""
    days: float = 90.0
    largest: bool = False
    """Of several people the largest is meant."""
    person: int | None = None
    """Or the one of this number, from 1, in what was answered (`Several`) about the same frames."""
    sure: float = SURE


class Shown(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person of the film: between which frames, a typical box in pixels, the best crops as JPEG, best first."""

    from_frame: int
    to_frame: int
    box_xyxy: tuple[float, float, float, float]
    crops: tuple[bytes, ...]


class Enrolled(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Kept under the name."""

    enrolment_id: int
    name: str
    pictures: int
    expires_at_ns: int | None
    shown: Shown


class Compared(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """How probable it is to be who was claimed."""

    name: str
    verdict: Verdict
    probability: float
    evidence: float
    """Log-likelihood ratio (nat)."""
    shown: Shown


class Named(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who one person may be: `said` is a name, `nobody known` or `unsure`; `ranking` best first."""

    said: str
    nobody: float
    ranking: tuple[tuple[str, float], ...]
    shown: Shown


class Identified(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Everybody in it."""

    people: tuple[Named, ...]


class Several(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """More than one person is seen, and it was not said who is meant: ask again."""

    people: tuple[Shown, ...]


Answer: TypeAlias = Enrolled | Compared | Identified | Several


class Word(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the process that looks: how far it is, or at the end the answer, or why there is none."""

    phase: Phase = "loading"
    frame: int = 0
    of_frames: int = 0
    answer: Answer | None = None
    error: str = ""


class Viewing(Struct, frozen=True, kw_only=True):
    """A question, and how far it is."""

    number: int
    film: Film
    asked: Asked
    asked_at_ns: int
    state: State = "queued"
    phase: Phase | None = None
    frame: int = 0
    """The last one that was looked at."""
    of_frames: int = 0
    """The last one that is looked at; 0: not known."""
    reason: str = ""
    """Why it failed."""
    answer: Answer | None = None

    @property
    def share(self) -> float:
        """Of the frames that are looked at, 0-1."""
        if self.state == "done" or self.phase in ("describing", "comparing"):
            return 1.0
        wanted = self.of_frames - self.asked.first + 1
        return min(1.0, max(0, self.frame - self.asked.first + 1) / wanted) if wanted > 0 else 0.0


def shown_in(answer: Answer | None) -> tuple[Shown, ...]:
    """Everybody who is shown in an answer, in its order."""
    if answer is None:
        return ()
    if isinstance(answer, Enrolled | Compared):
        return (answer.shown,)
    if isinstance(answer, Several):
        return answer.people
    return tuple(one.shown for one in answer.people)
