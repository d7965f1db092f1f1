"""The file `access.sqlite` of a data folder: made, brought to the present schema, opened."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from hub.access.schema import VERSION, metadata
from passerby.errors import StoreError

FILE_NAME = "access.sqlite"
_BUSY_TIMEOUT_S = 5.0
_WITHOUT_DISABLED = 1
"""The version of the schema before users could be disabled."""


def open_access(data_dir: Path) -> Engine:
    """The engine, for several threads and processes at once. The file is its owner's alone. Raises StoreError."""
    file = data_dir / FILE_NAME
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"{file}: cannot be made: {error.strerror}") from error
    engine = _engine(file)
    try:
        with engine.begin() as connection:
            found = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            if found > VERSION:
                raise StoreError(f"{file}: made by a newer version of Passerby (schema {found}, known {VERSION})")
            if found == _WITHOUT_DISABLED:
                connection.exec_driver_sql("ALTER TABLE users ADD COLUMN disabled BOOLEAN NOT NULL DEFAULT 0")
            if found < VERSION:
                metadata.create_all(connection)
                connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")
    except (DatabaseError, StoreError) as error:
        engine.dispose()
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{file}: cannot open the database: {error.orig}") from error
    return engine


def _engine(file: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        # Without isolation_level the driver opens no transactions by itself; _begin below does.
        connection = sqlite3.connect(file, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Whoever only looks says so, and never waits for who writes.
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine
