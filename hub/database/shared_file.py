"""A small SQLite file that several threads and processes write: made, brought to the present schema, opened."""

import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from passerby.errors import StoreError

_BUSY_TIMEOUT_S = 5.0
_NO_STEPS: Mapping[int, Sequence[str]] = {}


def open_shared_file(
    file: Path, *, metadata: MetaData, version: int, steps: Mapping[int, Sequence[str]] = _NO_STEPS
) -> Engine:
    """The engine; a transaction that only looks has the execution option `reads`. The file is its owner's alone.

    `version` is that of `metadata`, kept as SQLite's `user_version`; `steps` are statements that lead from an older one
    to the next, beside making the tables that are missing. Raises StoreError, also for a file of a newer version.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"{file}: cannot be made: {error.strerror}") from error
    engine = _engine(file)
    try:
        with engine.begin() as connection:
            found = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            if found > version:
                raise StoreError(f"{file}: made by a newer version of Passerby (schema {found}, known {version})")
            # A file that has just been made has version 0 and no tables yet.
            for step in range(found or version, version):
                for statement in steps.get(step, ()):
                    connection.exec_driver_sql(statement)
            if found < version:
                metadata.create_all(connection)
                connection.exec_driver_sql(f"PRAGMA user_version={version}")
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
