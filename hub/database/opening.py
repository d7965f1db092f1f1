"""Opening the database: for the one hub that writes it, and for anybody who reads it meanwhile."""

import contextlib
import sqlite3
import urllib.parse
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from passerby.errors import StoreError

FILE_NAME = "passerby.sqlite"
_BUSY_TIMEOUT_S = 2.0


def open_for_writing(data_dir: Path, *, durable: bool = True) -> Engine:
    """The database of `data_dir`, made or brought to the present schema. Raises StoreError.

    WAL, so that readers never wait for the writer; synchronous FULL, so that what is committed survives a power cut
    (the edge forgets a message once it is committed here); OFF for what need not be `durable`.
    """
    file = data_dir / FILE_NAME
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{data_dir}: cannot make the data folder: {error.strerror}") from error
    engine = _engine(file, writable=True, durable=durable)
    try:
        with engine.begin() as connection:
            _upgrade(connection, file)
    except DatabaseError as error:
        engine.dispose()
        raise StoreError(f"{file}: cannot open the database: {error.orig}") from error
    return engine


def open_for_reading(data_dir: Path) -> Engine:
    """The database of `data_dir`, read-only, whether a hub runs or not. Raises StoreError when there is none."""
    file = data_dir / FILE_NAME
    if not file.is_file():
        raise StoreError(f"{data_dir}: no {FILE_NAME} there; a hub makes it: passerby hub --config SITE")
    engine = _engine(file, writable=False)
    try:
        with engine.connect() as connection:
            found, newest = _revision(connection), _scripts().get_current_head()
    except DatabaseError as error:
        engine.dispose()
        raise StoreError(f"{file}: cannot read the database: {error.orig}") from error
    if found != newest:
        engine.dispose()
        raise StoreError(f"{file}: schema {found}, this version reads {newest}; start the hub once to bring it up")
    return engine


def has_history(data_dir: Path) -> bool:
    """Whether a hub has ever worked here, also an older one; one that begins at this moment has not."""
    try:
        connection = sqlite3.connect(f"{_address(data_dir / FILE_NAME)}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S)
        with contextlib.closing(connection):
            return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite3.OperationalError:
        return (data_dir / FILE_NAME).exists()


def empty_log(engine: Engine) -> bool:
    """Move everything from the write-ahead log into the database, and cut the log to nothing.

    False where a reader still looks at a former state: then it is to be tried again.
    """
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=0")  # a hub does not wait for a reader
        busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.execute(f"PRAGMA busy_timeout={round(1000 * _BUSY_TIMEOUT_S)}")
    finally:
        connection.close()
    return not busy


def _engine(file: Path, *, writable: bool, durable: bool = True) -> Engine:
    address = f"{_address(file)}?mode={'rwc' if writable else 'ro'}"

    def connect() -> sqlite3.Connection:
        # Without isolation_level the driver opens no transactions by itself; _begin below does.
        connection = sqlite3.connect(
            address, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        if writable:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
            connection.execute("PRAGMA foreign_keys=ON")
            # What is deleted or replaced is written over, so that an erased person is in no free page of the file.
            connection.execute("PRAGMA secure_delete=ON")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # The writer takes its lock at the start, so that it can never fail half-way for want of it.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writable else "BEGIN")

    return engine


def _address(file: Path) -> str:
    return f"file:{urllib.parse.quote(str(file))}"


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_alembic())


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection, file: Path) -> None:
    config = _alembic()
    if _revision(connection) == _scripts().get_current_head():
        return
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(f"{file}: made by a newer version of Passerby ({error}); use that version") from error
