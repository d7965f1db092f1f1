"""Made-up people for the hub's tests: a direction in embedding space each, seen by cameras with some noise."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from passerby.arrays import Float32Array
from passerby.ids import BootId, CameraId, EdgeId, ModelId, TrackletId
from passerby.messages import Clock, Envelope, Exemplars, Message, Observations, TrackletUpdate

SECOND = 1_000_000_000
DIMENSION = 32
MODEL = ModelId("made-up@1")
EDGE = EdgeId("edge-1")
BOOT = BootId(bytes(16))
START = 1_700_000_000 * SECOND


def look(person: int, *, noise: float = 0.0, seed: int = 0, dimension: int = DIMENSION) -> Float32Array:
    """The raw embedding (d,) of a person, with noise of this size relative to its own."""
    direction = np.random.default_rng(1000 + person).normal(size=dimension)
    other = np.random.default_rng((person, seed)).normal(size=dimension)
    return (direction + noise * other).astype(np.float32)


def seen(
    person: int,
    camera: str = "hall",
    *,
    tracklet: int = 1,
    revision: int = 1,
    begin_s: float = 0.0,
    end_s: float = 2.0,
    final: bool = False,
    noise: float = 0.2,
    embedding: Float32Array | None = None,
    exemplars: int = 2,
    model_id: ModelId = MODEL,
    crops: dict[int, bytes] | None = None,
) -> TrackletUpdate:
    """An update that says: `camera` saw `person` from `begin_s` to `end_s`."""
    raw = look(person, noise=noise, seed=tracklet) if embedding is None else embedding
    begin, end = START + round(begin_s * SECOND), START + round(end_s * SECOND)
    frames = np.arange(round(begin_s * 5), round(end_s * 5) + 1, dtype=np.int64)
    count = len(frames)
    return TrackletUpdate(
        camera_id=CameraId(camera),
        tracklet_id=TrackletId(tracklet),
        revision=revision,
        model_id=model_id,
        started_at_ns=begin,
        ended_at_ns=end,
        clock=Clock(source="file", error_ns=0),
        frame_size=(640, 480),
        final=final,
        observations=Observations(
            frames + 1,
            START + frames * (SECOND // 5),
            np.tile(np.array([10, 20, 60, 180], np.float32), (count, 1)),
            np.full(count, 0.9, np.float32),
        ),
        embedding=raw,
        exemplars=Exemplars(
            np.arange(1, exemplars + 1, dtype=np.int64),
            np.full(exemplars, end, np.int64),
            np.tile(np.array([10, 20, 60, 180], np.float32), (exemplars, 1)),
            np.full(exemplars, 0.8, np.float32),
            np.tile(raw, (exemplars, 1)),
        ),
        crops=crops or {},
    )


@dataclass
class Sender:
    """An edge's life: numbers its messages."""

    boot_id: BootId = BOOT
    edge_id: EdgeId = EDGE
    seq: int = field(default=0)

    def send(self, *messages: Message) -> Sequence[tuple[EdgeId, Envelope]]:
        """The messages as deliveries, each with the next sequence number."""
        deliveries = []
        for message in messages:
            self.seq += 1
            deliveries.append((self.edge_id, Envelope(self.boot_id, self.seq, message)))
        return deliveries


def at(seconds: float) -> int:
    """The hub's time, so long after the start."""
    return START + round(seconds * SECOND)
