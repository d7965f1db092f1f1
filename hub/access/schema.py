"""The tables of `access.sqlite`, a file of its own: the hub, the one writer of the site's database, has no part in it.

Times are Unix nanoseconds. Of passwords there are argon2 hashes; of session cookies and tokens, which are long and
random, SHA-256 hashes.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)

VERSION = 2
"""Kept as SQLite's `user_version`; from 2 on users may be disabled."""

metadata = MetaData()

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""`setup`: the hash of the one-time link by which the first administrator comes in."""

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("cameras", Text, nullable=True),
    Column("password_hash", Text, nullable=False),
    Column("created_at_ns", BigInteger, nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=false()),
)
"""`cameras`: a JSON list of the only ones they may see, or null."""

sessions = Table(
    "sessions",
    metadata,
    Column("cookie_hash", Text, primary_key=True),
    Column("user", Text, ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("created_at_ns", BigInteger, nullable=False),
    Column("seen_at_ns", BigInteger, nullable=False),
)
Index("sessions_by_user", sessions.c.user)

tokens = Table(
    "tokens",
    metadata,
    Column("token_id", Integer, primary_key=True, autoincrement=True),
    Column("user", Text, ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("created_at_ns", BigInteger, nullable=False),
    Column("expires_at_ns", BigInteger, nullable=False),
    Column("used_at_ns", BigInteger, nullable=True),
    UniqueConstraint("user", "name", name="tokens_by_name"),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("entry_id", Integer, primary_key=True, autoincrement=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("objects", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("address", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""`objects` is a JSON list."""
Index("audit_by_time", audit.c.at_ns)
Index("audit_by_actor", audit.c.actor)
