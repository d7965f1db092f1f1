"""Where enrolments are kept: in the site's database, written beside the hub, which does not touch these tables."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from sqlalchemy import Connection, Engine, delete, exists, func, insert, select
from sqlalchemy.exc import DatabaseError

from hub.database import schema
from hub.database.opening import FILE_NAME, empty_log, open_for_reading, open_for_writing
from hub.database.packing import floats, pack
from hub.database.statements import replacing
from hub.enrolment.records import Enrolment, Look, Picture, checked_name, checked_reason
from passerby.arrays import Float32Array, require_shape
from passerby.errors import DataError, StoreError
from passerby.ids import ModelId

_LOG_TIMEOUT_S = 10.0
_LOG_PAUSE_S = 0.05
_BEFORE_ALL_NS = -(2**63)


def read_enrolments(data_dir: Path, *, now_ns: int) -> Sequence[Enrolment]:
    """Those that have not expired at `now_ns`, by name and then age; none where there is no database yet.

    Raises StoreError.
    """
    if not (data_dir / FILE_NAME).exists():
        return []
    engine = open_for_reading(data_dir)
    try:
        with engine.connect() as connection:
            return [one for one in _load(connection) if one.expires_at_ns is None or one.expires_at_ns > now_ns]
    except DatabaseError as error:
        raise StoreError(f"{data_dir}: cannot read the enrolments: {error.orig}") from error
    finally:
        engine.dispose()


def enrolments_without(data_dir: Path, model_id: ModelId, *, now_ns: int) -> Sequence[Enrolment]:
    """Those that have not expired and that a model has not described; asking where there are none is cheap.

    Raises StoreError.
    """
    if not (data_dir / FILE_NAME).exists():
        return []
    table, twins = schema.enrolments, schema.enrolled_twins.c
    known = exists().where(twins.enrolment_id == table.c.enrolment_id, twins.model_id == model_id)
    engine = open_for_reading(data_dir)
    try:
        with engine.connect() as connection:
            wanted = select(table.c.enrolment_id).where(table.c.model_id != model_id, ~known)
            numbers = set(connection.scalars(wanted))
            found = _load(connection) if numbers else []
    except DatabaseError as error:
        raise StoreError(f"{data_dir}: cannot read the enrolments: {error.orig}") from error
    finally:
        engine.dispose()
    return [
        one
        for one in found
        if one.enrolment_id in numbers and (one.expires_at_ns is None or one.expires_at_ns > now_ns)
    ]


def delete_expired(data_dir: Path, *, now_ns: int) -> None:
    """Let nothing be left of enrolments that have expired; writes only where there are any. Raises StoreError."""
    if len(read_enrolments(data_dir, now_ns=now_ns)) < len(read_enrolments(data_dir, now_ns=_BEFORE_ALL_NS)):
        EnrolmentStore(data_dir, now_ns=now_ns).close()


class EnrolmentStore:
    """Adds and deletes enrolments of a data folder, whether its hub runs or not. Raises StoreError.

    Opening it makes the database if there is none, and deletes what has expired at `now_ns`.
    """

    def __init__(self, data_dir: Path, *, now_ns: int) -> None:
        self._data_dir = data_dir
        self._now_ns = now_ns
        self._engine: Engine = open_for_writing(data_dir)
        try:
            self._delete(schema.enrolments.c.expires_at_ns <= now_ns)
        except StoreError:
            self.close()
            raise

    def add(
        self, name: str, looks: Sequence[Look], *, model_id: ModelId, reason: str, expires_at_ns: int | None
    ) -> Enrolment:
        """Enrol somebody, or more of somebody who is. Raises DataError for a bad name or reason, or without a look."""
        if not looks:
            raise DataError(f"nothing to enrol of {name!r}: expected at least one look")
        if expires_at_ns is not None and expires_at_ns <= self._now_ns:
            raise DataError(f"an enrolment that has expired at {expires_at_ns} ns already cannot be made")
        try:
            with self._engine.begin() as connection:
                table = schema.enrolments
                last = connection.scalar(select(func.max(table.c.enrolment_id)))
                enrolment = Enrolment(
                    enrolment_id=(last or 0) + 1,
                    name=checked_name(name),
                    model_id=model_id,
                    reason=checked_reason(reason),
                    enrolled_at_ns=self._now_ns,
                    expires_at_ns=expires_at_ns,
                    looks=tuple(looks),
                )
                _insert(connection, enrolment)
        except DatabaseError as error:
            raise StoreError(f"{self._data_dir}: cannot write the enrolment: {error.orig}") from error
        return enrolment

    def describe(self, enrolment: Enrolment, embeddings: Float32Array, *, model_id: ModelId) -> bool:
        """Let an enrolment answer in another model too: raw `embeddings` (n, d) of its pictures, look by look.

        False where it has gone meanwhile. Raises DataError for another number of embeddings, or one without a
        direction.
        """
        require_shape("embeddings", embeddings, (sum(len(look.pictures) for look in enrolment.looks), None))
        if not (np.isfinite(embeddings).all() and embeddings.any(axis=1).all()):
            raise DataError(f"{model_id} describes a picture by zeros, NaN or infinity, expected a direction")
        places = [(look, rank) for look, one in enumerate(enrolment.looks) for rank in range(len(one.pictures))]
        rows = [
            {
                "enrolment_id": enrolment.enrolment_id,
                "look": look,
                "rank": rank,
                "model_id": model_id,
                "embedding": pack(embedding, "<f4"),
            }
            for (look, rank), embedding in zip(places, embeddings, strict=True)
        ]
        table = schema.enrolments.c
        # A number may have been given to somebody else since.
        same = exists().where(
            table.enrolment_id == enrolment.enrolment_id, table.enrolled_at_ns == enrolment.enrolled_at_ns
        )
        try:
            with self._engine.begin() as connection:
                if not connection.scalar(select(same)):
                    return False
                replacing(schema.enrolled_twins).execute(connection, rows)
        except DatabaseError as error:
            raise StoreError(f"{self._data_dir}: cannot write the enrolment: {error.orig}") from error
        return True

    def remove(self, name: str) -> int:
        """Delete all enrolments of a name, so that their bytes are nowhere in the files; gives how many.

        Raises DataError where nobody has that name, and StoreError where a reader holds on to a former state.
        """
        gone = self._delete(schema.enrolments.c.name == checked_name(name))
        if not gone:
            raise DataError(f"nobody is enrolled as {name!r}; `passerby enroll --list` shows who is")
        return gone

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _delete(self, which: Any) -> int:
        try:
            with self._engine.begin() as connection:
                gone = connection.execute(delete(schema.enrolments).where(which)).rowcount
            if gone:
                self._empty_log()
        except DatabaseError as error:
            raise StoreError(f"{self._data_dir}: cannot delete enrolments: {error.orig}") from error
        return gone

    def _empty_log(self) -> None:
        """The database writes zeros over what is deleted; its log has what was there until it is cut."""
        deadline = time.monotonic() + _LOG_TIMEOUT_S
        while not empty_log(self._engine):
            if time.monotonic() > deadline:
                raise StoreError(
                    f"{self._data_dir}: deleted, but for {_LOG_TIMEOUT_S:g} s somebody has read a former state: "
                    f"until that ends it stays in {FILE_NAME}-wal"
                )
            time.sleep(_LOG_PAUSE_S)


def _insert(connection: Connection, enrolment: Enrolment) -> None:
    row = {column: getattr(enrolment, column) for column in schema.enrolments.columns.keys()}  # noqa: SIM118
    connection.execute(insert(schema.enrolments), [row])
    pictures = [
        {
            "enrolment_id": enrolment.enrolment_id,
            "look": number,
            "rank": rank,
            "quality": picture.quality,
            "embedding": pack(picture.embedding, "<f4"),
            "jpeg": picture.jpeg,
        }
        for number, look in enumerate(enrolment.looks)
        for rank, picture in enumerate(look.pictures)
    ]
    connection.execute(insert(schema.enrolled_pictures), pictures)


def _load(connection: Connection) -> list[Enrolment]:
    pictures = schema.enrolled_pictures
    kept: dict[int, dict[int, list[Picture]]] = {}
    rows = connection.execute(select(pictures).order_by(pictures.c.enrolment_id, pictures.c.look, pictures.c.rank))
    for row in rows:
        picture = Picture(floats(row.embedding), row.quality, row.jpeg)
        kept.setdefault(row.enrolment_id, {}).setdefault(row.look, []).append(picture)
    others = _described(connection, kept)
    table = schema.enrolments
    found = connection.execute(select(table).order_by(table.c.name, table.c.enrolment_id))
    return [
        Enrolment(**row._mapping, looks=_looks(kept[row.enrolment_id]), described=others.get(row.enrolment_id, {}))
        for row in found
    ]


def _described(
    connection: Connection, kept: dict[int, dict[int, list[Picture]]]
) -> dict[int, dict[ModelId, tuple[Look, ...]]]:
    """Of each enrolment the looks as other models describe them, of those that have described all pictures."""
    table = schema.enrolled_twins
    embeddings: dict[tuple[int, ModelId], dict[tuple[int, int], Float32Array]] = {}
    for row in connection.execute(select(table)):
        place = embeddings.setdefault((row.enrolment_id, ModelId(row.model_id)), {})
        place[row.look, row.rank] = floats(row.embedding)
    found: dict[int, dict[ModelId, tuple[Look, ...]]] = {}
    for (enrolment_id, model_id), given in embeddings.items():
        looks = kept[enrolment_id]
        if len(given) == sum(len(pictures) for pictures in looks.values()):
            others = {
                number: [replace(one, embedding=given[number, rank]) for rank, one in enumerate(pictures)]
                for number, pictures in looks.items()
            }
            found.setdefault(enrolment_id, {})[model_id] = _looks(others)
    return found


def _looks(pictures: dict[int, list[Picture]]) -> tuple[Look, ...]:
    return tuple(Look(tuple(mine)) for mine in pictures.values())
