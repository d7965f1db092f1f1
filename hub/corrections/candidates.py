"""The review queue: pairs of people of whom the hub asks whether they are one, as long as nobody has said."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.corrections.acts import AnswerWord
from hub.corrections.archive import survivor_of_number
from hub.corrections.constraints import Constraints
from hub.reader import SiteReader
from hub.records import Event, EventId, IdentityState, Tracklet
from passerby.ids import IdentityId


@dataclass(frozen=True, slots=True)
class Candidate:
    """Is the person of `tracklet`, now `identity`, the same as `other`? `event` is the latest that asks it."""

    event: Event
    tracklet: Tracklet
    identity: IdentityId
    other: IdentityId
    answer: AnswerWord | None
    """What was said so far, if anything: `unsure`."""


def open_candidates(reader: SiteReader, *, unsure: bool = False) -> Sequence[Candidate]:
    """What is still to be said, in the order in which it was asked; with `unsure` also where somebody was unsure.

    Two people are asked about once, however many events ask; not those who are one by now, who have been told apart, or
    of whom one is erased.
    """
    constraints, answers = reader.constraints(), reader.answers()
    found: dict[tuple[IdentityId, IdentityId], Candidate] = {}
    silenced: set[tuple[IdentityId, IdentityId]] = set()
    for event in reader.candidates():
        candidate = _standing(event, reader, answer=answers.get(event.event_id))
        if candidate is None or _settled(candidate, constraints):
            continue
        first, second = sorted((candidate.identity, candidate.other))
        found.pop((first, second), None)
        found[first, second] = candidate
        if candidate.answer is not None:
            silenced.add((first, second))
    return [candidate for pair, candidate in found.items() if unsure or pair not in silenced]


def candidate_of(reader: SiteReader, event_id: EventId) -> Candidate | None:
    """A candidate by its event, if it still asks something."""
    event = reader.event(event_id)
    return None if event is None else _standing(event, reader, answer=reader.answers().get(event_id))


def _standing(event: Event, reader: SiteReader, *, answer: AnswerWord | None) -> Candidate | None:
    tracklet = None if event.tracklet is None else reader.tracklet(event.tracklet)
    if tracklet is None or tracklet.identity_id is None or event.other_identity_id is None:
        return None
    other = survivor_of_number(reader, event.other_identity_id)
    identity = reader.identity(tracklet.identity_id)
    if other is None or identity is None or identity.state is IdentityState.ERASED:
        return None
    if identity.identity_id == other.identity_id:
        return None
    # Of any other answer the effect would stand here: it has been taken back, and the question is open again.
    unsure = answer if answer == "unsure" else None
    return Candidate(event, tracklet, identity.identity_id, other.identity_id, unsure)


def _settled(candidate: Candidate, constraints: Constraints) -> bool:
    return constraints.cannot_be_one(candidate.identity, candidate.other)
