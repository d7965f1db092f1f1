"""A site's tape with pictures: what its edges' trackers would tell, and the crops that they would send, rendered."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import msgspec
import numpy as np

from hub.playback import Batch, batches
from passerby.arrays import Image
from passerby.ids import BootId, CameraId, TrackletId
from passerby.inference import EmbeddingEngine
from passerby.messages import Envelope, TrackletUpdate
from passerby.tape import read_tape
from simulation.site import SimulatedSite
from simulation.tapes.recording import MAX_FPS, record_tape, truth_folder

_JPEG_QUALITY = 90
_AT_ONCE = 64

Crop = tuple[BootId, TrackletId, int]
"""A crop by the edge's name of its tracklet, and its number there."""


@dataclass(frozen=True, slots=True)
class PicturedSite:
    """A simulated site for so long; everything follows from these."""

    kind: str
    seed: int
    cameras: int
    people: int
    minutes: float

    @property
    def name(self) -> str:
        """For tables and files."""
        return f"{self.kind}-{self.seed}-{self.cameras}x{self.minutes:g}-{self.people}"

    def make(self) -> SimulatedSite:
        """The site itself."""
        return SimulatedSite.make(self.kind, seed=self.seed, cameras=self.cameras, people=self.people)


@dataclass(frozen=True, slots=True)
class PicturedTape:
    """The batches as they came, the JPEGs of their crops, and the folder of true boxes."""

    batches: Sequence[Batch]
    crops: Mapping[Crop, bytes]
    truth: Path


def pictured_tape(site: PicturedSite, cache: Path, *, progress: Callable[[float], None]) -> PicturedTape:
    """The site's tape with its crops, below `cache`, recorded and rendered unless they are there."""
    folder = cache / site.name
    tape = folder / "site.tape"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        record_tape(site.make(), tape, seconds=60 * site.minutes, progress=lambda share: progress(0.1 * share))
    played = list(batches(read_tape(tape)))
    wanted = _wanted(played)
    (folder / "crops").mkdir(exist_ok=True)
    if not (folder / "done").exists():
        _render(site.make(), wanted, folder / "crops", progress=lambda share: progress(0.1 + 0.9 * share))
        (folder / "done").touch()
    crops = {crop: _file(folder / "crops", crop).read_bytes() for crop in wanted}
    return PicturedTape(played, crops, truth_folder(tape) / "gt")


def seen_with(
    tape: PicturedTape, engine: EmbeddingEngine, *, shift_ns: int, begin: int = 0, end: int | None = None
) -> Iterator[Batch]:
    """Some of the batches, as edges with this network would have sent them so much later than they stand on the tape:
    its embeddings, and the pictures."""
    played = tape.batches[begin:end]
    cameras = {
        (envelope.boot_id, envelope.message.tracklet_id): envelope.message.camera_id
        for batch in played
        for _, envelope in batch.deliveries
        if isinstance(envelope.message, TrackletUpdate)
    }
    named = [crop for crop in tape.crops if crop[:2] in cameras]
    known: dict[Crop, np.ndarray] = {}
    for first in range(0, len(named), _AT_ONCE):
        some = named[first : first + _AT_ONCE]
        pictures = [_decoded(tape.crops[crop]) for crop in some]
        known.update(zip(some, engine.embed(pictures, [cameras[crop[:2]] for crop in some]), strict=True))
    sent: set[Crop] = set()
    for batch in played:
        yield Batch(
            batch.received_at_ns + shift_ns,
            [
                (edge_id, _later(_described(envelope, tape, known=known, model=engine, sent=sent), shift_ns))
                for edge_id, envelope in batch.deliveries
            ],
        )


def _described(
    envelope: Envelope,
    tape: PicturedTape,
    *,
    known: Mapping[Crop, np.ndarray],
    model: EmbeddingEngine,
    sent: set[Crop],
) -> Envelope:
    update = envelope.message
    if not isinstance(update, TrackletUpdate):
        return envelope
    crops = [(envelope.boot_id, update.tracklet_id, number) for number in update.exemplars.crop_ids.tolist()]
    embeddings = np.stack([known[crop] for crop in crops])
    message = replace(
        update,
        model_id=model.manifest.model_id,
        embedding=embeddings.mean(axis=0),
        exemplars=replace(update.exemplars, embeddings=embeddings),
        crops={crop[2]: tape.crops[crop] for crop in crops if crop not in sent},
    )
    sent.update(crops)
    return msgspec.structs.replace(envelope, message=message)


def _later(envelope: Envelope, shift_ns: int) -> Envelope:
    update = envelope.message
    if not isinstance(update, TrackletUpdate):
        return envelope
    seen, kept = update.observations, update.exemplars
    message = replace(
        update,
        started_at_ns=update.started_at_ns + shift_ns,
        ended_at_ns=update.ended_at_ns + shift_ns,
        observations=replace(seen, captured_at_ns=seen.captured_at_ns + shift_ns),
        exemplars=replace(kept, captured_at_ns=kept.captured_at_ns + shift_ns),
    )
    return msgspec.structs.replace(envelope, message=message)


def _wanted(played: Sequence[Batch]) -> dict[Crop, tuple[CameraId, int, np.ndarray]]:
    """Of each crop ever kept: its camera, frame of the tape from 0, and box (4,)."""
    frames: dict[tuple[BootId, TrackletId], dict[int, int]] = {}
    wanted: dict[Crop, tuple[CameraId, int, np.ndarray]] = {}
    for batch in played:
        for _, envelope in batch.deliveries:
            update = envelope.message
            if not isinstance(update, TrackletUpdate):
                continue
            mine = frames.setdefault((envelope.boot_id, update.tracklet_id), {})
            seen = update.observations
            mine.update(zip(seen.captured_at_ns.tolist(), (seen.frame_numbers - 1).tolist(), strict=True))
            kept = update.exemplars
            for row, number in enumerate(kept.crop_ids.tolist()):
                crop = (envelope.boot_id, update.tracklet_id, number)
                wanted[crop] = (update.camera_id, mine[int(kept.captured_at_ns[row])], kept.boxes_xyxy[row])
    return wanted


def _render(
    site: SimulatedSite,
    wanted: Mapping[Crop, tuple[CameraId, int, np.ndarray]],
    folder: Path,
    *,
    progress: Callable[[float], None],
) -> None:
    by_frame: dict[tuple[CameraId, int], list[Crop]] = {}
    for crop, (camera_id, frame, _) in wanted.items():
        by_frame.setdefault((camera_id, frame), []).append(crop)
    for done, ((camera_id, frame), crops) in enumerate(sorted(by_frame.items())):
        if all(_file(folder, crop).exists() for crop in crops):
            continue
        spec = site.spec(camera_id)
        picture = site.render(camera_id, round(frame * spec.fps / min(spec.fps, MAX_FPS))).image
        for crop in crops:
            left, top, right, bottom = np.round(wanted[crop][2]).astype(int).tolist()
            cut = picture[max(top, 0) : max(bottom, 1), max(left, 0) : max(right, 1)]
            cv2.imwrite(str(_file(folder, crop)), cut, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        progress(done / len(by_frame))


def _file(folder: Path, crop: Crop) -> Path:
    return folder / f"{crop[0].hex()}-{crop[1]}-{crop[2]}.jpg"


def _decoded(jpeg: bytes) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)
