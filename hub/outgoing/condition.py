"""Whether those who are to be told can be reached, said once in the log each time that it changes."""

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

_log = logging.getLogger("passerby.notify")

State: TypeAlias = Literal["untried", "ok", "away"]


class Condition(Struct, frozen=True, kw_only=True):
    """How a receiver is. `reason`: why it is away, in words and without its secrets."""

    state: State
    since_ns: int
    reason: str = ""


class Conditions:
    """Of all receivers, by name. Thread-safe."""

    def __init__(self, names: Iterable[str], *, now_ns: int) -> None:
        self._lock = threading.Lock()
        self._known = {name: Condition(state="untried", since_ns=now_ns) for name in names}

    def put(self, name: str, condition: Condition) -> None:
        """How it is now. The same state as before is from then; another reason alone is no news."""
        with self._lock:
            former = self._known[name]
            if former.state == condition.state:
                self._known[name] = msgspec.structs.replace(former, reason=condition.reason)
                return
            self._known[name] = condition
        if condition.state == "away":
            _log.warning("%s cannot be told: %s; tried again until it can", name, condition.reason)
        elif former.state == "away":
            _log.info("%s is told again, after %.0f s", name, (condition.since_ns - former.since_ns) / 1e9)
        else:
            _log.info("%s is told", name)

    def all(self) -> Mapping[str, Condition]:
        """As of now."""
        with self._lock:
            return dict(self._known)
