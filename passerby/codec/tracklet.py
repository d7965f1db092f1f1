"""TrackletUpdate on the wire: its plain values in the body, ten arrays, and the new crops."""

from typing import Any

from msgspec import Struct
from numpy.typing import NDArray

from passerby.codec.bounds import MAX_DIMENSION, MAX_EXEMPLARS, MAX_OBSERVATIONS
from passerby.codec.checks import (
    require_boxes,
    require_finite,
    require_fraction,
    require_not_negative,
    require_sane,
)
from passerby.codec.partset import PartReader, PartWriter
from passerby.errors import MalformedMessageError, MessageTooLargeError
from passerby.ids import CameraId, ModelId, TrackletId
from passerby.messages import Clock, Exemplars, Observations, TrackletUpdate

_FLOATS = ("<f4", "<f2")
_FLOAT32 = ("<f4",)
_INT64 = ("<i8",)
_MAX_SIDE = 65_535


class TrackletBody(Struct, frozen=True, kw_only=True):
    """The plain values of a TrackletUpdate. `crops` names the crop that each part `crop.N` belongs to."""

    camera_id: CameraId
    tracklet_id: TrackletId
    revision: int
    model_id: ModelId
    started_at_ns: int
    ended_at_ns: int
    clock: Clock
    frame_size: tuple[int, int]
    final: bool
    crops: list[int]


def pack(update: TrackletUpdate, writer: PartWriter) -> TrackletBody:
    """Add the arrays and crops to `writer`. Raises MessageTooLargeError for more rows than the bounds allow."""
    _require_rows("observations", len(update.observations), MAX_OBSERVATIONS)
    _require_rows("exemplars", len(update.exemplars), MAX_EXEMPLARS)
    _require_rows("crops", len(update.crops), MAX_EXEMPLARS)
    _require_rows("numbers in an embedding", len(update.embedding), MAX_DIMENSION)
    seen, best = update.observations, update.exemplars
    writer.array("seen.frame_numbers", seen.frame_numbers, dtypes=_INT64)
    writer.array("seen.captured_at_ns", seen.captured_at_ns, dtypes=_INT64)
    writer.array("seen.boxes_xyxy", seen.boxes_xyxy, dtypes=_FLOAT32)
    writer.array("seen.confidence", seen.confidence, dtypes=_FLOAT32)
    writer.array("best.crop_ids", best.crop_ids, dtypes=_INT64)
    writer.array("best.captured_at_ns", best.captured_at_ns, dtypes=_INT64)
    writer.array("best.boxes_xyxy", best.boxes_xyxy, dtypes=_FLOAT32)
    writer.array("best.quality", best.quality, dtypes=_FLOAT32)
    writer.array("best.embeddings", best.embeddings, dtypes=_FLOATS)
    writer.array("embedding", update.embedding, dtypes=_FLOATS)
    for index, jpeg in enumerate(update.crops.values()):
        writer.blob(f"crop.{index}", jpeg)
    return TrackletBody(
        camera_id=update.camera_id,
        tracklet_id=update.tracklet_id,
        revision=update.revision,
        model_id=update.model_id,
        started_at_ns=update.started_at_ns,
        ended_at_ns=update.ended_at_ns,
        clock=update.clock,
        frame_size=update.frame_size,
        final=update.final,
        crops=list(update.crops),
    )


def unpack(body: TrackletBody, reader: PartReader) -> TrackletUpdate:
    """The update, every value checked. Raises MalformedMessageError."""
    _require_plain_values(body)
    observations, exemplars = _observations(reader), _exemplars(reader)
    embedding = reader.array("embedding", dtypes=_FLOATS, shape=(exemplars.embeddings.shape[1],))
    require_finite("embedding", embedding)
    crops = {crop_id: reader.blob(f"crop.{index}") for index, crop_id in enumerate(body.crops)}
    return TrackletUpdate(
        camera_id=body.camera_id,
        tracklet_id=body.tracklet_id,
        revision=body.revision,
        model_id=body.model_id,
        started_at_ns=body.started_at_ns,
        ended_at_ns=body.ended_at_ns,
        clock=body.clock,
        frame_size=body.frame_size,
        final=body.final,
        observations=observations,
        embedding=embedding,
        exemplars=exemplars,
        crops=crops,
    )


