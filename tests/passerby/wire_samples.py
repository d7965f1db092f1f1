"""One message of every kind with every value written out, and what it means that two messages are equal."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from msgspec.structs import replace

from passerby.ids import BootId, CameraId, ModelId, TrackletId
from passerby.messages import (
    Ack,
    Backlog,
    CameraCommand,
    CameraStatus,
    Clock,
    CommandAnswer,
    Credit,
    Envelope,
    Exemplars,
    Heartbeat,
    Hello,
    Marked,
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

BOOT = BootId(bytes(range(16)))
NOON = 1_760_000_000_000_000_000
HALL = CameraId("hall")
MODEL = ModelId("person-reidentification-retail-0288@1")

TRACKLET = TrackletUpdate(
    camera_id=HALL,
    tracklet_id=TrackletId(7),
    revision=3,
    model_id=MODEL,
    started_at_ns=NOON,
    ended_at_ns=NOON + 400_000_000,
    clock=Clock(source="rtcp", error_ns=2_000_000),
    frame_size=(1280, 720),
    final=True,
    observations=Observations(
        frame_numbers=np.array([10, 12], np.int64),
        captured_at_ns=np.array([NOON + 200_000_000, NOON + 400_000_000], np.int64),
        boxes_xyxy=np.array([[1.5, 2.0, 30.25, 90.0], [-4.0, 2.0, 28.0, 91.0]], np.float32),
        confidence=np.array([0.5, 1.0], np.float32),
    ),
    embedding=np.array([0.25, -1.5, 3.0, 1e-30], np.float32),
    exemplars=Exemplars(
        crop_ids=np.array([4, 2], np.int64),
        captured_at_ns=np.array([NOON, NOON + 200_000_000], np.int64),
        boxes_xyxy=np.array([[0.0, 0.0, 10.0, 20.0], [1.0, 1.0, 11.0, 21.0]], np.float32),
        quality=np.array([0.75, 0.0], np.float32),
        embeddings=np.array([[1.0, 2.0, 3.0, 4.0], [-0.5, 0.0, 65504.0, 0.125]], np.float16),
    ),
    crops={4: b"\xff\xd8\xff\xe0 first \xff\xd9", 2: b"\xff\xd8\xff\xe0 second \xff\xd9"},
)

SAMPLES = {
    "hello": Envelope(
        BOOT,
        0,
        Hello(
            software="passerby 0.1.0",
            cameras=[HALL, CameraId("lobby")],
            model_id=MODEL,
            camera_models={HALL: ModelId("adapted@2")},
        ),
    ),
    "tracklet": Envelope(BOOT, 41, TRACKLET),
    "status": Envelope(
        BOOT,
        42,
        Status(
            sent_at_ns=NOON,
            cameras=[
                CameraStatus(
                    camera_id=HALL,
                    state="live",
                    detail="",
                    width=1280,
                    height=720,
                    expected_fps=25.0,
                    achieved_fps=4.98,
                    frames=100,
                    skipped_frames=3,
                    reconnects=1,
                    stalls=2,
                    tracklets=9,
                    last_frame_at_ns=NOON - 1,
                    clock=Clock(source="host", error_ns=500_000_000),
                    id_switches=4,
                ),
                CameraStatus(camera_id=CameraId("lobby"), state="failed", detail="wrong password for rtsp://***@lobby"),
            ],
            spooled_messages=5,
            spooled_bytes=1234,
            refused_messages=1,
            answers=[CommandAnswer(command_id=9), CommandAnswer(command_id=10, refused="camera hall: no such key")],
        ),
    ),
    "heartbeat": Envelope(
        BOOT,
        0,
        Heartbeat(sent_at_ns=NOON, backlog=Backlog(messages=5, size=1234, waited_ns=2_000_000_000, refused=1)),
    ),
    "preview": Envelope(
        BOOT,
        0,
        Preview(
            camera_id=HALL,
            captured_at_ns=NOON,
            jpeg=b"\xff\xd8 picture \xff\xd9",
            people=[
                Marked(tracklet_id=TrackletId(7), box_xyxy=(10.5, 20.0, 60.0, 170.25)),
                Marked(tracklet_id=TrackletId(9), box_xyxy=(0.0, 0.0, 1.0, 2.0)),
            ],
        ),
    ),
    "model-request": Envelope(BOOT, 0, ModelRequest(model_id=MODEL, file_name="reid.onnx", offset=1 << 20)),
    "welcome": Envelope(BOOT, 0, Welcome(software="passerby 0.1.0", credit=256, committed_seq=40)),
    "ack": Envelope(BOOT, 0, Ack(boot_id=BootId(b"another boot! 16"), seq=41)),
    "refusal": Envelope(BOOT, 0, Refusal(boot_id=BOOT, seq=42, reason="camera-not-allowed")),
    "credit": Envelope(BOOT, 0, Credit(window=64)),
    "camera": Envelope(
        BOOT,
        0,
        CameraCommand(
            command_id=3,
            camera_id=HALL,
            action="edit",
            settings={"fps": 2.5, "zones": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]], "enabled": True, "url": None},
        ),
    ),
    "model-offer": Envelope(
        BOOT,
        0,
        ModelOffer(
            model_id=MODEL,
            manifest={"name": "reid", "preprocessing": {"mean": [-1.5, 0.0, 2.0]}},
            files=[ModelFile(name="reid.onnx", size=3_000_000_000, sha256="0a" * 32)],
            chunk_bytes=1 << 20,
            cameras=[HALL],
        ),
    ),
    "model-chunk": Envelope(
        BOOT, 0, ModelChunk(model_id=MODEL, file_name="reid.onnx", offset=0, data=bytes(range(256)))
    ),
}

_STATUS = SAMPLES["status"].message

SAMPLES_1_2 = {
    **SAMPLES,
    "status": Envelope(BOOT, 42, replace(_STATUS, cameras=[replace(one, id_switches=0) for one in _STATUS.cameras])),
    "heartbeat": Envelope(BOOT, 0, Heartbeat(sent_at_ns=NOON)),
}
"""What version 1.2 could say."""

SAMPLES_1_1 = {**SAMPLES_1_2, "preview": Envelope(BOOT, 0, replace(SAMPLES["preview"].message, people=[]))}
"""What version 1.1 could say."""

SAMPLES_1_0 = {
    **SAMPLES_1_1,
    "hello": Envelope(BOOT, 0, Hello(software="passerby 0.1.0", cameras=[HALL, CameraId("lobby")], model_id=MODEL)),
    "model-offer": Envelope(BOOT, 0, replace(SAMPLES["model-offer"].message, cameras=[])),
    "status": Envelope(BOOT, 42, replace(SAMPLES_1_2["status"].message, answers=[])),
}
"""What version 1.0 could say."""


def same(left: Any, right: Any) -> bool:
    """Equal in every value, and arrays in type and shape too."""
    if isinstance(left, np.ndarray):
        return (
            isinstance(right, np.ndarray)
            and left.dtype == right.dtype
            and left.shape == right.shape
            and left.tobytes() == right.tobytes()
        )
    if is_dataclass(left):
        return type(left) is type(right) and all(
            same(getattr(left, field.name), getattr(right, field.name)) for field in fields(left)
        )
    if isinstance(left, Envelope):
        return (
            isinstance(right, Envelope)
            and (left.boot_id, left.seq) == (right.boot_id, right.seq)
            and same(left.message, right.message)
        )
    return bool(left == right) and type(left) is type(right)
