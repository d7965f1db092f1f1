"""Camera normalization: what a camera does to everybody is taken away, so that people can be compared across cameras.

`zscore_by_camera` is the batch form of Learn by Guessing (Pereira and de Campos 2022). `CameraNormalizer` is the hub's
running form, which shrinks towards doing nothing while people are few.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, require_shape
from passerby.errors import DataError
from passerby.features.camera_people import CameraPeople
from passerby.features.published import PublishedStatistics, require_direction
from passerby.features.publishing import Publisher
from passerby.features.shrinkage import Float64Array, RegimeKey, moments_of
from passerby.features.timeline import Timeline
from passerby.ids import CameraId
from passerby.models import ReferenceStatistics

_EPSILON = 1e-6
"""Added to the standard deviation, as the paper's code does."""

_SAME_PERSON_COSINE = 0.6
"""Tracklets of one camera are one person from this cosine similarity of raw embeddings on.

On PKU-Reid 89% and 94% of the pairs of one person are above it (retail-0288, -0277) and 99.5% and 99.8% of the pairs of
two are below; on labelled crops of two other sites the people counted are those there, give or take two."""

_SAME_PERSON_COSINE_RECTIFIED = 0.8
"""The same where a rectified linear unit ends the network, which makes all cosines positive (OSNet: 91% and 98%). Too
many merged only slows learning down; one person counted as several is what does harm."""


_SAME_PERSON_VARIANCE, _PEOPLE_FOR_VARIANCE = 1.3, 12.0
"""Nor are tracklets one person whose squared distance is more than the first number times the variance between people,
where that is known of so many. Under strong light of one colour everybody's raw embeddings are alike, and a cosine
alone would count a crowd as one; on PKU-Reid the cosine's limit is 1.0 to 1.45 times that variance (three networks),
and of 24 people in each camera 22 to 30 are counted, with the cosine alone 18 to 30."""


@dataclass(frozen=True, slots=True)
class CameraReport:
    """How the normalization of one camera stands.

    `regime` is the one that is on since `since_ns` (None: ever), `regimes` how many are remembered. `people` count in
    it, and its own mean is believed by `belief` (0-1). `removed_share` of the energy of raw embeddings is taken away
    (0-1). `drift` is how far the people seen last are from those before, in standard errors (about 1 by chance; None
    while they are too few), `alarm` whether that is much.
    """

    camera_id: CameraId
    regime: int
    since_ns: int | None
    regimes: int
    people: int
    belief: float
    removed_share: float
    drift: float | None
    alarm: bool


def zscore_by_camera(
    features: Float32Array, camera_ids: Sequence[Hashable], *, among: NDArray[np.bool_] | None = None
) -> Float32Array:
    """The z-score of raw `features` (n, d) over all images of the same camera: (n, d) float32, not yet of unit length.

    (f - mean) / (std + 1e-6) with the population standard deviation, on each axis (Learn by Guessing, camera-guided
    normalization). `camera_ids` (n,). Mean and deviation are those of the images `among` (n,), of all unless given. A
    camera with one image gives zeros. Raises DataError for a wrong shape, NaN or infinity, or a camera without an image
    among them.

    >>> zscore_by_camera(np.array([[1, 0], [3, 0], [5, 9]], np.float32), ["a", "a", "b"]).round(3).tolist()
    [[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]
    """
    require_shape("features", features, (len(camera_ids), None))
    if not np.isfinite(features).all():
        raise DataError("features holds NaN or infinity, expected finite numbers")
    normalized = np.empty(features.shape, np.float32)
    cameras = np.array(_numbered(camera_ids), np.int64)
    for camera in range(int(cameras.max(initial=-1)) + 1):
        rows = cameras == camera
        own = features[rows].astype(np.float64)
        known = own if among is None else own[among[rows]]
        if len(known) == 0:
            name = next(name for name, own_rows in zip(camera_ids, rows, strict=True) if own_rows)
            raise DataError(f"camera {name} has no image among those that the statistics are of")
        normalized[rows] = (own - known.mean(axis=0)) / (known.std(axis=0) + _EPSILON)
    return normalized


