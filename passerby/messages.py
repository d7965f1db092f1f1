"""What crosses the wire between an edge and the hub. docs/wire.md is the text, passerby.codec the bytes.

Edge to hub: Hello, TrackletUpdate, Status, Heartbeat, Preview, ModelRequest.
Hub to edge: Welcome, Ack, Refusal, Credit, CameraCommand, ModelOffer, ModelChunk.

TrackletUpdate and Status are *reliable*: spooled by the edge, sequence-numbered within its boot, delivered until
acknowledged. Everything else may be lost and is said again when it matters. Times are Unix nanoseconds (UTC).
"""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.ids import BootId, CameraId, ModelId, TrackletId

ClockSource: TypeAlias = Literal["rtcp", "host", "file"]
"""Where a capture time comes from: the camera's RTCP sender report, this host at reception, or a recorded file."""

CameraState: TypeAlias = Literal["connecting", "live", "stalled", "waiting", "paused", "ended", "failed"]
"""`waiting` is the back-off before the next attempt; `failed` needs somebody (wrong password, no such path)."""


class Clock(Struct, frozen=True, kw_only=True):
    """How far capture times may be trusted: true time is within `error_ns` of what is stated."""

    source: ClockSource
    error_ns: int


@dataclass(frozen=True, slots=True)
class Observations:
    """Where a tracklet was seen since its previous update; row i of each array is one frame, in time order.

    `frame_numbers` (n,) int64, the source's own count from 1; `captured_at_ns` (n,) int64;
    `boxes_xyxy` (n, 4) float32 pixels; `confidence` (n,) float32.
    """

    frame_numbers: Int64Array
    captured_at_ns: Int64Array
    boxes_xyxy: Float32Array
    confidence: Float32Array

    def __post_init__(self) -> None:
        require_shape("frame_numbers", self.frame_numbers, (None,))
        rows = len(self.frame_numbers)
        require_shape("captured_at_ns", self.captured_at_ns, (rows,))
        require_shape("boxes_xyxy", self.boxes_xyxy, (rows, 4))
        require_shape("confidence", self.confidence, (rows,))

    def __len__(self) -> int:
        return len(self.frame_numbers)

    @classmethod
    def empty(cls) -> "Observations":
        """Not seen since."""
        return cls(
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
        )


