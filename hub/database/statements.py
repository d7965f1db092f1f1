"""Statements that every batch needs, compiled once: to build one takes longer than SQLite needs to carry it out."""

import functools
import operator
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Table, bindparam, delete, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert as upsert

_DIALECT = sqlite.dialect()


class Statement:
    """SQL with its parameters' names in the order in which SQLite wants them. Columns need no conversion of types."""

    def __init__(self, clause: Insert | Delete, *, columns: Sequence[str]) -> None:
        compiled = clause.compile(dialect=_DIALECT, column_keys=list(columns))
        self.sql = str(compiled)
        names = compiled.positiontup or []
        # itemgetter gives no tuple for a single name.
        self._values = operator.itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)

    def execute(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Carry it out for each row: a value for each parameter by its name. At least one row."""
        connection.exec_driver_sql(self.sql, [self._values(row) for row in rows])


@functools.cache
def inserting(table: Table) -> Statement:
    """New rows, every column given."""
    return Statement(insert(table), columns=table.columns.keys())


@functools.cache
def replacing(table: Table) -> Statement:
    """Rows, every column given, in place of those with the same primary key."""
    statement = upsert(table)
    key = [column.name for column in table.primary_key]
    others = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in key}
    statement = statement.on_conflict_do_update(index_elements=key, set_=others)
    return Statement(statement, columns=table.columns.keys())


@functools.cache
def deleting(table: Table, *columns: str) -> Statement:
    """All rows with a value in each of these columns."""
    return Statement(delete(table).where(*(table.c[column] == bindparam(column) for column in columns)), columns=())