class CameraNormalizer:
    """Running per-camera normalization that is never worse than none, from the first person on.

    It counts people: tracklets of one camera that look alike are one person, however many they are, and the last 128
    people count (see `People`). With n people a camera's own mean is believed by (n - 1) / (n - 1 + 5), the rest comes
    from the site's cameras together, and their mean is drawn likewise towards the model's reference mean or, without
    one, towards zero (see `shrinkage`): without people the result is the plain unit vector, exactly. A camera that
    jumps, as to infrared light, has statistics for each of its regimes, and an embedding is normalized with those of
    its time (see `CameraPeople`).

    The reference's standard deviation is not used: a scale common to all cameras was worse than none for every network
    tried, and a camera's own scale is therefore shrunk towards one. The constants are rounded; they were measured on
    PKU-Reid over three networks, and hold on hand-labelled crops of two other sites.

    Statistics change in steps: `published` does not change but is replaced, and its `version` counts. What is
    normalized under one version stays comparable; when it changes, prototypes should be normalized again from their
    raw embeddings. Deterministic, not thread-safe, bounded in memory; `normalizer_parts` stores it.
    """

    def __init__(self, dimension: int, *, reference: ReferenceStatistics | None = None) -> None:
        if dimension < 1:
            raise DataError(f"dimension is {dimension}, expected at least 1")
        if reference is not None:
            require_shape("reference mean", np.array(reference.mean), (dimension,))
            require_shape("reference std", np.array(reference.std), (dimension,))
        prior = np.zeros(dimension) if reference is None else np.array(reference.mean, np.float64)
        self.dimension = dimension
        self.signed = False
        """Whether any embedding had a negative number, which a rectified network never gives."""
        self.cameras: dict[CameraId, CameraPeople] = {}
        self._publisher = Publisher(prior)
        self.prior = prior
        """What is taken away (d,) while nothing is known."""

    @property
    def published(self) -> PublishedStatistics:
        """What is applied at present."""
        return self._publisher.published

    @property
    def version(self) -> int:
        """How often statistics have been published; 0 before the first time."""
        return self.published.version

    def people_seen(self, camera_id: CameraId) -> int:
        """How many people count at present in a camera and its present regime (at most 128)."""
        camera = self.cameras.get(camera_id)
        return 0 if camera is None else len(camera.people[camera.timeline.latest])

    def observe(
        self, camera_id: CameraId, embedding: NDArray[np.floating], *, at_ns: int, quality: float = 1.0
    ) -> None:
        """Learn from a tracklet: its raw mean embedding (d,); it began at `at_ns`, capture time in nanoseconds.

        `quality` in (0, 1]: a person of whom only 0.3 was seen counts as 0.3 people. Raises DataError for another
        shape, for NaN, infinity or a zero vector, and for a quality out of range.
        """
        require_shape("embedding", embedding, (self.dimension,))
        vector = np.array(embedding, np.float32)
        require_direction("embedding", vector[np.newaxis])
        if not 0.0 < quality <= 1.0:
            raise DataError(f"quality of a tracklet is {quality}, expected more than 0 and at most 1")
        self.signed = self.signed or bool((vector < 0).any())
        camera = self.cameras.get(camera_id)
        if camera is None:
            camera = self.cameras[camera_id] = CameraPeople(self.dimension)
        near = self._same_person_distance(camera_id, vector)
        learned = camera.observe(vector, quality=quality, at_ns=at_ns, same_person_distance=near)
        touched = self._estimate(camera_id, learned.regimes)
        if learned.switched or self._publisher.has_moved(touched):
            self._publisher.publish(self._timelines())

    def forget(self, camera_id: CameraId, embeddings: Float32Array) -> int:
        """Let nothing be left of those whom these raw embeddings (n, d) show; gives how many people of the camera.

        Others who look alike go with them: too much forgotten only makes the statistics younger. What was published is
        published anew, as of few people it tells their looks.
        """
        camera = self.cameras.get(camera_id)
        if camera is None:
            return 0
        gone = 0
        for embedding in embeddings:
            near = self._same_person_distance(camera_id, embedding)
            gone += camera.forget(embedding, same_person_distance=near)
        if gone:
            self._estimate(camera_id, camera.people)
            self._publisher.publish(self._timelines(), retire=False)
        return gone

    def reset(self, camera_id: CameraId) -> None:
        """Forget the people of a camera, which was moved: what it sees from now on is of a camera never seen before.

        Raises DataError for a camera of which nothing is known.
        """
        camera = self.cameras.get(camera_id)
        if camera is None:
            known = ", ".join(sorted(self.cameras)) or "none"
            raise DataError(f"nothing is known of camera {camera_id!r}, so there is nothing to reset; known: {known}")
        learned = camera.reset()
        self._estimate(camera_id, learned.regimes)
        self._publisher.publish(self._timelines())

    def normalize(self, camera_id: CameraId, embeddings: NDArray[np.floating], *, at_ns: int) -> Float32Array:
        """Unit rows (n, d) float32 for raw `embeddings` (n, d) of a camera, known or not: `PublishedStatistics`."""
        return self.published.normalize(camera_id, embeddings, at_ns=at_ns)

    def report(self) -> list[CameraReport]:
        """How each camera stands, by name."""
        return [self._report(camera_id, self.cameras[camera_id]) for camera_id in sorted(self.cameras)]

    def restore(
        self,
        cameras: Mapping[CameraId, CameraPeople],
        *,
        published: PublishedStatistics,
        prior: Float64Array,
        signed: bool,
    ) -> None:
        """Go on as a normalizer did that had these."""
        self.prior = prior
        self._publisher = Publisher(prior)
        self.cameras, self.signed = dict(cameras), signed
        for camera_id, camera in self.cameras.items():
            self._estimate(camera_id, camera.people)
        self._publisher.restore(published)

    def _same_person_distance(self, camera_id: CameraId, embedding: Float32Array) -> float:
        """Squared, between vectors of the length of `embedding`."""
        cosine = _SAME_PERSON_COSINE if self.signed else _SAME_PERSON_COSINE_RECTIFIED
        limit = 2.0 * (1.0 - cosine) * float((embedding.astype(np.float64) ** 2).sum())
        known = [self._publisher.moments((camera_id, regime)) for regime in sorted(self.cameras[camera_id].people)]
        best = max((moments for moments in known if moments), key=lambda moments: moments.people, default=None)
        if best is None or best.people < _PEOPLE_FOR_VARIANCE:
            return limit
        return min(limit, _SAME_PERSON_VARIANCE * float(best.variance.sum()))

    def _estimate(self, camera_id: CameraId, regimes: Iterable[int]) -> list[RegimeKey]:
        """Let the estimates follow the people of these regimes of a camera."""
        everybody = self.cameras[camera_id].people
        touched = [(camera_id, regime) for regime in sorted(regimes)]
        for key in touched:
            people = everybody.get(key[1])
            self._publisher.put(key, moments_of(people.seen()) if people else None)
        return touched

    def _timelines(self) -> dict[CameraId, Timeline]:
        return {name: camera.timeline for name, camera in sorted(self.cameras.items()) if camera.next_regime > 1}

    def _report(self, camera_id: CameraId, camera: CameraPeople) -> CameraReport:
        regime = camera.timeline.latest
        moments = self._publisher.moments((camera_id, regime))
        shift = self.published.standardization((camera_id, regime)).shift
        return CameraReport(
            camera_id=camera_id,
            regime=regime,
            since_ns=camera.timeline.since_ns[-1] if len(camera.timeline.regimes) > 1 else None,
            regimes=len(camera.people),
            people=len(camera.people[regime]),
            belief=moments.belief if moments else 0.0,
            removed_share=min(1.0, float((shift**2).sum()) / moments.energy) if moments else 0.0,
            drift=camera.drift,
            alarm=camera.alarm,
        )


def _numbered(camera_ids: Sequence[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(camera_id, len(numbers)) for camera_id in camera_ids]
