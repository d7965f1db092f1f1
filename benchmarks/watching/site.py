"""A simulated site whose past is in the hub's data, and whose next minutes are on a tape with pictures beside it."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import yaml

from hub.database.deferred import DeferredStorage
from hub.playback import Batch, Playback, batches
from hub.site_hub import Hub
from passerby.arrays import Image
from passerby.config import Site, load_site
from passerby.ids import CameraId, TrackletId
from passerby.messages import Envelope, TrackletUpdate
from passerby.tape import read_tape
from simulation.site import SimulatedSite
from simulation.tapes.live import moved
from simulation.tapes.recording import record_tape

PREVIEW_INTERVAL_S = 0.4
"""Edges send no more of a watched camera."""

_PREVIEWS = 15
_PREVIEW_QUALITY = 75
_CROP_QUALITY = 90
_CROPS = 40
_SMALLEST_CROP = 60


@dataclass(frozen=True, slots=True)
class WatchedSite:
    """A folder with a site file, a tape, and pictures: `previews`/CAMERA/NN.jpg and `crops`/NN.jpg."""

    folder: Path
    port: int
    past_s: float
    """What of the tape is in the data already."""

    @property
    def config(self) -> Path:
        return self.folder / "site.yaml"

    @property
    def tape(self) -> Path:
        return self.folder / "site.tape"

    def settings(self) -> Site:
        return load_site(self.config, secrets="left")

    def previews(self, camera_id: CameraId) -> list[bytes]:
        """Live pictures of a camera, one after the other."""
        return [file.read_bytes() for file in sorted((self.folder / "previews" / camera_id).glob("*.jpg"))]

    def crops(self) -> list[bytes]:
        """Pictures of people, whoever they are."""
        return [file.read_bytes() for file in sorted((self.folder / "crops").glob("*.jpg"))]

    def future(self) -> Iterator[Batch]:
        """What comes after the past; of tracklets that were in view in between nothing more is told."""
        began: set[tuple[bytes, TrackletId]] = set()
        for batch in self._split(after=True):
            told = []
            for edge_id, envelope in batch.deliveries:
                update = envelope.message
                assert isinstance(update, TrackletUpdate)
                key = (envelope.boot_id, update.tracklet_id)
                if update.revision == 1:
                    began.add(key)
                if key in began:
                    told.append((edge_id, envelope))
            if told:
                yield Batch(batch.received_at_ns, told)

    def past(self) -> Iterator[Batch]:
        return self._split(after=False)

    def _split(self, *, after: bool) -> Iterator[Batch]:
        begin_ns = None
        for batch in batches(read_tape(self.tape)):
            begin_ns = batch.received_at_ns if begin_ns is None else begin_ns
            if (batch.received_at_ns - begin_ns > self.past_s * 1e9) == after:
                yield batch


def make_site(
    folder: Path, *, kind: str, seed: int, cameras: int, past_s: float, future_s: float, port: int
) -> WatchedSite:
    """Record the tape, draw the pictures, and let a hub live through the past, which ends now."""
    simulated = SimulatedSite.make(kind, seed=seed, cameras=cameras)
    site = WatchedSite(folder, port, past_s)
    document = {
        "site": "benchmark",
        "data": "data",
        "hub": {"listen": f"tcp://127.0.0.1:{port}"},
        "models": {"detector": "passerby-sim-detector", "reid": "passerby-sim-reid"},
        "cameras": {str(name): {"url": f"{name}.mp4"} for name in simulated.camera_ids},
    }
    site.config.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    record_tape(simulated, site.tape, seconds=past_s + future_s, progress=lambda _: None)
    _draw(simulated, site, at_s=past_s)
    _live_through(site)
    return site


def with_crops(update: TrackletUpdate, *, crops: list[bytes], sent: set[int]) -> TrackletUpdate:
    """The same with pictures of the crops that are new; `sent`, of this tracklet, is added to."""
    new = [int(crop) for crop in update.exemplars.crop_ids if int(crop) not in sent]
    sent.update(new)
    return replace(update, crops={crop: crops[(update.tracklet_id + crop) % len(crops)] for crop in new})


def _live_through(site: WatchedSite) -> None:
    settings, crops = site.settings(), site.crops()
    past = list(site.past())
    shift_ns = time.time_ns() - past[-1].received_at_ns
    sent: dict[tuple[bytes, TrackletId], set[int]] = {}

    def shown(envelope: Envelope) -> Envelope:
        update = envelope.message
        assert isinstance(update, TrackletUpdate)
        key = (envelope.boot_id, update.tracklet_id)
        later = moved(update, update.camera_id, update.tracklet_id, shift_ns=shift_ns)
        told = with_crops(later, crops=crops, sent=sent.setdefault(key, set()))
        return Envelope(envelope.boot_id, envelope.seq, told)

    with Hub.on(DeferredStorage(settings.data), association=settings.association) as hub:
        playback = Playback(hub)
        for batch in past:
            told = [(edge_id, shown(envelope)) for edge_id, envelope in batch.deliveries]
            playback.take(Batch(batch.received_at_ns + shift_ns, told))


def _draw(simulated: SimulatedSite, site: WatchedSite, *, at_s: float) -> None:
    people: list[Image] = []
    for camera_id in simulated.camera_ids:
        fps = simulated.spec(camera_id).fps
        seen = [simulated.render(camera_id, round((at_s + k * PREVIEW_INTERVAL_S) * fps)) for k in range(_PREVIEWS)]
        _keep((frame.image for frame in seen), site.folder / "previews" / camera_id, quality=_PREVIEW_QUALITY)
        for x1, y1, x2, y2 in seen[0].truth.boxes_xyxy.astype(int):
            if y2 - y1 >= _SMALLEST_CROP:
                people.append(np.ascontiguousarray(seen[0].image[max(0, y1) : y2, max(0, x1) : x2]))
    _keep(people[:_CROPS], site.folder / "crops", quality=_CROP_QUALITY)


def _keep(pictures: Iterable[Image], folder: Path, *, quality: int) -> None:
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        assert cv2.imwrite(str(folder / f"{number:02d}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
