"""Messages to bytes and back: every kind, its golden bytes, and everything that is refused, with its reason."""

import dataclasses
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from passerby.codec import MAX_MESSAGE_BYTES, MAX_PART_BYTES, MAX_PARTS, decode, encode, read_header
from passerby.errors import MalformedMessageError, MessageTooLargeError
from passerby.ids import BootId, CameraId, ModelId, TrackletId
from passerby.messages import CameraStatus, Envelope, Exemplars, Hello, ModelChunk, Observations, Preview, Status
from tests.passerby.wire_samples import (
    BOOT,
    HALL,
    MODEL,
    SAMPLES,
    SAMPLES_1_0,
    SAMPLES_1_1,
    SAMPLES_1_2,
    TRACKLET,
    same,
)

_GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_message_comes_back_as_it_went(kind: str) -> None:
    assert same(decode(encode(SAMPLES[kind])), SAMPLES[kind])


@pytest.mark.parametrize(
    "path", sorted(_GOLDEN.glob("v1.*/*.msgpack")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_golden_bytes_decode_for_ever(path: Path) -> None:
    parts = msgspec.msgpack.decode(path.read_bytes(), type=list[bytes])
    samples = {"v1.0": SAMPLES_1_0, "v1.1": SAMPLES_1_1, "v1.2": SAMPLES_1_2, "v1.3": SAMPLES}[path.parent.name]
    assert same(decode(parts), samples[path.stem])


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2", "v1.3"])
def test_every_kind_has_golden_bytes(version: str) -> None:
    assert {path.stem for path in _GOLDEN.glob(f"{version}/*.msgpack")} == set(SAMPLES)


def test_an_update_without_observations_or_crops_is_a_message() -> None:
    update = dataclasses.replace(TRACKLET, observations=Observations.empty(), crops={})
    assert same(decode(encode(Envelope(BOOT, 1, update))), Envelope(BOOT, 1, update))


def test_an_update_without_exemplars_is_a_message() -> None:
    none = Exemplars(
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros((0, 4), np.float32),
        np.zeros(0, np.float32),
        np.zeros((0, 4), np.float32),
    )
    update = dataclasses.replace(TRACKLET, exemplars=none, crops={})
    assert same(decode(encode(Envelope(BOOT, 1, update))), Envelope(BOOT, 1, update))


def test_arrays_of_any_memory_order_are_sent_by_value() -> None:
    embeddings = np.asfortranarray(np.arange(8, dtype=np.float32).reshape(2, 4))
    update = dataclasses.replace(
        TRACKLET, exemplars=dataclasses.replace(TRACKLET.exemplars, embeddings=embeddings), crops={}
    )
    received = decode(encode(Envelope(BOOT, 1, update))).message
    assert np.array_equal(received.exemplars.embeddings, embeddings)  # type: ignore[union-attr]


def test_the_header_is_readable_when_the_body_is_not() -> None:
    parts = encode(SAMPLES["tracklet"])
    view = read_header([_with(parts[0], body={"nonsense": 1}), *parts[1:]])
    assert (view.kind, view.boot_id, view.seq) == ("tracklet", BOOT, 41)


# What a newer minor version may add


def test_unknown_header_keys_and_body_keys_of_a_newer_minor_version_are_ignored() -> None:
    parts = encode(SAMPLES["hello"])
    header = _unpacked(parts[0])
    newer = {**header, "v": [1, 7], "shiny": {"a": [1, 2]}, "body": {**header["body"], "mood": "good"}}
    assert decode([msgspec.msgpack.encode(newer)]) == SAMPLES["hello"]


def test_unknown_parts_of_a_newer_minor_version_are_ignored() -> None:
    parts = encode(SAMPLES["tracklet"])
    header = _unpacked(parts[0])
    table = [*header["parts"], {"name": "poses", "dtype": "<f8", "shape": [1], "unit": "px"}]
    assert same(decode([_with(parts[0], parts=table), *parts[1:], bytes(8)]), SAMPLES["tracklet"])


@pytest.mark.parametrize("version", [[0, 9], [2, 0], [1], [], [1, 0, 0]])
def test_another_major_version_is_refused(version: list[int]) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        decode([_with(encode(SAMPLES["hello"])[0], v=version)])
    assert caught.value.reason == "version"


# What is no message


def _change(**changes: Any) -> Callable[[list[bytes]], list[bytes]]:
    return lambda parts: [_with(parts[0], **changes), *parts[1:]]


def _change_body(**changes: Any) -> Callable[[list[bytes]], list[bytes]]:
    def apply(parts: list[bytes]) -> list[bytes]:
        return [_with(parts[0], body={**_unpacked(parts[0])["body"], **changes}), *parts[1:]]

    return apply


def _change_entry(entry_name: str, /, **changes: Any) -> Callable[[list[bytes]], list[bytes]]:
    def apply(parts: list[bytes]) -> list[bytes]:
        table = [
            {**entry, **changes} if entry["name"] == entry_name else entry for entry in _unpacked(parts[0])["parts"]
        ]
        return [_with(parts[0], parts=table), *parts[1:]]

    return apply


def _change_array(name: str, values: Any) -> Callable[[list[bytes]], list[bytes]]:
    def apply(parts: list[bytes]) -> list[bytes]:
        names = [entry["name"] for entry in _unpacked(parts[0])["parts"]]
        place = names.index(name) + 1
        dtype = _unpacked(parts[0])["parts"][place - 1]["dtype"]
        return [*parts[:place], np.asarray(values, dtype).tobytes(), *parts[place + 1 :]]

    return apply


def _change_array_and_entry(name: str, values: Any) -> Callable[[list[bytes]], list[bytes]]:
    return lambda parts: _change_entry(name, shape=list(np.shape(values)))(_change_array(name, values)(parts))


_NAN_ROW = [[1.0, 2.0, 3.0, 4.0], [float("nan"), 0.0, 1.0, 0.0]]
_MALFORMED: list[tuple[str, str, Callable[[list[bytes]], list[bytes]]]] = [
    ("no parts", "empty", lambda _: []),
    ("not msgpack", "header", lambda parts: [b"\xc1", *parts[1:]]),
    ("an empty header", "header", lambda parts: [b"", *parts[1:]]),
    ("text for a header", "header", lambda parts: [msgspec.msgpack.encode("hello"), *parts[1:]]),
    ("bytes after the header", "header", lambda parts: [parts[0] + b"\0", *parts[1:]]),
    ("a bomb of nested lists", "header", lambda parts: [b"\x81\xa1v" + b"\x91" * 100_000, *parts[1:]]),
    ("a list that claims 4 billion entries", "header", lambda parts: [b"\x81\xa1v\xdd\xff\xff\xff\xff", *parts[1:]]),
    ("too many parts", "too-many-parts", lambda parts: parts + [b""] * MAX_PARTS),
    ("a part too large", "too-large", lambda parts: [*parts[:-1], bytes(MAX_PART_BYTES + 1)]),
    ("parts too large together", "too-large", lambda parts: parts + [bytes(MAX_PART_BYTES)] * 2),
    ("a header too large", "too-large", lambda parts: [bytes((1 << 20) + 1), *parts[1:]]),
    ("an unknown kind", "kind", _change(kind="gossip")),
    ("a short boot id", "boot-id", _change(boot=b"short")),
    ("a text for a boot id", "header", _change(boot="0123456789abcdef")),
    ("a negative sequence number", "sequence", _change(seq=-1)),
    ("a sequence number beyond a database", "sequence", _change(seq=1 << 63)),
    ("a reliable kind without a number", "sequence", _change(seq=0)),
    ("a body of another kind", "body", _change(body={"window": 3})),
    ("no body", "header", _change(body=...)),
    ("a wrong type", "body", _change_body(tracklet_id="7")),
    ("a truth for a number", "body", _change_body(revision=True)),
    ("a camera name with a path", "identifier", _change_body(camera_id="../../etc")),
    ("an empty camera name", "identifier", _change_body(camera_id="")),
    ("an empty model id", "identifier", _change_body(model_id="")),
    ("tracklet zero", "range", _change_body(tracklet_id=0)),
    ("revision zero", "range", _change_body(revision=0)),
    ("a negative time", "range", _change_body(started_at_ns=-1)),
    ("a time beyond a database", "range", _change_body(ended_at_ns=1 << 63)),
    ("a picture without pixels", "range", _change_body(frame_size=[0, 720])),
    ("an unknown clock", "body", _change_body(clock={"source": "sundial", "error_ns": 0})),
    ("a negative clock error", "range", _change_body(clock={"source": "host", "error_ns": -5})),
    ("a crop named twice", "range", _change_body(crops=[4, 4])),
    ("a crop without its picture", "missing-part", _change_body(crops=[4, 2, 9])),
    ("an array that did not come", "part-table", lambda parts: parts[:-1]),
    ("a part that nobody announced", "part-table", lambda parts: [*parts, b"x"]),
    ("two parts of one name", "part-table", _change_entry("embedding", name="best.quality")),
    ("a part under another name", "missing-part", _change_entry("embedding", name="embeding")),
    ("a wrong dtype", "dtype", _change_entry("embedding", dtype="<f8")),
    ("an object dtype", "dtype", _change_entry("embedding", dtype="|O")),
    ("an embedding of two axes", "shape", _change_entry("embedding", shape=[2, 2])),
    ("a negative axis", "shape", _change_entry("seen.frame_numbers", shape=[-2])),
    ("an axis of 2^60", "length", _change_entry("seen.frame_numbers", shape=[1 << 60])),
    ("an axis of 2^60 that is no row of ours", "shape", _change_entry("best.quality", shape=[1 << 60])),
    ("more rows than the bound", "rows", _change_array_and_entry("seen.frame_numbers", np.arange(16_385))),
    ("embeddings of another width", "shape", _change_entry("best.embeddings", shape=[1, 8])),
    ("embeddings without width", "length", _change_entry("best.embeddings", shape=[2, 0])),
    ("a truncated array", "length", lambda parts: [parts[0], parts[1][:-1], *parts[2:]]),
    ("an empty picture", "length", lambda parts: [*parts[:-1], b""]),
    ("NaN in an embedding", "not-finite", _change_array("embedding", [0, float("nan"), 0, 0])),
    ("infinity in an exemplar", "not-finite", _change_array("best.embeddings", [[np.inf] * 4, [0] * 4])),
    ("NaN in a box", "not-finite", _change_array("seen.boxes_xyxy", _NAN_ROW)),
    ("a box of 10^30 pixels", "range", _change_array("best.boxes_xyxy", [[0, 0, 1e30, 1]] * 2)),
    ("a box turned inside out", "range", _change_array("best.boxes_xyxy", [[5, 0, 4, 1]] * 2)),
    ("NaN for a confidence", "range", _change_array("seen.confidence", [0.5, float("nan")])),
    ("a quality above one", "range", _change_array("best.quality", [0.5, 1.5])),
    ("a negative capture time", "range", _change_array("seen.captured_at_ns", [-1, 5])),
    ("an exemplar twice", "range", _change_array("best.crop_ids", [4, 4])),
]


@pytest.mark.parametrize(("what", "reason", "spoil"), _MALFORMED, ids=[case[0] for case in _MALFORMED])
def test_what_is_no_message_is_refused_with_its_reason(
    what: str, reason: str, spoil: Callable[[list[bytes]], list[bytes]]
) -> None:
    spoilt = spoil(encode(SAMPLES["tracklet"]))
    tracemalloc.start()
    try:
        with pytest.raises(MalformedMessageError) as caught:
            decode(spoilt)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.reason == reason
    assert peak < 1 << 20, f"{what} made the decoder allocate {peak} bytes"


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("status", {"sent_at_ns": -1}, "range"),
        ("status", {"cameras": [{"camera_id": "hall", "state": "asleep"}]}, "body"),
        ("status", {"cameras": [{"camera_id": "ha ll", "state": "live"}]}, "identifier"),
        ("status", {"cameras": [{"camera_id": "hall", "state": "live", "achieved_fps": float("nan")}]}, "range"),
        ("status", {"cameras": [{"camera_id": "hall", "state": "live", "detail": "x" * 5000}]}, "text"),
        ("status", {"cameras": [{"camera_id": "hall", "state": "live"}] * 1025}, "rows"),
        ("hello", {"cameras": ["hall", "no/such"]}, "identifier"),
        ("hello", {"camera_models": {"no/such": "m@1"}}, "identifier"),
        ("hello", {"camera_models": {"hall": ""}}, "identifier"),
        ("hello", {"camera_models": {"hall": 7}}, "body"),
        ("hello", {"camera_models": {f"c{number}": "m@1" for number in range(1025)}}, "rows"),
        ("model-offer", {"cameras": ["ha ll"]}, "identifier"),
        ("model-offer", {"cameras": ["hall"] * 1025}, "rows"),
        ("refusal", {"reason": "Because!"}, "identifier"),
        ("ack", {"boot_id": b"short"}, "boot-id"),
        ("camera", {"settings": {"fps": float("inf")}}, "not-finite"),
        ("camera", {"settings": {"fps": msgspec.msgpack.Ext(5, b"x")}}, "body"),
        ("camera", {"settings": {"a": {3: 4}}}, "body"),
        ("model-offer", {"files": [{"name": "x", "size": 1, "sha256": "short"}]}, "identifier"),
    ],
)
def test_values_out_of_bounds_are_refused(kind: str, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        decode(_change_body(**changes)(encode(SAMPLES[kind])))
    assert caught.value.reason == reason


# What a sender may not send


def test_a_picture_over_the_bound_is_refused_before_it_is_sent() -> None:
    with pytest.raises(MessageTooLargeError, match=str(MAX_PART_BYTES)):
        encode(Envelope(BOOT, 0, Preview(camera_id=HALL, captured_at_ns=1, jpeg=bytes(MAX_PART_BYTES + 1))))


def test_crops_over_the_bound_together_are_refused_before_they_are_sent() -> None:
    crops = {number: bytes(MAX_MESSAGE_BYTES // 3) for number in (4, 2, 9)}
    with pytest.raises(MessageTooLargeError, match=str(MAX_MESSAGE_BYTES)):
        encode(Envelope(BOOT, 1, dataclasses.replace(TRACKLET, crops=crops)))


def test_more_rows_than_the_bound_are_refused_before_they_are_sent() -> None:
    rows = 16_385
    many = Observations(
        np.arange(rows),
        np.arange(rows),
        np.zeros((rows, 4), np.float32),
        np.zeros(rows, np.float32),
    )
    with pytest.raises(MessageTooLargeError, match="16385 observations"):
        encode(Envelope(BOOT, 1, dataclasses.replace(TRACKLET, observations=many)))


def test_a_settings_map_over_the_bound_is_refused_before_it_is_sent() -> None:
    huge = [CameraStatus(camera_id=HALL, state="live", detail="x" * 4096)] * 300
    with pytest.raises(MessageTooLargeError, match="header"):
        encode(Envelope(BOOT, 1, Status(sent_at_ns=1, cameras=huge)))


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        (Envelope(BOOT, 0, TRACKLET), "sequence"),
        (Envelope(BOOT, 5, SAMPLES["hello"].message), "sequence"),
        (Envelope(BootId(b"short"), 0, SAMPLES["hello"].message), "boot-id"),
        (Envelope(BOOT, 1, dataclasses.replace(TRACKLET, tracklet_id=TrackletId(0))), "range"),
        (Envelope(BOOT, 1, dataclasses.replace(TRACKLET, embedding=np.zeros(4))), "dtype"),
        (Envelope(BOOT, 1, dataclasses.replace(TRACKLET, embedding=np.full(4, np.nan, np.float32))), "not-finite"),
        (Envelope(BOOT, 0, Hello(software="\ud800", cameras=[HALL], model_id=MODEL)), "body"),
        (Envelope(BOOT, 0, Hello(software="x", cameras=[CameraId("a b")], model_id=ModelId("m"))), "identifier"),
        (Envelope(BOOT, 0, ModelChunk(model_id=MODEL, file_name="f", offset=1 << 64, data=b"x")), "body"),
        (Envelope(BOOT, 0, ModelChunk(model_id=MODEL, file_name="f", offset=0, data=b"")), "length"),
    ],
)
def test_a_message_that_no_receiver_would_take_is_refused_by_the_sender(envelope: Envelope, reason: str) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        encode(envelope)
    assert caught.value.reason == reason


def _unpacked(header: bytes) -> dict[str, Any]:
    unpacked: dict[str, Any] = msgspec.msgpack.decode(header)
    return unpacked


def _with(header: bytes, **changes: Any) -> bytes:
    """The header with keys replaced, or left out where the change is `...`."""
    merged = {**_unpacked(header), **changes}
    return msgspec.msgpack.encode({key: value for key, value in merged.items() if value is not ...})
