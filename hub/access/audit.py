"""The record of what was done with a site: who, what, when, about which ids. Of who is watched it holds no name."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, delete, func, insert, select
from sqlalchemy.exc import DatabaseError

from hub.access import schema
from hub.access.records import AuditEntry
from hub.corrections.acts import Act, Answer, Outcome, SetTransit, Split
from passerby.errors import StoreError

_DAY_NS = 86_400 * 10**9
_AGAIN_AFTER_NS = 600 * 10**9
_MOST_RECENT = 5000
_MOST_OBJECTS = 200
_OBJECTS = {
    "survivor": "identity",
    "absorbed": "identity",
    "identity": "identity",
    "tracklet": "tracklet",
    "candidate": "event",
    "event": "event",
    "camera": "camera",
}
"""What the fields of an act name."""


class AuditLog:
    """Appends and reads. Safe to use from several threads. Entries older than `kept_days` go, once a day; 0: none."""

    def __init__(self, engine: Engine, *, name: str, kept_days: float = 0.0) -> None:
        self._engine = engine
        self._name = name
        self._recent: OrderedDict[tuple[str, str, str], int] = OrderedDict()
        self._lock = threading.Lock()
        self._kept_ns = round(kept_days * _DAY_NS)
        self._forgets_at_ns = 0

    def put(
        self,
        action: str,
        *,
        actor: str,
        objects: Sequence[str] = (),
        detail: str = "",
        address: str = "",
        now_ns: int | None = None,
    ) -> None:
        """Put down that `actor` did something. Raises StoreError: what cannot be put down should not be done."""
        row = {
            "at_ns": time.time_ns() if now_ns is None else now_ns,
            "actor": actor,
            "action": action,
            "objects": msgspec.json.encode(list(objects[:_MOST_OBJECTS])).decode(),
            "detail": detail,
            "address": address,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(schema.audit), [row])
        except DatabaseError as error:
            raise StoreError(f"{self._name}: cannot keep the record of what was done: {error.orig}") from error
        if self._kept_ns and time.time_ns() >= self._forgets_at_ns:
            self._forgets_at_ns = time.time_ns() + _DAY_NS
            self.forget_before(time.time_ns() - self._kept_ns)

    def put_view(self, action: str, seen: str, *, actor: str, address: str = "") -> None:
        """Put down that `actor` looked at something; once in ten minutes, however often a page asks for it."""
        now_ns = time.time_ns()
        key = (actor, action, seen)
        with self._lock:
            last = self._recent.get(key)
            if last is not None and 0 <= now_ns - last < _AGAIN_AFTER_NS:
                return
            self._recent[key] = now_ns
            self._recent.move_to_end(key)
            while len(self._recent) > _MOST_RECENT:
                self._recent.popitem(last=False)
        self.put(action, actor=actor, objects=(seen,), address=address, now_ns=now_ns)

    def put_correction(self, act: Act, outcome: Outcome, *, actor: str, address: str = "") -> None:
        """Put down an operator's act by the number that the hub has given it."""
        kind = act.__struct_config__.tag
        about = [*_about(act), f"act:{outcome.act_id}"]
        if outcome.first_event is not None:
            about.append(f"event:{outcome.first_event}")
        detail = act.answer if isinstance(act, Answer) else ""
        self.put(f"correction.{kind}", actor=actor, objects=about, detail=detail, address=address)

    def entries(
        self, *, before: int | None = None, limit: int = 100, actor: str | None = None, action: str | None = None
    ) -> Sequence[AuditEntry]:
        """The latest first: those with an id below `before`; of one actor, and of actions that begin so."""
        table = schema.audit
        wanted = select(table).order_by(table.c.entry_id.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(table.c.entry_id < before)
        if actor is not None:
            wanted = wanted.where(table.c.actor == actor)
        if action is not None:
            wanted = wanted.where(table.c.action.startswith(action, autoescape=True))
        try:
            with self._engine.connect().execution_options(reads=True) as connection:
                return [_entry(row) for row in connection.execute(wanted)]
        except DatabaseError as error:
            raise StoreError(f"{self._name}: cannot read the audit log: {error.orig}") from error

    def oldest_ns(self) -> int | None:
        """When the oldest entry was put down; None: there is none."""
        try:
            with self._engine.connect().execution_options(reads=True) as connection:
                oldest: int | None = connection.scalar(select(func.min(schema.audit.c.at_ns)))
                return oldest
        except DatabaseError as error:
            raise StoreError(f"{self._name}: cannot read the audit log: {error.orig}") from error

    def forget_before(self, at_ns: int) -> None:
        """Delete what is older."""
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(schema.audit).where(schema.audit.c.at_ns < at_ns))
        except DatabaseError as error:
            raise StoreError(f"{self._name}: cannot delete old entries of the audit log: {error.orig}") from error


def _about(act: Act) -> list[str]:
    if isinstance(act, SetTransit):
        return [f"camera:{act.word.before}", f"camera:{act.word.after}"]
    named = [f"{_OBJECTS[name]}:{getattr(act, name)}" for name in act.__struct_fields__ if name in _OBJECTS]
    return [*named, *(f"tracklet:{number}" for number in (act.tracklets if isinstance(act, Split) else ()))]


def _entry(row: Row[Any]) -> AuditEntry:
    values = dict(row._mapping)
    return AuditEntry(**{**values, "objects": msgspec.json.decode(values["objects"], type=tuple[str, ...])})
