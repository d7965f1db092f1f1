"""The keys of the site file, as frozen structs. Each has the default that a new user would want."""

from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from passerby.config.outgoing import MqttSettings, WebhookSettings
from passerby.config.timetable import PATTERN as TIMETABLE
from passerby.ids import CameraId
from passerby.redaction import redact

Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, Meta(gt=0.0, le=86400.0)]
Days = Annotated[float, Meta(ge=0.0, le=36_500.0)]
Gap = Annotated[float, Meta(ge=0.0, le=86400.0)]
"""Seconds between two sightings."""
ZmqAddress = Annotated[str, Meta(pattern=r"^(tcp|ipc)://\S+$")]
Polygon = Annotated[list[tuple[Fraction, Fraction]], Meta(min_length=3)]
"""Corners (x, y) as fractions of the picture's width and height."""


class _Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings are frozen and know their keys."""


class CameraSettings(_Settings, frozen=True, kw_only=True):
    """One camera. Every key but `url` may stand under `defaults` too."""

    url: Annotated[str, Meta(min_length=1)]
    """rtsp://, http(s)://, a video file, or a folder of images."""
    enabled: bool = True
    fps: Annotated[float, Meta(gt=0.0, le=120.0)] = 5.0
    """Frames looked at per second, at most."""
    rtsp_transport: Literal["tcp", "udp"] = "tcp"
    open_timeout_s: Seconds = 10.0
    """From the first word to the first picture. A camera with ten seconds between keyframes may need them."""
    read_timeout_s: Seconds = 5.0
    """Nothing at all for so long: the connection is made anew."""
    stall_after_s: Seconds = 20.0
    """Data but no picture for so long: the connection is made anew. One that gave pictures before is given up sooner:
    once three keyframes have failed to come, after 5 s at least."""
    min_confidence: Fraction | None = None
    """Detections below it start no tracklet. By default what the detector's manifest says."""
    min_person_height: Annotated[int, Meta(ge=8, le=100_000)] = 48
    """Pixels; smaller people are not tracked."""
    zones: list[Polygon] = []
    """If any: only people whose feet are inside one of them count."""
    masks: list[Polygon] = []
    """People whose feet are inside any of them do not count."""
    tracker: Literal["ocsort", "bytetrack"] = "ocsort"
    """ByteTrack also follows people by detections that are hardly sure, and so strays to furniture more often."""
    lost_after_s: Seconds = 2.0
    """A tracklet not seen for so long is closed."""
    cut_id_switches: bool = True
    """End two tracklets where the tracker has exchanged their people in a crossing, as looks tell afterwards, and that
    of somebody of whom it is not known whether they have come back."""
    crops_per_tracklet: Annotated[int, Meta(ge=1, le=64)] = 5
    update_interval_s: Seconds = 1.0
    """An open tracklet tells the hub its news this often."""
    save_crops: bool = True

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("url", redact(self.url)), ("fps", self.fps)]

    def __repr__(self) -> str:
        return f"CameraSettings(url={redact(self.url)!r}, fps={self.fps})"


class ModelSettings(_Settings, frozen=True, kw_only=True):
    """Names in the registry, or paths of .onnx files with their manifest beside them."""

    detector: str = "person-detection-retail-0013"
    reid: str = "person-reidentification-retail-0288"


