"""The database: migrations make what the tables say, and what cannot be opened says why."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from hub.database.opening import FILE_NAME, open_for_reading, open_for_writing
from hub.database.schema import metadata
from passerby.errors import StoreError


def test_the_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    engine = open_for_writing(tmp_path)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_what_is_committed_survives_a_power_cut(tmp_path: Path) -> None:
    engine = open_for_writing(tmp_path)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    engine.dispose()


def test_odd_folder_names_are_no_trouble(tmp_path: Path) -> None:
    folder = tmp_path / "50% of #1? yes"
    open_for_writing(folder).dispose()
    open_for_reading(folder).dispose()
    assert (folder / FILE_NAME).is_file()


def test_reading_writes_nothing(tmp_path: Path) -> None:
    open_for_writing(tmp_path).dispose()
    engine = open_for_reading(tmp_path)
    with engine.connect() as connection, pytest.raises(Exception, match="readonly"):
        connection.exec_driver_sql("DELETE FROM events")
    engine.dispose()


def test_a_folder_without_a_database_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="passerby hub --config"):
        open_for_reading(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is not a database, whatever its name says" * 100)
    for opening in (open_for_writing, open_for_reading):
        with pytest.raises(StoreError, match="not a database"):
            opening(tmp_path)


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    open_for_writing(tmp_path).dispose()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        open_for_writing(tmp_path)
    with pytest.raises(StoreError, match="schema 9999"):
        open_for_reading(tmp_path)
