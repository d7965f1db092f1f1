"""What `enroll`, `verify` and `identify` answer, and their likes of the web."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hub.association.appearance import Known
from hub.enrolment.identifying import Identification, identify
from hub.enrolment.records import Enrolment
from hub.enrolment.store import EnrolmentStore
from passerby.cli.looking.claimed import everybody, one_of
from passerby.cli.looking.people import Person
from passerby.cli.looking.session import Eyes, Viewed

_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True, slots=True, eq=False)
class NamedPerson:
    """Whom one person of a film or picture may be."""

    source: str
    person: Person
    identification: Identification


def enroll(eyes: Eyes, people: Sequence[Person], *, name: str, reason: str, days: float) -> Enrolment:
    """Keep the looks of a person under a name, for so many days, or with 0 until removed. Raises StoreError."""
    now_ns = time.time_ns()
    with EnrolmentStore(eyes.data, now_ns=now_ns) as store:
        return store.add(
            name,
            [look for person in people for look in person.looks],
            model_id=eyes.model_id,
            reason=reason,
            expires_at_ns=now_ns + round(days * _DAY_NS) if days else None,
        )


def compare(eyes: Eyes, people: Sequence[Person], *, name: str) -> float:
    """The log-likelihood ratio (nat) that a person is who is claimed. Raises DataError where nobody is enrolled so."""
    claimed = one_of(eyes.data, name, likeness=eyes.likeness)
    return eyes.likeness.evidence(claimed, [known for person in people for known in eyes.known(person)])


def name_everybody(eyes: Eyes, viewed: Sequence[Viewed]) -> list[NamedPerson]:
    """Who of the enrolled everybody is; those of one film or picture are considered together.

    Raises DataError where nobody is enrolled.
    """
    known = everybody(eyes.data, eyes.likeness)
    return [named for one in viewed for named in name_together(eyes, one, known=known)]


def name_together(eyes: Eyes, viewed: Viewed, *, known: Mapping[str, Sequence[Known]]) -> list[NamedPerson]:
    """The people of one film or picture, by what is known of each name; of two seen at once no two have one name."""
    people = viewed.people
    at_once = np.array([[one is not other and one.seen_with(other) for other in people] for one in people])
    found = identify(known, [eyes.known(person) for person in people], at_once, likeness=eyes.likeness)
    return [NamedPerson(viewed.source, person, who) for person, who in zip(people, found, strict=True)]
