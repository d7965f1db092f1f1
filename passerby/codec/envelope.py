"""encode and decode: the whole message, its kind, and its place in the sender's stream."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from passerby.codec import tracklet
from passerby.codec.bounds import MAX_HEADER_BYTES, MAX_MESSAGE_BYTES, MAX_PART_BYTES
from passerby.codec.checks import require_boxes, require_sane
from passerby.codec.header import DECODE_ERRORS, VERSION, Header, parse_header
from passerby.codec.partset import PartReader, PartWriter
from passerby.errors import MalformedMessageError, MessageTooLargeError
from passerby.ids import BootId, CameraId, ModelId
from passerby.messages import (
    Ack,
    CameraCommand,
    Credit,
    Envelope,
    Heartbeat,
    Hello,
    Marked,
    Message,
    ModelChunk,
    ModelOffer,
    ModelRequest,
    Preview,
    Refusal,
    Status,
    TrackletUpdate,
    Welcome,
)

RELIABLE_KINDS = frozenset({"tracklet", "status"})
"""These are numbered from 1 within a boot and delivered until acknowledged; every other kind has number 0."""

_ENCODER = msgspec.msgpack.Encoder()


class _PreviewBody(Struct, frozen=True):
    camera_id: CameraId
    captured_at_ns: int
    people: list[Marked] = []


class _ChunkBody(Struct, frozen=True):
    model_id: ModelId
    file_name: str
    offset: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of message becomes a body and parts, and comes back."""

    name: str
    body: msgspec.msgpack.Decoder[Any]
    pack: Callable[[Any, PartWriter], Any]
    unpack: Callable[[Any, PartReader], Message]


def _plain(name: str, message_type: type[Any]) -> _Kind:
    """A message that is all body."""

    def unpack(body: Any, _: PartReader) -> Message:
        require_sane(body, name)
        message: Message = body
        return message

    return _Kind(name, msgspec.msgpack.Decoder(message_type), lambda message, _: message, unpack)


def _pack_preview(preview: Preview, writer: PartWriter) -> _PreviewBody:
    writer.blob("jpeg", preview.jpeg)
    return _PreviewBody(preview.camera_id, preview.captured_at_ns, preview.people)


def _unpack_preview(body: _PreviewBody, reader: PartReader) -> Preview:
    require_sane(body, "preview")
    require_boxes("people", np.array([one.box_xyxy for one in body.people], np.float32).reshape(-1, 4))
    return Preview(
        camera_id=body.camera_id,
        captured_at_ns=body.captured_at_ns,
        jpeg=reader.blob("jpeg"),
        people=body.people,
    )


def _pack_chunk(chunk: ModelChunk, writer: PartWriter) -> _ChunkBody:
    writer.blob("data", chunk.data)
    return _ChunkBody(chunk.model_id, chunk.file_name, chunk.offset)


def _unpack_chunk(body: _ChunkBody, reader: PartReader) -> ModelChunk:
    require_sane(body, "model-chunk")
    return ModelChunk(model_id=body.model_id, file_name=body.file_name, offset=body.offset, data=reader.blob("data"))


_BY_TYPE: dict[type[Any], _Kind] = {
    Hello: _plain("hello", Hello),
    TrackletUpdate: _Kind("tracklet", msgspec.msgpack.Decoder(tracklet.TrackletBody), tracklet.pack, tracklet.unpack),
    Status: _plain("status", Status),
    Heartbeat: _plain("heartbeat", Heartbeat),
    Preview: _Kind("preview", msgspec.msgpack.Decoder(_PreviewBody), _pack_preview, _unpack_preview),
    ModelRequest: _plain("model-request", ModelRequest),
    Welcome: _plain("welcome", Welcome),
    Ack: _plain("ack", Ack),
    Refusal: _plain("refusal", Refusal),
    Credit: _plain("credit", Credit),
    CameraCommand: _plain("camera", CameraCommand),
    ModelOffer: _plain("model-offer", ModelOffer),
    ModelChunk: _Kind("model-chunk", msgspec.msgpack.Decoder(_ChunkBody), _pack_chunk, _unpack_chunk),
}
_BY_NAME = {kind.name: kind for kind in _BY_TYPE.values()}


def encode(envelope: Envelope) -> list[bytes]:
    """The parts of the message: header first, then arrays and pictures.

    Raises MessageTooLargeError over the bounds, and MalformedMessageError for a message that no receiver would take
    (wrong types, NaN, a sequence number on a kind that has none): the sender learns of it before anything is queued.
    """
    kind = _BY_TYPE[type(envelope.message)]
    writer = PartWriter()
    try:
        body = msgspec.Raw(_ENCODER.encode(kind.pack(envelope.message, writer)))
        header = _ENCODER.encode(
            Header(VERSION, kind.name, envelope.boot_id, envelope.seq, body=body, parts=writer.table)
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise MalformedMessageError("body", f"a {kind.name} that cannot be packed: {error}") from error
    parts = [header, *writer.parts]
    _require_sendable(kind.name, parts)
    decode(parts)  # the receiver's own judgement, so that nothing undeliverable is ever spooled
    return parts


def decode(parts: Sequence[bytes]) -> Envelope:
    """The message in `parts`. Arrays are read-only views of the parts, where the machine's byte order allows.

    Raises MalformedMessageError, and nothing else, for anything that is not a complete, sane message; nothing larger
    than the parts themselves is allocated to find out.
    """
    header = parse_header(parts)
    kind = _BY_NAME.get(header.kind)
    if kind is None:
        raise MalformedMessageError("kind", f"unknown kind {header.kind!r:.40}")
    if (header.seq > 0) != (kind.name in RELIABLE_KINDS):
        raise MalformedMessageError("sequence", f"a {kind.name} with sequence number {header.seq}")
    reader = PartReader(header.parts, parts[1:])
    try:
        body = kind.body.decode(header.body)
    except DECODE_ERRORS as error:
        raise MalformedMessageError("body", f"not the body of a {kind.name}: {error}") from error
    return Envelope(BootId(header.boot), header.seq, kind.unpack(body, reader))


def _require_sendable(kind: str, parts: Sequence[bytes]) -> None:
    if len(parts[0]) > MAX_HEADER_BYTES:
        raise MessageTooLargeError(f"a {kind} with a header of {len(parts[0])} bytes, at most {MAX_HEADER_BYTES}")
    largest = max(map(len, parts))
    if largest > MAX_PART_BYTES:
        raise MessageTooLargeError(f"a {kind} with a part of {largest} bytes, at most {MAX_PART_BYTES}")
    total = sum(map(len, parts))
    if total > MAX_MESSAGE_BYTES:
        raise MessageTooLargeError(f"a {kind} of {total} bytes, at most {MAX_MESSAGE_BYTES}")
