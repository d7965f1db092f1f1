"""The tables of `outgoing.sqlite`, and the file itself: made, brought to the present schema, opened."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from passerby.errors import StoreError

VERSION = 1
"""Kept as SQLite's `user_version`."""

_BUSY_TIMEOUT_S = 5.0

metadata = MetaData()

facts = Table("facts", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
"""How far the site's own data have been looked at, and `box`: whose messages these are."""

messages = Table(
    "messages",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("news", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
Index("messages_by_kind", messages.c.kind, messages.c.number)

receivers = Table(
    "receivers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kinds", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("delivered", Integer, nullable=False),
    Column("dropped", Integer, nullable=False),
)
"""`place`: the number of the latest message that it need not be told any more; `kinds` is a JSON list."""


def open_outbox(file: Path) -> Engine:
    """The engine, for several threads at once. The file is its owner's alone. Raises StoreError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"{file}: cannot be made: {error.strerror}") from error

    def connect() -> sqlite3.Connection:
        # Without isolation_level the driver opens no transactions by itself; _begin below does.
        connection = sqlite3.connect(file, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Whoever only looks says so, and never waits for who writes.
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    try:
        with engine.begin() as connection:
            found = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            if found > VERSION:
                raise StoreError(f"{file}: made by a newer version of Passerby (schema {found}, known {VERSION})")
            if found < VERSION:
                metadata.create_all(connection)
                connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")
    except (DatabaseError, StoreError) as error:
        engine.dispose()
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{file}: cannot be opened: {error.orig}") from error
    return engine