@dataclass(frozen=True, slots=True)
class Exemplars:
    """A tracklet's best crops as they now stand, best first; row i of each array is one crop.

    `crop_ids` (k,) int64, unique within the tracklet; `captured_at_ns` (k,) int64; `boxes_xyxy` (k, 4) float32;
    `quality` (k,) float32 in 0-1; `embeddings` (k, d) float32 or float16, raw: before camera normalization and L2.
    """

    crop_ids: Int64Array
    captured_at_ns: Int64Array
    boxes_xyxy: Float32Array
    quality: Float32Array
    embeddings: NDArray[np.floating[Any]]

    def __post_init__(self) -> None:
        require_shape("crop_ids", self.crop_ids, (None,))
        rows = len(self.crop_ids)
        require_shape("captured_at_ns", self.captured_at_ns, (rows,))
        require_shape("boxes_xyxy", self.boxes_xyxy, (rows, 4))
        require_shape("quality", self.quality, (rows,))
        require_shape("embeddings", self.embeddings, (rows, None))

    def __len__(self) -> int:
        return len(self.crop_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackletUpdate:
    """One person seen without a break by one camera: opened, grown, closed (`final`).

    Exemplars are the complete present set (an update replaces the former, and may have fewer); observations and crops
    are what is new.
    `embedding` (d,) is the mean over the exemplars, raw. `crops` maps a crop id to JPEG bytes; those that the former
    update's exemplars had are not sent again.
    """

    camera_id: CameraId
    tracklet_id: TrackletId
    revision: int
    """1 for the first update of the tracklet, then 2, 3, ..."""
    model_id: ModelId
    started_at_ns: int
    ended_at_ns: int
    """The last time seen so far."""
    clock: Clock
    frame_size: tuple[int, int]
    """(width, height) in pixels."""
    final: bool
    observations: Observations
    embedding: NDArray[np.floating[Any]]
    exemplars: Exemplars
    crops: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_shape("embedding", self.embedding, (self.exemplars.embeddings.shape[1],))


class CameraStatus(Struct, frozen=True, kw_only=True):
    """How one camera is doing, counted since the edge's boot."""

    camera_id: CameraId
    state: CameraState
    detail: str = ""
    """Why, for a person: never holds a password."""
    width: int = 0
    height: int = 0
    expected_fps: float = 0.0
    achieved_fps: float = 0.0
    frames: int = 0
    skipped_frames: int = 0
    """Decoded or offered but not looked at, because the machine was behind."""
    reconnects: int = 0
    stalls: int = 0
    tracklets: int = 0
    last_frame_at_ns: int = 0
    clock: Clock | None = None
    id_switches: int = 0
    """Times that two people were found exchanged after they crossed, and their tracklets were cut."""


class Hello(Struct, frozen=True, kw_only=True, tag="hello"):
    """First message of a connection: who speaks, for which cameras, with which model."""

    software: str
    cameras: list[CameraId]
    model_id: ModelId
    camera_models: dict[CameraId, ModelId] = {}
    """The cameras whose people another model than `model_id` describes."""


class CommandAnswer(Struct, frozen=True, kw_only=True):
    """What came of a CameraCommand, other than `preview`."""

    command_id: int
    refused: str = ""
    """Why nothing was done, for a person; empty: it was done."""


class Status(Struct, frozen=True, kw_only=True, tag="status"):
    """Every camera of the edge, on each change of state and every few seconds."""

    sent_at_ns: int
    cameras: list[CameraStatus]
    spooled_messages: int = 0
    spooled_bytes: int = 0
    refused_messages: int = 0
    """Messages that the hub refused for good, and that the edge dropped."""
    answers: list[CommandAnswer] = []
    """To the commands obeyed since the Status before."""


class Backlog(Struct, frozen=True, kw_only=True):
    """What waits in an edge for the hub: not acknowledged yet."""

    messages: int
    size: int
    """Bytes."""
    waited_ns: int | None = None
    """For how long the oldest has waited, by the edge's clock; None: nothing waits, or that is not known."""
    refused: int = 0
    """Messages that the hub refused for good, and that the edge dropped, since its boot."""


class Heartbeat(Struct, frozen=True, kw_only=True, tag="heartbeat"):
    """I am here. Either side may send it; the other's clock offset is estimated from it."""

    sent_at_ns: int
    backlog: Backlog | None = None
    """Of an edge. A Status tells it too, but comes behind everything that waits."""


class Marked(Struct, frozen=True, kw_only=True):
    """Somebody in a live picture, of whom the hub was told as a tracklet of this boot."""

    tracklet_id: TrackletId
    box_xyxy: tuple[float, float, float, float]
    """Pixels of the live picture, which may be smaller than the camera's."""


class Preview(Struct, frozen=True, kw_only=True, tag="preview"):
    """A live picture of a camera that somebody watches, with who is in it. May be lost."""

    camera_id: CameraId
    captured_at_ns: int
    jpeg: bytes
    people: list[Marked] = []


class ModelRequest(Struct, frozen=True, kw_only=True, tag="model-request"):
    """The edge asks for a piece of an offered model; one piece is under way at a time."""

    model_id: ModelId
    file_name: str
    offset: int


class Welcome(Struct, frozen=True, kw_only=True, tag="welcome"):
    """The hub knows this edge: what it may send at once, and what of its boot is committed already."""

    software: str
    credit: int
    committed_seq: int


class Ack(Struct, frozen=True, kw_only=True, tag="ack"):
    """Everything of this boot up to and including `seq` is committed; the edge may forget it."""

    boot_id: BootId
    seq: int


class Refusal(Struct, frozen=True, kw_only=True, tag="refusal"):
    """This one message will never be taken (reason is a short fixed word); the edge drops and counts it."""

    boot_id: BootId
    seq: int
    reason: str


class Credit(Struct, frozen=True, kw_only=True, tag="credit"):
    """The edge may have up to `window` unacknowledged reliable messages under way."""

    window: int


CameraAction: TypeAlias = Literal["attach", "edit", "pause", "resume", "remove", "zones", "preview"]


class CameraCommand(Struct, frozen=True, kw_only=True, tag="camera"):
    """The hub asks an edge to change a camera. `settings` are keys of a camera in the site file.

    `preview` has settings {"seconds": n}: send previews for so long, 0 to stop; with {"full": true} besides, rarer ones
    in the camera's own size.
    """

    command_id: int
    camera_id: CameraId
    action: CameraAction
    settings: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"CameraCommand({self.command_id}, {self.camera_id}, {self.action}, {sorted(self.settings)})"


class ModelFile(Struct, frozen=True, kw_only=True):
    """One file of an offered model."""

    name: str
    size: int
    sha256: str


class ModelOffer(Struct, frozen=True, kw_only=True, tag="model-offer"):
    """A model that the edge should fetch, verify and switch to."""

    model_id: ModelId
    manifest: dict[str, Any]
    files: list[ModelFile]
    chunk_bytes: int
    cameras: list[CameraId] = []
    """The cameras that it is for, while all others keep what they have; empty: all of the edge, later ones too."""


class ModelChunk(Struct, frozen=True, kw_only=True, tag="model-chunk"):
    """A piece of a model file."""

    model_id: ModelId
    file_name: str
    offset: int
    data: bytes


EdgeMessage: TypeAlias = Hello | TrackletUpdate | Status | Heartbeat | Preview | ModelRequest
HubMessage: TypeAlias = Welcome | Ack | Refusal | Credit | CameraCommand | ModelOffer | ModelChunk | Heartbeat
Message: TypeAlias = EdgeMessage | HubMessage


class Envelope(Struct, frozen=True):
    """A message with its place in the sender's stream.

    `seq` counts the reliable messages of `boot_id` from 1 without gaps; 0 marks a message that may be lost.
    """

    boot_id: BootId
    seq: int
    message: Message
