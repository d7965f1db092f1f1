"""What is to be told, on disk until everybody concerned has taken it: `outgoing.sqlite` of a data folder.

Each receiver has a place in it, kept after every message that it took. So each is told everything at least once, also
when this process dies in between; what comes twice has the same id. The outbox is bounded: what was waited for too long
goes, and is counted for whoever has missed it.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DatabaseError

from hub.outgoing import outbox_file as tables
from hub.outgoing.news import Draft, Message
from hub.outgoing.outbox_file import open_outbox
from passerby.config.outgoing import NewsKind
from passerby.errors import StoreError

FILE_NAME = "outgoing.sqlite"
MOST_MESSAGES = 10_000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a receiver is. `dropped`: messages that it refused, or that waited for too long."""

    delivered: int
    dropped: int
    waiting: int


class Outbox:
    """Safe to use from several threads of the one process that has it. Every method raises StoreError."""

    def __init__(self, data_dir: Path, *, most: int = MOST_MESSAGES) -> None:
        self._file = data_dir / FILE_NAME
        self._most = most
        self._engine = open_outbox(self._file)
        self._box = self.fact("box") or ""
        if not self._box:
            self._box = secrets.token_hex(4)
            self.put([], facts={"box": self._box})

    def put(self, drafts: Sequence[Draft], *, facts: Mapping[str, str]) -> None:
        """Add messages, and say how far their sources were looked at: both or neither."""

        def write(connection: Connection) -> None:
            if drafts:
                rows = [{"at_ns": one.at_ns, "kind": one.kind, "news": one.encoded()} for one in drafts]
                connection.execute(insert(tables.messages), rows)
                self._bound(connection)
            for key, value in facts.items():
                statement = upsert(tables.facts).values(key=key, value=value)
                statement = statement.on_conflict_do_update(index_elements=["key"], set_={"value": value})
                connection.execute(statement)

        self._ask(write)

    def fact(self, key: str) -> str | None:
        """What was said last under a key."""
        return self._read(lambda c: c.execute(select(tables.facts.c.value).where(tables.facts.c.key == key)).scalar())

    def serve(self, receivers: Mapping[str, Collection[NewsKind]]) -> None:
        """These receivers and no others are to be told; a new one, of what is put from now on."""

        def write(connection: Connection) -> None:
            connection.execute(delete(tables.receivers).where(tables.receivers.c.name.not_in(list(receivers))))
            last = connection.execute(select(func.coalesce(func.max(tables.messages.c.number), 0))).scalar_one()
            for name, kinds in receivers.items():
                told = msgspec.json.encode(sorted(kinds)).decode()
                row = {"name": name, "kinds": told, "place": last, "delivered": 0, "dropped": 0}
                statement = upsert(tables.receivers).values(row)
                connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"kinds": told}))

        self._ask(write)

    def waiting(self, name: str, *, limit: int) -> Sequence[Message]:
        """What a receiver is still to be told, in order, at most so many."""

        def read(connection: Connection) -> Sequence[Message]:
            rows = connection.execute(
                select(tables.messages)
                .where(*_concerning(connection, name))
                .order_by(tables.messages.c.number)
                .limit(limit)
            )
            return [
                Message(
                    number=row.number,
                    message_id=f"{self._box}-{row.number}",
                    kind=row.kind,
                    at_ns=row.at_ns,
                    news=msgspec.Raw(row.news),
                )
                for row in rows
            ]

        return self._read(read)

    def done(self, name: str, number: int, *, taken: bool) -> None:
        """A receiver has taken all up to this message, or will not take this one."""
        column = tables.receivers.c.delivered if taken else tables.receivers.c.dropped
        changed = {"place": number, column.name: column + 1}
        # Never back: the bound may have moved the place on meanwhile.
        mine = (tables.receivers.c.name == name) & (tables.receivers.c.place < number)
        self._ask(lambda connection: connection.execute(update(tables.receivers).where(mine).values(changed)))

    def standing(self, name: str) -> Standing:
        """How far a receiver is."""

        def read(connection: Connection) -> Standing:
            row = connection.execute(select(tables.receivers).where(tables.receivers.c.name == name)).one()
            left = select(func.count()).select_from(tables.messages).where(*_concerning(connection, name))
            waiting = int(connection.execute(left).scalar_one())
            return Standing(delivered=row.delivered, dropped=row.dropped, waiting=waiting)

        return self._read(read)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bound(self, connection: Connection) -> None:
        """Let go of the oldest messages beyond the bound; whoever waits for them has missed them."""
        last = int(connection.execute(select(func.max(tables.messages.c.number))).scalar_one())
        cut = last - self._most
        if cut <= 0:
            return
        old = tables.messages.c.number <= cut
        for row in connection.execute(select(tables.receivers).where(tables.receivers.c.place < cut)).all():
            missed = select(func.count()).select_from(tables.messages).where(old, *_concerning(connection, row.name))
            changed = {"place": cut, "dropped": row.dropped + int(connection.execute(missed).scalar_one())}
            connection.execute(update(tables.receivers).where(tables.receivers.c.name == row.name).values(changed))
        connection.execute(delete(tables.messages).where(old))

    def _read(self, question: Callable[[Connection], _T]) -> _T:
        return self._ask(question, reads=True)

    def _ask(self, question: Callable[[Connection], _T], *, reads: bool = False) -> _T:
        try:
            with self._engine.connect().execution_options(reads=reads) as connection, connection.begin():
                return question(connection)
        except DatabaseError as error:
            raise StoreError(f"{self._file}: cannot be used: {error.orig}") from error


def _concerning(connection: Connection, name: str) -> tuple[Any, Any]:
    row = connection.execute(select(tables.receivers).where(tables.receivers.c.name == name)).one()
    return tables.messages.c.number > row.place, tables.messages.c.kind.in_(
        msgspec.json.decode(row.kinds, type=list[str])
    )
