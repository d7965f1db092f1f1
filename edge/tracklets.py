"""A tracklet: one person seen without a break by one camera, and what is told about them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import cv2
import numpy as np

from edge.exemplars import BestCrops, Crop
from edge.frames import Frame
from passerby.arrays import Float32Array, Image
from passerby.config import CameraSettings
from passerby.ids import ModelId, TrackletId
from passerby.messages import Clock, Exemplars, Observations, TrackletUpdate

MIN_OBSERVATIONS = 3
"""Fewer are more often a flicker of the detector than a person."""

MIN_MOVEMENT = 0.1
"""Box widths that a person's centre moves at least, while in the picture. People sway; a chair that the detector takes
for a person moves by 0.03 to 0.08, which is the detector's own unrest."""

SURE_CONFIDENCE = 0.85
"""Whom the detector is so sure of on average may stand still. In the films that this was measured on, furniture had at
most 0.75, people who walk 0.8 and more."""

MIN_QUALITY = 0.2
"""A crop below it says nothing about who it is: a blur, a person nearly covered, a sliver at the picture's edge."""

_JPEG_QUALITY = 90

Shortcoming: TypeAlias = Literal["too-short", "motionless", "no-usable-crop"]
"""Why a tracklet is kept to itself."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One person in one frame."""

    frame_number: int
    captured_at_ns: int
    box_xyxy: Float32Array
    confidence: float


