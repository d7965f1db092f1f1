"""How the normalization of each camera stands, from the rows: beside a running hub or without one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from hub.database import schema
from hub.database.opening import open_for_reading
from hub.statistics import StatisticsSource
from passerby.errors import StoreError
from passerby.features.normalization import CameraReport
from passerby.ids import ModelId


def camera_reports(data_dir: Path) -> Mapping[ModelId, Sequence[CameraReport]]:
    """The cameras of each model, by name, as of the hub's last commit. Raises StoreError where it cannot be read."""
    engine = open_for_reading(data_dir)
    try:
        with engine.connect() as connection:
            models = connection.execute(select(schema.models).order_by(schema.models.c.model_id)).all()
            rows = connection.execute(select(schema.camera_statistics)).all()
    except DatabaseError as error:
        raise StoreError(f"{data_dir}: cannot read the database: {error.orig}") from error
    finally:
        engine.dispose()
    parts: dict[str, dict[str, bytes]] = {model.model_id: {} for model in models}
    for row in rows:
        parts[row.model_id][row.part] = row.data
    reports: dict[ModelId, Sequence[CameraReport]] = {}
    for model in models:
        model_id = ModelId(model.model_id)
        statistics = StatisticsSource().restore(model_id, model.dimension, parts=parts[model_id])
        reports[model_id] = [] if statistics is None else statistics.report()
    return reports
