"""When an adaptation is due by itself."""

import re
from datetime import datetime, timedelta

PATTERN = r"^(manual|every [1-9][0-9]{0,3} h|daily ([01][0-9]|2[0-3]):[0-5][0-9])$"
"""`manual`, `every 12 h`, `daily 03:30` (local time)."""

_DAILY = re.compile(r"daily (\d\d):(\d\d)")
_EVERY = re.compile(r"every (\d+) h")


def next_time(schedule: str, *, last: datetime) -> datetime | None:
    """The first time after `last` at which one is due; None for `manual`. Times are the machine's local ones.

    >>> next_time("every 12 h", last=datetime(2026, 5, 1, 8)), next_time("manual", last=datetime(2026, 5, 1))
    (datetime.datetime(2026, 5, 1, 20, 0), None)
    >>> next_time("daily 03:30", last=datetime(2026, 5, 1, 3, 30))
    datetime.datetime(2026, 5, 2, 3, 30)
    """
    every = _EVERY.fullmatch(schedule)
    if every is not None:
        return last + timedelta(hours=int(every.group(1)))
    daily = _DAILY.fullmatch(schedule)
    if daily is None:
        return None
    at = last.replace(hour=int(daily.group(1)), minute=int(daily.group(2)), second=0, microsecond=0)
    return at if at > last else at + timedelta(days=1)
