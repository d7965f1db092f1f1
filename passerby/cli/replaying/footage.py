"""From recordings to the messages that the edge would have sent, each with the time at which it would have come."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from edge.ahead import detected
from edge.frames import Frame
from edge.pipeline import CameraPipeline, complete_together, track_together, tracklet_ids
from edge.sources import open_source
from edge.sources.opening import is_live
from passerby.cli.replaying.order import simultaneous_frames
from passerby.codec import encode
from passerby.config import CameraSettings, Site
from passerby.errors import ConfigError
from passerby.ids import BootId, CameraId, EdgeId
from passerby.inference import DetectionEngine, EmbeddingEngine, load_detector, load_embedder
from passerby.messages import Envelope, TrackletUpdate
from passerby.models import find_model
from passerby.redaction import redact
from passerby.tape import TapeRecord

NS_PER_SECOND = 10**9
_CLOSING_NS = 1_000_000
"""So long after its last frame an edge sends what is left."""

START_NS = 946_684_800 * NS_PER_SECOND
"""All recordings begin at 2000-01-01T00:00:00Z, so that two replays are the same to the last byte."""

BOOT = BootId(b"passerby-replay.")
"""The boot id of the replayed edge."""

EDGE = EdgeId("replay")


def recorded_cameras(site: Site) -> dict[CameraId, CameraSettings]:
    """The enabled cameras of a site. Raises ConfigError for a live stream: it cannot be replayed."""
    cameras = {name: camera for name, camera in site.cameras.items() if camera.enabled}
    for name, camera in cameras.items():
        if is_live(camera.url):
            raise ConfigError(
                f"camera {name!r} is {redact(camera.url)}, a live stream; replay takes recordings (a video file or a "
                "folder of pictures). Use `passerby up` for live cameras"
            )
    if not cameras:
        raise ConfigError("every camera of the site is disabled; replay needs at least one")
    return cameras


def load_networks(site: Site) -> tuple[DetectionEngine, EmbeddingEngine]:
    """The detector and the re-ID network that the site names."""
    detector = find_model(site.models.detector, task="detect")
    reid = find_model(site.models.reid, task="embed")
    return (
        load_detector(detector, engine=site.engine, threads=site.edge.threads),
        load_embedder(reid, engine=site.engine, threads=site.edge.threads),
    )


def messages_of(
    cameras: Mapping[CameraId, CameraSettings],
    *,
    detector: DetectionEngine,
    embedder: EmbeddingEngine,
    on_frames: Callable[[list[Frame]], None],
) -> Iterator[list[TapeRecord]]:
    """What one edge with these cameras sends, instant by instant in capture order; `on_frames` hears of progress.

    A message comes at the capture time of the frame that caused it. Raises SourceError where a recording cannot be
    read.
    """
    ids = tracklet_ids()
    sources = [open_source(name, settings, realtime=False, start_at_ns=START_NS) for name, settings in cameras.items()]
    pipelines = {
        name: CameraPipeline(
            name, settings, detector=detector, embedder=embedder, tracklet_ids=ids, source_fps=source.info.fps
        )
        for (name, settings), source in zip(cameras.items(), sources, strict=True)
    }

    def turns() -> Iterator[list[tuple[CameraPipeline, Frame]]]:
        for frames in simultaneous_frames(sources):
            on_frames(frames)
            yield [(pipelines[frame.camera_id], frame) for frame in frames]

    boot = _Boot()
    last_seen_ns: dict[CameraId, int] = {}
    now_ns = START_NS
    for turn in detected(turns(), detector=detector):
        now_ns = turn.work[0][1].captured_at_ns
        last_seen_ns.update((frame.camera_id, now_ns) for _, frame in turn.work)
        over = [
            name for name, at_ns in last_seen_ns.items() if now_ns - at_ns > cameras[name].lost_after_s * NS_PER_SECOND
        ]
        drafts = [(pipelines[name], draft) for name in over for draft in pipelines[name].drain()]
        updates = complete_together(drafts)
        updates += track_together(turn.work, turn.detections)
        yield boot.send(updates, at_ns=now_ns)
    drafts = [(pipeline, draft) for pipeline in pipelines.values() for draft in pipeline.drain()]
    # Later than the last frame's: on a tape, messages of one time are those that the hub took together.
    yield boot.send(complete_together(drafts), at_ns=now_ns + _CLOSING_NS)


class _Boot:
    """The one life of the replayed edge: numbers its messages."""

    def __init__(self) -> None:
        self._seq = 0

    def send(self, updates: Sequence[TrackletUpdate], *, at_ns: int) -> list[TapeRecord]:
        records = []
        for update in updates:
            self._seq += 1
            records.append(TapeRecord(at_ns, EDGE, encode(Envelope(BOOT, self._seq, update))))
        return records
