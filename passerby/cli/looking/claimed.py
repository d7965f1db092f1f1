"""Those who are enrolled, as what can be compared with them."""

import time
from collections.abc import Mapping
from pathlib import Path

from hub.association.appearance import Known
from hub.enrolment.likeness import Likeness, by_name
from hub.enrolment.store import delete_expired, read_enrolments
from passerby.errors import DataError


def everybody(data: Path, likeness: Likeness) -> Mapping[str, list[Known]]:
    """What is known of each name. Raises DataError where nobody can be compared, which says why."""
    now_ns = time.time_ns()
    delete_expired(data, now_ns=now_ns)
    enrolments = read_enrolments(data, now_ns=now_ns)
    if not enrolments:
        raise DataError(f"nobody is enrolled in {data}; `passerby enroll NAME --video FILE` does it")
    people = by_name(enrolments, likeness)
    if not people:
        models = ", ".join(sorted({one.model_id for one in enrolments}))
        raise DataError(f"everybody is enrolled with {models}, which {likeness.model_id} cannot compare; enroll anew")
    return people


def one_of(data: Path, name: str, *, likeness: Likeness) -> list[Known]:
    """What is known of one name. Raises DataError where that is nothing."""
    people = everybody(data, likeness)
    if name not in people:
        raise DataError(f"nobody is enrolled as {name!r} with {likeness.model_id}; known: {', '.join(people)}")
    return people[name]
