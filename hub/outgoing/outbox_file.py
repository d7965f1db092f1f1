"""The tables of `outgoing.sqlite`, and the file itself."""

from pathlib import Path

from sqlalchemy import BigInteger, Column, Engine, Index, Integer, LargeBinary, MetaData, Table, Text

from hub.database.shared_file import open_shared_file

VERSION = 1
"""Kept as SQLite's `user_version`."""

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
    return open_shared_file(file, metadata=metadata, version=VERSION)
