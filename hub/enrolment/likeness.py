"""What looks are worth on a site: camera statistics, the model of looks and the site's calibration, put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from hub.association.appearance import Known, fit_of_sets
from hub.association.calibration import Calibration
from hub.database import schema
from hub.database.opening import FILE_NAME, open_for_reading
from hub.enrolment.records import Enrolment, Look
from hub.knowledge import Knowledge
from hub.statistics import CameraStatistics, StatisticsSource
from passerby.arrays import Float32Array, l2_normalize
from passerby.errors import ModelError, StoreError
from passerby.ids import CameraId, ModelId
from passerby.models import ModelManifest

_NO_TIME_NS = 0
"""Uploaded pictures come from no camera of the site, and so from none that has a night."""


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """Compares looks of one model. `statistics` None: camera normalization is off."""

    model_id: ModelId
    statistics: CameraStatistics | None
    calibration: Calibration

    def unit(self, camera_id: CameraId, raw: Float32Array, *, at_ns: int) -> Float32Array:
        """A raw embedding (d,) of a tracklet that began at `at_ns` as the unit vector that is compared.

        Raises DataError for NaN, infinity or a zero vector.
        """
        return l2_normalize(raw) if self.statistics is None else self.statistics.lifted(camera_id, raw, at_ns=at_ns)

    def units(self, camera_ids: Sequence[CameraId], raw: Float32Array, *, at_ns: Sequence[int]) -> Float32Array:
        """As `unit`, of n tracklets at once: raw embeddings (n, d), a camera and a time each."""
        if self.statistics is None:
            return l2_normalize(raw)
        return self.statistics.lifted_rows(camera_ids, raw, at_ns=at_ns)

    def known(self, look: Look, *, origin: str) -> Known:
        """A look at pictures from outside; those of one `origin`, a film or an enrolment, share what is peculiar to it.

        No camera of the site is called so: its name has a colon.
        """
        camera_id = CameraId(f"upload:{origin}")
        return Known(camera_id, self.unit(camera_id, look.embedding, at_ns=_NO_TIME_NS), len(look.pictures))

    def evidence(self, known: Sequence[Known], seen: Sequence[Known], *, seen_here: bool = False) -> float:
        """Log-likelihood ratio (nat) of two sets of looks, each at least one, being one person's, as this site has it.

        `seen_here`: they are of one camera. Who chooses a picture shows somebody whole: few pictures are no sign that
        they are half hidden.
        """
        shares = replace(self.calibration.shares(self.model_id), brief=0.0)
        value = fit_of_sets(known, seen, shares=shares)
        return self.calibration.evidence(value, seen_here=seen_here)


def by_name(enrolments: Sequence[Enrolment], likeness: Likeness) -> Mapping[str, list[Known]]:
    """What is known of each name; enrolments that the model has not described are left out. Each enrolment is an origin
    of its own."""
    people: dict[str, list[Known]] = {}
    for enrolment in enrolments:
        looks = [
            likeness.known(look, origin=str(enrolment.enrolment_id)) for look in enrolment.looks_by(likeness.model_id)
        ]
        if looks:
            people.setdefault(enrolment.name, []).extend(looks)
    return people


def load_likeness(data_dir: Path, model: ModelManifest, *, normalized: bool = True) -> Likeness:
    """What the site has learned about a model; where it has learned nothing, what is expected of any site.

    Raises ModelError where `model` is no re-ID network, StoreError where the database cannot be read.
    """
    if model.embedding is None:
        raise ModelError(f"{model.name} is no re-ID network: its task is `{model.task}`")
    model_id, dimension = model.model_id, model.embedding.dimension
    reference = model.embedding.reference
    source = StatisticsSource(enabled=normalized, references={model_id: reference} if reference else {})
    if not (data_dir / FILE_NAME).exists():
        return Likeness(model_id, source.begin(model_id, dimension), Calibration())
    engine = open_for_reading(data_dir)
    try:
        with engine.connect() as connection:
            learned = {row.part: row.data for row in connection.execute(select(schema.knowledge))}
            table = schema.camera_statistics
            rows = connection.execute(select(table).where(table.c.model_id == model_id))
            parts = {row.part: row.data for row in rows}
    except DatabaseError as error:
        raise StoreError(f"{data_dir}: cannot read what the site has learned: {error.orig}") from error
    finally:
        engine.dispose()
    statistics = source.restore(model_id, dimension, parts=parts)
    return Likeness(model_id, statistics, Knowledge.restored(learned).calibration(model_id))
