"""What all routes speak: times, numbers, names and pages."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar

from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from hub.api.problems import ProblemError
from hub.listing import Wanted
from passerby.ids import CameraId

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 2**53 - 1
"""Numbers up to here are exact in JSON."""

Number = Annotated[int, Field(ge=1, le=_MOST)]
PathNumber = Annotated[int, Path(ge=1, le=_MOST)]
CropNumber = Annotated[int, Path(ge=0, le=_MOST)]
CameraName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
PathCamera = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Cursor = Annotated[str | None, Query(max_length=64, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """Some of many."""

    items: list[Item]
    next: str | None = Field(description="What `cursor` is for the next page; null: this is the last one.")


def moment(at_ns: int) -> datetime:
    """Unix nanoseconds as a time in UTC, to a microsecond.

    >>> moment(1_500_000_000).isoformat()
    '1970-01-01T00:00:01.500000+00:00'
    """
    return _EPOCH + timedelta(microseconds=at_ns // 1000)


def moment_or_none(at_ns: int | None) -> datetime | None:
    """The same of what may not be; 0 is what an edge says for never."""
    return moment(at_ns) if at_ns else None


def nanoseconds(at: datetime) -> int:
    """A time as Unix nanoseconds, within 64 bits."""
    whole = (at - _EPOCH) // timedelta(microseconds=1) * 1000
    return max(-(2**63), min(2**63 - 1, whole))


def wanted_sightings(
    camera: Annotated[CameraName | None, Query(description="Seen there.")] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="Seen then or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="Seen then or earlier.")] = None,
) -> Wanted:
    """The query parameters `camera`, `from` and `to`. Raises ProblemError where `to` is before `from`."""
    if since is not None and until is not None and until < since:
        raise ProblemError(422, f"`to` {until.isoformat()} is before `from` {since.isoformat()}")
    return Wanted(
        camera=None if camera is None else CameraId(camera),
        from_ns=None if since is None else nanoseconds(since),
        to_ns=None if until is None else nanoseconds(until),
    )


def page_of(found: Sequence[Item], *, limit: int, key: Callable[[Item], int]) -> Page[Item]:
    """`found` has one more than `limit` where there is a next page. `key` is what the cursor stands for."""
    more = len(found) > limit
    return Page(items=list(found[:limit]), next=_cursor(key(found[limit - 1])) if more else None)


def place_of(cursor: str | None) -> int | None:
    """What a cursor stands for. Raises ProblemError for what is none.

    >>> place_of(_cursor(12)), place_of(None)
    (12, None)
    """
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
        place = int(text) if text.isdigit() and len(text) < 17 else -1
    except (UnicodeError, binascii.Error, ValueError):
        place = -1
    if place < 0:
        raise ProblemError(422, "`cursor` is none that was given as `next`")
    return place


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode()
