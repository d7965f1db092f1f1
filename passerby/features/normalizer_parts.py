"""A normalizer as stored: in parts, so that an observation rewrites one person, and not everybody ever seen."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from passerby.errors import DataError
from passerby.features.camera_people import CameraPeople
from passerby.features.normalization import CameraNormalizer
from passerby.features.people import Person
from passerby.features.published import PublishedState, PublishedStatistics, from_bytes, to_bytes
from passerby.features.timeline import Timeline
from passerby.ids import CameraId
from passerby.models import ReferenceStatistics

_WHOLE, _PUBLISHED, _CAMERA, _PERSON = "normalizer", "published", "camera/", "person/"


class WholeState(Struct, frozen=True, kw_only=True):
    """What is common to all cameras; `prior` little-endian float64 (d,)."""

    dimension: int
    prior: bytes
    signed: bool


class CameraState(Struct, frozen=True, kw_only=True):
    """A camera without its people; `remembered` are the regimes that have them."""

    camera_id: CameraId
    remembered: list[int]
    since_ns: tuple[int, ...]
    regimes: tuple[int, ...]
    next_regime: int
    drift: float | None
    alarm: bool


class PersonState(Struct, frozen=True, kw_only=True):
    """One person of a camera's regime; `mean` little-endian float32 (d,)."""

    camera_id: CameraId
    regime: int
    slot: int
    mean: bytes
    weight: float
    energy: float
    seen_at_ns: int
    order: int


class NormalizerParts:
    """The parts of a normalizer, by name; which names there are is nobody else's business."""

    def __init__(self, normalizer: CameraNormalizer) -> None:
        self._normalizer = normalizer
        self._whole = b""
        self._version = -1

    def changed(self) -> dict[str, bytes | None]:
        """The parts that have changed since the last call, to be stored in place of what they were; None: deleted."""
        normalizer = self._normalizer
        parts: dict[str, bytes | None] = {}
        whole = _whole(normalizer)
        if whole != self._whole:
            parts[_WHOLE] = self._whole = whole
        if normalizer.version != self._version:
            parts[_PUBLISHED] = msgspec.msgpack.encode(normalizer.published.state())
            self._version = normalizer.version
        for camera_id, camera in normalizer.cameras.items():
            if camera.changed:
                parts[_CAMERA + camera_id] = _camera(camera_id, camera)
            for regime, slot in sorted(camera.changed):
                parts[_person_name(camera_id, regime, slot)] = _person(camera_id, camera, regime, slot)
            camera.changed.clear()
        return parts

    def everything(self) -> dict[str, bytes]:
        """All parts as they are now."""
        normalizer = self._normalizer
        parts = {_WHOLE: _whole(normalizer), _PUBLISHED: msgspec.msgpack.encode(normalizer.published.state())}
        for camera_id, camera in normalizer.cameras.items():
            parts[_CAMERA + camera_id] = _camera(camera_id, camera)
            for regime, people in camera.people.items():
                for slot in people.latest_first().tolist():
                    person = _person(camera_id, camera, regime, slot)
                    if person is not None:
                        parts[_person_name(camera_id, regime, slot)] = person
        return parts


def restored(
    parts: Mapping[str, bytes], *, dimension: int, reference: ReferenceStatistics | None = None
) -> CameraNormalizer:
    """The normalizer whose parts these are, as it was; without any, a new one, and `reference` is the model's.

    Raises DataError if they are damaged, or of another size.
    """
    normalizer = CameraNormalizer(dimension, reference=reference)
    if not parts:
        return normalizer
    try:
        whole = msgspec.msgpack.decode(parts[_WHOLE], type=WholeState)
        published = msgspec.msgpack.decode(parts[_PUBLISHED], type=PublishedState)
        stored = [
            msgspec.msgpack.decode(data, type=CameraState) for name, data in parts.items() if name.startswith(_CAMERA)
        ]
        people = [
            msgspec.msgpack.decode(data, type=PersonState) for name, data in parts.items() if name.startswith(_PERSON)
        ]
        by_regime: dict[CameraId, dict[int, list[tuple[int, Person]]]] = {
            camera.camera_id: {regime: [] for regime in camera.remembered} for camera in stored
        }
        for person in people:
            by_regime[person.camera_id][person.regime].append((person.slot, _known(person, dimension)))
    except (msgspec.DecodeError, KeyError) as error:
        raise DataError(f"stored camera statistics are damaged: {error}") from error
    if whole.dimension != dimension:
        raise DataError(f"stored camera statistics are of {whole.dimension} numbers, expected {dimension}")
    cameras = {
        camera.camera_id: CameraPeople.restored(
            dimension,
            people=by_regime[camera.camera_id],
            timeline=Timeline(camera.since_ns, camera.regimes),
            next_regime=camera.next_regime,
            drift=camera.drift,
            alarm=camera.alarm,
        )
        for camera in stored
    }
    normalizer.restore(
        cameras,
        published=PublishedStatistics.from_state(published, dimension=dimension),
        prior=from_bytes("prior", whole.prior, "<f8", dimension).astype("float64"),
        signed=whole.signed,
    )
    return normalizer


def _whole(normalizer: CameraNormalizer) -> bytes:
    return msgspec.msgpack.encode(
        WholeState(dimension=normalizer.dimension, prior=to_bytes(normalizer.prior, "<f8"), signed=normalizer.signed)
    )


def _camera(camera_id: CameraId, camera: CameraPeople) -> bytes:
    return msgspec.msgpack.encode(
        CameraState(
            camera_id=camera_id,
            remembered=sorted(camera.people),
            since_ns=camera.timeline.since_ns,
            regimes=camera.timeline.regimes,
            next_regime=camera.next_regime,
            drift=camera.drift,
            alarm=camera.alarm,
        )
    )


def _person_name(camera_id: CameraId, regime: int, slot: int) -> str:
    return f"{_PERSON}{camera_id}/{regime}/{slot}"


def _person(camera_id: CameraId, camera: CameraPeople, regime: int, slot: int) -> bytes | None:
    person = camera.people[regime].person(slot) if regime in camera.people else None
    if person is None:
        return None
    return msgspec.msgpack.encode(
        PersonState(
            camera_id=camera_id,
            regime=regime,
            slot=slot,
            mean=to_bytes(person.mean, "<f4"),
            weight=person.weight,
            energy=person.energy,
            seen_at_ns=person.seen_at_ns,
            order=person.order,
        )
    )


def _known(stored: PersonState, dimension: int) -> Person:
    mean = from_bytes("mean of a person", stored.mean, "<f4", dimension).astype("float32")
    return Person(mean, stored.weight, stored.energy, stored.seen_at_ns, stored.order)
