"""Rows of a site's tables as they are exported, in batches: tracklets, and what a network makes of them."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from hub.listing import Scope, Wanted
from hub.reader import SiteReader
from hub.records import Tracklet, TrackletNumber
from passerby.arrays import Float32Array
from passerby.errors import DataError
from passerby.ids import ModelId

AT_ONCE = 2000
"""Rows that are read and written together."""

ALL = Wanted()
"""Sightings of any camera and time."""


class TrackletRow(Struct, frozen=True, kw_only=True):
    """One tracklet, without its embedding. Capture times in Unix nanoseconds; `identity` None: not decided yet."""

    tracklet: int
    camera: str
    identity: int | None
    started_at_ns: int
    ended_at_ns: int
    model: str
    quality: float
    """Mean of the kept crops', 0-1."""
    crops: int
    open: bool
    """It may still change."""
    frame_width: int
    frame_height: int
    clock: str
    clock_error_ns: int


class EmbeddingRow(Struct, frozen=True, kw_only=True, eq=False):
    """One tracklet as a network describes it: `embedding` (d,) float32, raw, the mean of its kept crops."""

    tracklet: int
    camera: str
    identity: int | None
    embedding: Float32Array


def tracklet_rows(reader: SiteReader, *, wanted: Wanted = ALL, scope: Scope = None) -> Iterator[Sequence[TrackletRow]]:
    """All tracklets that are wanted and may be seen, by number."""
    for batch in _batches(reader):
        yield [_tracklet_row(one) for one in batch if _is_meant(one, wanted, scope)]


def embedding_rows(reader: SiteReader, model_id: ModelId, *, scope: Scope = None) -> Iterator[Sequence[EmbeddingRow]]:
    """All tracklets that a model has seen pictures of, by number: those that came with it, and those embedded anew."""
    for batch in _batches(reader):
        seen = [one for one in batch if _is_meant(one, ALL, scope)]
        others = [one.number for one in seen if one.model_id != model_id]
        twins = {twin.tracklet: twin for twin in reader.twins_among(others) if twin.model_id == model_id}
        rows = []
        for one in seen:
            twin = twins.get(one.number)
            if one.model_id == model_id:
                rows.append(_embedding_row(one, one.embedding))
            elif twin is not None and not twin.mapped:
                rows.append(_embedding_row(one, twin.embedding))
        yield rows


def exported_model(reader: SiteReader, wanted: str | None) -> ModelId:
    """The model whose embeddings are meant: the one of that id or name, by default that of the latest tracklet.

    Raises DataError where nobody was seen by such a model.
    """
    known = reader.model_ids()
    latest = reader.latest_model()
    if wanted is None:
        if latest is None:
            raise DataError("nobody was seen yet: there are no embeddings")
        return latest
    found = [one for one in known if wanted in (one, one.split("@", maxsplit=1)[0])]
    if len(found) != 1:
        raise DataError(f"no one model is {wanted!r}; there are embeddings of {', '.join(sorted(known)) or 'none'}")
    return found[0]


def _batches(reader: SiteReader) -> Iterator[Sequence[Tracklet]]:
    for first in range(1, reader.last_tracklet_number() + 1, AT_ONCE):
        yield reader.tracklets_numbered([TrackletNumber(number) for number in range(first, first + AT_ONCE)])


def _is_meant(one: Tracklet, wanted: Wanted, scope: Scope) -> bool:
    return (
        (scope is None or one.camera_id in scope)
        and (wanted.camera is None or one.camera_id == wanted.camera)
        and (wanted.from_ns is None or one.ended_at_ns >= wanted.from_ns)
        and (wanted.to_ns is None or one.started_at_ns <= wanted.to_ns)
    )


def _tracklet_row(one: Tracklet) -> TrackletRow:
    return TrackletRow(
        tracklet=one.number,
        camera=one.camera_id,
        identity=one.identity_id,
        started_at_ns=one.started_at_ns,
        ended_at_ns=one.ended_at_ns,
        model=one.model_id,
        quality=one.quality,
        crops=one.exemplars,
        open=one.open,
        frame_width=one.frame_width,
        frame_height=one.frame_height,
        clock=one.clock_source,
        clock_error_ns=one.clock_error_ns,
    )


def _embedding_row(one: Tracklet, embedding: Float32Array) -> EmbeddingRow:
    return EmbeddingRow(tracklet=one.number, camera=one.camera_id, identity=one.identity_id, embedding=embedding)
