"""The codec against arbitrary messages, arbitrary bytes, and messages with a few bytes changed."""

import contextlib
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from passerby.codec import decode, encode, read_header
from passerby.errors import MalformedMessageError
from passerby.ids import BootId, CameraId, ModelId, TrackletId
from passerby.messages import (
    Ack,
    CameraCommand,
    CameraStatus,
    Clock,
    Credit,
    Envelope,
    Exemplars,
    Heartbeat,
    Hello,
    Marked,
    Message,
    ModelChunk,
    ModelFile,
    ModelOffer,
    ModelRequest,
    Observations,
    Preview,
    Refusal,
    Status,
    TrackletUpdate,
    Welcome,
)
from tests.passerby.wire_samples import SAMPLES, same

_numbers = st.integers(0, 2**63 - 1)
_from_one = st.integers(1, 2**63 - 1)
_cameras = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True).map(CameraId)
_models = st.from_regex(r"[a-z0-9-]{1,20}@[0-9]{1,3}", fullmatch=True).map(ModelId)
_boots = st.binary(min_size=16, max_size=16).map(BootId)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
_data = st.binary(min_size=1, max_size=200)
_rates = st.floats(0, 1e6)
_clocks = st.builds(Clock, source=st.sampled_from(["rtcp", "host", "file"]), error_ns=_numbers)
_plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(-1e9, 1e9) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)
_statuses = st.builds(
    CameraStatus,
    camera_id=_cameras,
    state=st.sampled_from(["connecting", "live", "stalled", "waiting", "paused", "ended", "failed"]),
    detail=_texts,
    width=_numbers,
    expected_fps=_rates,
    achieved_fps=_rates,
    frames=_numbers,
    last_frame_at_ns=_numbers,
    clock=st.none() | _clocks,
)


@st.composite
def _boxes(draw: st.DrawFn, rows: int) -> Any:
    corner = draw(arrays.arrays(np.float32, (rows, 2), elements=st.floats(-1000, 4000, width=32)))
    size = draw(arrays.arrays(np.float32, (rows, 2), elements=st.floats(0, 4000, width=32)))
    return np.concatenate([corner, corner + size], axis=1)


@st.composite
def _updates(draw: st.DrawFn) -> TrackletUpdate:
    seen, best, width = draw(st.integers(0, 5)), draw(st.integers(0, 4)), draw(st.integers(1, 9))
    times = st.integers(0, 2**62)
    fractions = st.floats(0, 1, width=32)
    dtype = draw(st.sampled_from([np.float16, np.float32]))
    crop_ids = draw(st.lists(_numbers, min_size=best, max_size=best, unique=True))
    return TrackletUpdate(
        camera_id=draw(_cameras),
        tracklet_id=TrackletId(draw(_from_one)),
        revision=draw(_from_one),
        model_id=draw(_models),
        started_at_ns=draw(_numbers),
        ended_at_ns=draw(_numbers),
        clock=draw(_clocks),
        frame_size=(draw(st.integers(1, 65535)), draw(st.integers(1, 65535))),
        final=draw(st.booleans()),
        observations=Observations(
            draw(arrays.arrays(np.int64, seen, elements=times)),
            draw(arrays.arrays(np.int64, seen, elements=times)),
            draw(_boxes(seen)),
            draw(arrays.arrays(np.float32, seen, elements=fractions)),
        ),
        embedding=draw(arrays.arrays(np.float32, width, elements=st.floats(-(2.0**100), 2.0**100, width=32))),
        exemplars=Exemplars(
            np.array(crop_ids, np.int64),
            draw(arrays.arrays(np.int64, best, elements=times)),
            draw(_boxes(best)),
            draw(arrays.arrays(np.float32, best, elements=fractions)),
            draw(arrays.arrays(dtype, (best, width), elements=st.floats(-60000, 60000, width=16))),
        ),
        crops=draw(st.dictionaries(st.sampled_from(crop_ids), _data)) if crop_ids else {},
    )


_marks = st.tuples(*[st.floats(0, 500)] * 2, *[st.floats(500, 1000)] * 2)
_reliable = _updates() | st.builds(Status, sent_at_ns=_numbers, cameras=st.lists(_statuses, max_size=3))
_lossy: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        Hello,
        software=_texts,
        cameras=st.lists(_cameras, max_size=4),
        model_id=_models,
        camera_models=st.dictionaries(_cameras, _models, max_size=3),
    ),
    st.builds(Heartbeat, sent_at_ns=_numbers),
    st.builds(
        Preview,
        camera_id=_cameras,
        captured_at_ns=_numbers,
        jpeg=_data,
        people=st.lists(st.builds(Marked, tracklet_id=_from_one, box_xyxy=_marks), max_size=3),
    ),
    st.builds(ModelRequest, model_id=_models, file_name=st.just("model.onnx"), offset=_numbers),
    st.builds(Welcome, software=_texts, credit=_numbers, committed_seq=_numbers),
    st.builds(Ack, boot_id=_boots, seq=_numbers),
    st.builds(Refusal, boot_id=_boots, seq=_numbers, reason=st.just("camera-not-allowed")),
    st.builds(Credit, window=_numbers),
    st.builds(
        CameraCommand,
        command_id=_numbers,
        camera_id=_cameras,
        action=st.sampled_from(["attach", "edit", "pause", "resume", "remove", "zones", "preview"]),
        settings=st.dictionaries(_texts, _plain, max_size=3),
    ),
    st.builds(
        ModelOffer,
        model_id=_models,
        manifest=st.dictionaries(_texts, _plain, max_size=3),
        files=st.lists(st.builds(ModelFile, name=st.just("m.onnx"), size=_numbers, sha256=st.just("ab" * 32))),
        chunk_bytes=_numbers,
        cameras=st.lists(_cameras, max_size=3),
    ),
    st.builds(ModelChunk, model_id=_models, file_name=st.just("m.onnx"), offset=_numbers, data=_data),
)
_envelopes = st.builds(Envelope, _boots, _from_one, _reliable) | st.builds(Envelope, _boots, st.just(0), _lossy)


@settings(max_examples=150, deadline=None)
@given(_envelopes)
def test_any_message_comes_back_as_it_went(envelope: Envelope) -> None:
    assert same(decode(encode(envelope)), envelope)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=5))
def test_random_bytes_are_refused_and_nothing_else_happens(parts: list[bytes]) -> None:
    for read in (decode, read_header):
        with contextlib.suppress(MalformedMessageError):
            read(parts)


@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from(sorted(SAMPLES)))
def test_a_message_with_changed_bytes_is_a_message_or_refused(data: st.DataObject, kind: str) -> None:
    parts = [bytearray(part) for part in encode(SAMPLES[kind])]
    for _ in range(data.draw(st.integers(1, 4))):
        part = parts[data.draw(st.integers(0, len(parts) - 1))]
        place = data.draw(st.integers(0, len(part)))
        match data.draw(st.sampled_from(["replace", "insert", "cut"])):
            case "replace":
                part[place : place + 1] = bytes([data.draw(st.integers(0, 255))])
            case "insert":
                part[place:place] = data.draw(st.binary(min_size=1, max_size=6))
            case "cut":
                del part[place:]
    spoilt = [bytes(part) for part in parts]
    try:
        again = decode(spoilt)
    except MalformedMessageError:
        return
    assert same(decode(encode(again)), again), "what is taken can be sent on"