@dataclass(slots=True, eq=False)
class Tracklet:
    """An open tracklet, growing. Not yet told of while `tracklet_id` is None."""

    settings: CameraSettings
    frame_size: tuple[int, int]
    tracklet_id: TrackletId | None = None
    sightings: int = 0
    started_at_ns: int = 0
    last_seen_ns: int = 0
    last_box_xyxy: Float32Array = field(default_factory=lambda: np.zeros(4, np.float32))
    clock: Clock = field(default_factory=lambda: Clock(source="host", error_ns=0))
    crops: BestCrops = field(init=False)
    _lowest: Float32Array = field(default_factory=lambda: np.full(2, np.inf, np.float32))
    _highest: Float32Array = field(default_factory=lambda: np.full(2, -np.inf, np.float32))
    _confidence_sum: float = 0.0
    _untold: list[Sighting] = field(default_factory=list)
    _embeddings: dict[int, Float32Array] = field(default_factory=dict)
    _crops_sent: set[int] = field(default_factory=set)
    _revision: int = 0
    _told_at_ns: int = 0
    _told_until_ns: int = 0

    def __post_init__(self) -> None:
        self.crops = BestCrops(self.settings.crops_per_tracklet)

    def see(self, sighting: Sighting, clock: Clock) -> None:
        """Add a sighting, later than all before."""
        if not self.sightings:
            self.started_at_ns = sighting.captured_at_ns
        self.sightings += 1
        self.last_seen_ns = sighting.captured_at_ns
        self.last_box_xyxy = sighting.box_xyxy
        self._confidence_sum += sighting.confidence
        self.clock = clock
        centre = (sighting.box_xyxy[:2] + sighting.box_xyxy[2:]) / 2
        self._lowest = np.minimum(self._lowest, centre)
        self._highest = np.maximum(self._highest, centre)
        self._untold.append(sighting)

    def shortcoming(self) -> Shortcoming | None:
        """Why nobody should be told of it (yet); None if it is worth telling."""
        if self.sightings < MIN_OBSERVATIONS:
            return "too-short"
        last = self._untold[-1].box_xyxy
        moved = np.max(self._highest - self._lowest) >= MIN_MOVEMENT * (last[2] - last[0])
        if not moved and self._confidence_sum < SURE_CONFIDENCE * self.sightings:
            return "motionless"
        return None if len(self.crops) else "no-usable-crop"

    def is_due(self, now_ns: int) -> bool:
        """Whether there is something to tell now: its first crop at once, later news every `update_interval_s`."""
        if self.tracklet_id is None:
            return self.shortcoming() is None
        return bool(self._untold) and now_ns - self._told_at_ns >= self.settings.update_interval_s * 1e9

    def is_lost(self, now_ns: int) -> bool:
        """Whether it was not seen for longer than `lost_after_s`."""
        return now_ns - self.last_seen_ns > self.settings.lost_after_s * 1e9

    def crops_to_embed(self) -> list[Crop]:
        """Kept crops that have no embedding yet."""
        return [crop for crop in self.crops.ranked() if crop.crop_id not in self._embeddings]

    def forget_embeddings(self) -> None:
        """Another network describes it from now on: all kept crops are to be embedded anew."""
        self._embeddings.clear()

    def known_embeddings(self) -> dict[Crop, Float32Array]:
        """The kept crops that have an embedding."""
        return {
            crop: self._embeddings[crop.crop_id] for crop in self.crops.ranked() if crop.crop_id in self._embeddings
        }

    def split(self, at_ns: int, *, before: Sequence[Crop]) -> "Tracklet":
        """End it at a time, remembered by `before`, and give a new one of what was seen later and not told yet.

        What was told already stays told. The new one may be empty.
        """
        later = Tracklet(self.settings, self.frame_size)
        for sighting in self._untold:
            if sighting.captured_at_ns > at_ns:
                later.see(sighting, self.clock)
        for crop in self.crops.ranked():
            if crop.captured_at_ns > at_ns:
                later.crops.add(crop.captured_at_ns, crop.box_xyxy, quality=crop.quality, image=crop.image)
        self.sightings -= later.sightings
        self._confidence_sum -= later._confidence_sum
        self._untold = [sighting for sighting in self._untold if sighting.captured_at_ns <= at_ns]
        self.last_seen_ns = self._untold[-1].captured_at_ns if self._untold else self._told_until_ns
        self.crops.keep_only(before)
        return later

    def tell(
        self, frame: Frame, *, model_id: ModelId, embedded: Sequence[tuple[Crop, Float32Array]], final: bool
    ) -> TrackletUpdate:
        """The update that says everything not yet said. `embedded` answers `crops_to_embed`."""
        if self.tracklet_id is None:
            raise ValueError("a tracklet is told of under an id; it has none yet")
        kept = self.crops.ranked()
        known = self._embeddings | {crop.crop_id: embedding for crop, embedding in embedded}
        self._embeddings = {crop.crop_id: known[crop.crop_id] for crop in kept}
        self._revision += 1
        self._told_at_ns = frame.captured_at_ns
        self._told_until_ns = self.last_seen_ns
        observations, self._untold = _observations(self._untold), []
        embeddings = np.stack([self._embeddings[crop.crop_id] for crop in kept]).astype(np.float32)
        return TrackletUpdate(
            camera_id=frame.camera_id,
            tracklet_id=self.tracklet_id,
            revision=self._revision,
            model_id=model_id,
            started_at_ns=self.started_at_ns,
            ended_at_ns=self.last_seen_ns,
            clock=self.clock,
            frame_size=self.frame_size,
            final=final,
            observations=observations,
            embedding=embeddings.mean(axis=0),
            exemplars=_exemplars(kept, embeddings),
            crops=self._new_jpegs(kept),
        )

    def _new_jpegs(self, kept: Sequence[Crop]) -> dict[int, bytes]:
        if not self.settings.save_crops:
            return {}
        new = [crop for crop in kept if crop.crop_id not in self._crops_sent]
        # The hub has dropped what is no exemplar; a crop may become one again.
        self._crops_sent = {crop.crop_id for crop in kept}
        return {crop.crop_id: jpeg(crop.image, quality=_JPEG_QUALITY) for crop in new}


def jpeg(image: Image, *, quality: int) -> bytes:
    """The picture as JPEG bytes, `quality` in 1-100."""
    encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise ValueError(f"OpenCV cannot encode a picture of shape {image.shape} as JPEG")
    return data.tobytes()


def _observations(sightings: Sequence[Sighting]) -> Observations:
    if not sightings:
        return Observations.empty()
    return Observations(
        frame_numbers=np.array([sighting.frame_number for sighting in sightings], np.int64),
        captured_at_ns=np.array([sighting.captured_at_ns for sighting in sightings], np.int64),
        boxes_xyxy=np.stack([sighting.box_xyxy for sighting in sightings]).astype(np.float32),
        confidence=np.array([sighting.confidence for sighting in sightings], np.float32),
    )


def _exemplars(kept: Sequence[Crop], embeddings: Float32Array) -> Exemplars:
    return Exemplars(
        crop_ids=np.array([crop.crop_id for crop in kept], np.int64),
        captured_at_ns=np.array([crop.captured_at_ns for crop in kept], np.int64),
        boxes_xyxy=np.stack([crop.box_xyxy for crop in kept]).astype(np.float32),
        quality=np.array([crop.quality for crop in kept], np.float32),
        embeddings=embeddings,
    )