class TransitSettings(_Settings, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of getting from one camera to another; it outweighs what the hub learns by itself.

    With neither of the three, what was learned holds. Raises ValueError where it contradicts itself.
    """

    before: CameraId = field(name="from")
    after: CameraId = field(name="to")
    never: bool = False
    """Nobody who was last seen in `from` is next seen in `to`."""
    overlap: bool | None = None
    """Whether one person can be seen in both at once, which is then so in either direction."""
    transit: tuple[Gap, Gap] | None = None
    """From `from` to `to` it takes at least and at most so many seconds."""

    def __post_init__(self) -> None:
        if self.before == self.after:
            raise ValueError(f"`from` and `to` are both {self.before!r}; name two cameras")
        if self.never and self.transit is not None:
            raise ValueError("`never` and `transit` contradict each other; say one of them")
        if self.transit is not None and not self.transit[0] <= self.transit[1]:
            raise ValueError(f"`transit` ends before it begins: {list(self.transit)}; the shorter time comes first")


class AssociationSettings(_Settings, frozen=True, kw_only=True):
    """How tracklets become identities."""

    false_link_rate: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.01
    """Wrong automatic links among all automatic links."""
    normalize: Literal["camera", "none"] = "camera"
    forget_after_s: Annotated[float, Meta(gt=0.0, le=31_536_000.0)] = 86400.0
    """An identity not seen for so long takes no more tracklets."""
    topology: list[TransitSettings] = []
    """What is known of the ways between cameras, each directed pair once."""


class AdaptationSettings(_Settings, frozen=True, kw_only=True):
    """When the model adapts itself, and what that may take. Nothing is promoted by itself."""

    schedule: Annotated[str, Meta(pattern=TIMETABLE)] = "manual"
    """`manual`, `every 12 h`, or `daily 03:30` (the machine's local time)."""
    min_new_tracklets: Annotated[int, Meta(ge=1)] = 500
    """By schedule or drift it begins only where so many people have come and gone since the last one."""
    on_drift: bool = False
    """Also when a camera's colours or light have changed so much that `passerby normalization show` says it drifts."""
    recipe: str = "passerby"
    minutes: Annotated[float, Meta(ge=0.1, le=1440.0)] = 10.0
    """Of learning; freezing the past and judging the result come on top."""
    threads: Annotated[int, Meta(ge=0)] = 0
    """CPU threads; 0: a quarter of the machine's cores, and one at least."""
    memory_mib: Annotated[int, Meta(ge=512)] = 6144
    """Where it takes more it ends, before the live system lacks it."""
    most_crops: Annotated[int, Meta(ge=100)] = 20_000
    """The latest crops it learns from and is judged by."""


class RetentionSettings(_Settings, frozen=True, kw_only=True):
    """How long what was seen is kept, in days; 0: as long as there is room. Who is enrolled has a date of their own."""

    crops_days: Days = 90.0
    """Pictures of people; they go with their tracklet at the latest."""
    tracklets_days: Days = 365.0
    """Where somebody was seen, with embeddings, and with the last of them the person and their name."""
    audit_days: Days = 730.0
    """Who did what by way of the web."""


class HubSettings(_Settings, frozen=True, kw_only=True):
    """Where the hub listens, and what it bounds."""

    listen: ZmqAddress = "tcp://127.0.0.1:7600"
    """ZeroMQ address that the hub binds; edges of other machines need tcp://0.0.0.0:7600 or an interface's address."""
    address: ZmqAddress | None = None
    """Where edges connect, if not to `listen`."""
    window: Annotated[int, Meta(ge=1, le=100_000)] = 256
    """Unacknowledged messages that one edge may have under way."""


class WebSettings(_Settings, frozen=True, kw_only=True):
    """Where the web process serves."""

    listen: Annotated[str, Meta(pattern=r"^\S+:[0-9]{1,5}$")] = "127.0.0.1:8600"
    """HOST:PORT. Beyond this machine it needs TLS, or a proxy that does it."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    """Certificate and key, PEM; relative to the site file."""
    behind_proxy: str | None = None
    """The address of a proxy that does TLS; its word about who asks is taken."""


class EdgeSettings(_Settings, frozen=True, kw_only=True):
    """What an edge process bounds."""

    spool_mib: Annotated[int, Meta(ge=1)] = 512
    """Disk kept for what the hub has not acknowledged; when it is full the edge waits."""
    max_batch: Annotated[int, Meta(ge=1, le=256)] = 8
    """Cameras whose frames are looked at in one turn, at most."""
    batch_latency_ms: Annotated[float, Meta(ge=0.0, le=1000.0)] = 5.0
    """How long a picture waits for those of other cameras, where the detector gains by a shared batch."""
    threads: Annotated[int, Meta(ge=0)] = 0
    """CPU threads of an engine; 0 = the machine decides."""


class Site(_Settings, frozen=True, kw_only=True):
    """The whole file. Relative paths have been made absolute from the file's folder."""

    site: Annotated[str, Meta(min_length=1)]
    data: Path = field(default_factory=lambda: Path("./data"))
    engine: Literal["auto", "tensorrt", "openvino", "onnxruntime"] = "auto"
    models: ModelSettings = ModelSettings()
    cameras: dict[CameraId, CameraSettings]
    association: AssociationSettings = AssociationSettings()
    adaptation: AdaptationSettings = AdaptationSettings()
    retention: RetentionSettings = RetentionSettings()
    hub: HubSettings = HubSettings()
    web: WebSettings = WebSettings()
    edge: EdgeSettings = EdgeSettings()
    mqtt: MqttSettings = MqttSettings()
    webhooks: list[WebhookSettings] = []
