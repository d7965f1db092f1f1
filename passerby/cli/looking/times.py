"""Times as people write them."""

from datetime import datetime

from passerby.errors import ConfigError


def moment_ns(text: str, *, option: str) -> int:
    """`2026-05-01 14:30` or RFC 3339, in this machine's zone unless it says its own, in Unix nanoseconds.

    Raises ConfigError.

    >>> moment_ns("1970-01-01T00:00:01Z", option="--from")
    1000000000
    """
    try:
        moment = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise ConfigError(f"{option} is {text!r}, expected a date and time, as '2026-05-01 14:30'") from None
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000