def _require_plain_values(body: TrackletBody) -> None:
    for name in ("camera_id", "tracklet_id", "revision", "model_id", "started_at_ns", "ended_at_ns", "clock"):
        require_sane(getattr(body, name), name)
    if body.tracklet_id < 1 or body.revision < 1:
        raise MalformedMessageError("range", f"tracklet {body.tracklet_id}, revision {body.revision}; both start at 1")
    if not all(1 <= side <= _MAX_SIDE for side in body.frame_size):
        raise MalformedMessageError("range", f"frame_size is {body.frame_size}, expected 1 to {_MAX_SIDE} each")
    if len(body.crops) > MAX_EXEMPLARS:
        raise MalformedMessageError("rows", f"{len(body.crops)} crops, at most {MAX_EXEMPLARS}")
    for crop_id in body.crops:
        require_sane(crop_id, "crops")
    if len(set(body.crops)) != len(body.crops):
        raise MalformedMessageError("range", "a crop id stands twice")


def _observations(reader: PartReader) -> Observations:
    frame_numbers = reader.array("seen.frame_numbers", dtypes=_INT64, shape=(None,))
    rows = _rows("observations", frame_numbers, MAX_OBSERVATIONS)
    captured_at_ns = reader.array("seen.captured_at_ns", dtypes=_INT64, shape=(rows,))
    boxes_xyxy = reader.array("seen.boxes_xyxy", dtypes=_FLOAT32, shape=(rows, 4))
    confidence = reader.array("seen.confidence", dtypes=_FLOAT32, shape=(rows,))
    require_not_negative("seen.frame_numbers", frame_numbers)
    require_not_negative("seen.captured_at_ns", captured_at_ns)
    require_boxes("seen.boxes_xyxy", boxes_xyxy)
    require_fraction("seen.confidence", confidence)
    return Observations(frame_numbers, captured_at_ns, boxes_xyxy, confidence)


def _exemplars(reader: PartReader) -> Exemplars:
    crop_ids = reader.array("best.crop_ids", dtypes=_INT64, shape=(None,))
    rows = _rows("exemplars", crop_ids, MAX_EXEMPLARS)
    captured_at_ns = reader.array("best.captured_at_ns", dtypes=_INT64, shape=(rows,))
    boxes_xyxy = reader.array("best.boxes_xyxy", dtypes=_FLOAT32, shape=(rows, 4))
    quality = reader.array("best.quality", dtypes=_FLOAT32, shape=(rows,))
    embeddings = reader.array("best.embeddings", dtypes=_FLOATS, shape=(rows, None))
    if not 1 <= embeddings.shape[1] <= MAX_DIMENSION:
        raise MalformedMessageError("shape", f"embeddings of {embeddings.shape[1]} numbers, at most {MAX_DIMENSION}")
    require_not_negative("best.crop_ids", crop_ids)
    if len(set(crop_ids.tolist())) != rows:
        raise MalformedMessageError("range", "a crop id stands twice among the exemplars")
    require_not_negative("best.captured_at_ns", captured_at_ns)
    require_boxes("best.boxes_xyxy", boxes_xyxy)
    require_fraction("best.quality", quality)
    require_finite("best.embeddings", embeddings)
    return Exemplars(crop_ids, captured_at_ns, boxes_xyxy, quality, embeddings)


def _rows(name: str, array: NDArray[Any], limit: int) -> int:
    if len(array) > limit:
        raise MalformedMessageError("rows", f"{len(array)} {name}, at most {limit}")
    return len(array)


def _require_rows(name: str, rows: int, limit: int) -> None:
    if rows > limit:
        raise MessageTooLargeError(f"{rows} {name} in one message, at most {limit}; send several")
