"""How much of the bare networks' speed does the whole edge keep?

    python benchmarks/edge.py [--file VIDEO] [--frames 120] [--rounds 5] [--json]

The edge: decode, detect, track, choose crops, embed, encode the messages; no network. The bare networks: the same
detector on the same frames, decoded beforehand, and the same re-ID network on as many crops as the edge embedded, one
call after the other with nothing between. Both see every frame of the video, one frame a call, on the same number of
the networks' threads. Rounds alternate between the two; the ratio is the median of the rounds'.

Decoding counts for the edge alone. It runs in a thread of its own beside the networks. Where a core is free for it,
it costs next to nothing: "networks on all cores but one". Where the networks fill every core of the machine it takes
its share of them: "networks on all cores". CPU seconds a frame are given too: unlike the speed, they do not depend
on what else the machine does meanwhile.
"""

import argparse
import itertools
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# This file bears the name of the package it measures: look for that in the tree, not beside this file.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from edge.ahead import detected  # noqa: E402
from edge.pipeline import CameraPipeline, track_together, tracklet_ids  # noqa: E402
from edge.sources import open_source  # noqa: E402
from edge.sources.prefetch import prefetch  # noqa: E402
from passerby.arrays import Float32Array, Image  # noqa: E402
from passerby.codec import encode  # noqa: E402
from passerby.config import CameraSettings  # noqa: E402
from passerby.ids import BootId, CameraId  # noqa: E402
from passerby.inference import DetectionEngine, EmbeddingEngine, load_detector, load_embedder  # noqa: E402
from passerby.messages import Envelope  # noqa: E402
from passerby.models import ModelManifest, find_model  # noqa: E402

_CAMERA = CameraId("benchmark")
_CHUNK = 25
"""Frames decoded beforehand at a time; all of a 1920x1080 video would not fit into memory."""


@dataclass
class RecordingEmbedder:
    """The embedder, with the crops of each call kept for the bare run."""

    engine: EmbeddingEngine
    calls: list[list[Image]] = field(default_factory=list)

    @property
    def manifest(self) -> ModelManifest:
        return self.engine.manifest

    @property
    def device(self) -> str:
        return self.engine.device

    def embed(self, crops: Sequence[Image], camera_ids: Sequence[CameraId]) -> Float32Array:
        self.calls.append(list(crops))
        return self.engine.embed(crops, camera_ids)

    def close(self) -> None:
        self.engine.close()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took, per frame."""

    wall_s: float
    cpu_s: float


class Stopwatch:
    """Wall and CPU time of this process, all threads, between `start` and `stop`, added up."""

    def __init__(self) -> None:
        self.wall_s = self.cpu_s = 0.0

    def __enter__(self) -> "Stopwatch":
        self.wall_s -= time.perf_counter()
        self.cpu_s -= time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s += time.perf_counter()
        self.cpu_s += time.process_time()

    def per(self, frames: int) -> Cost:
        return Cost(self.wall_s / frames, self.cpu_s / frames)


def main() -> None:
    options = _options()
    cores = len(os.sched_getaffinity(0))
    threads = [options.threads] if options.threads else sorted({cores, max(1, cores - 1)}, reverse=True)
    results = [measure(options, threads=count, cores=cores) for count in threads]
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    if options.json:
        print(json.dumps({**results[0], "peak_memory_mib": peak_mib, "by_threads": results}))
        return
    first = results[0]
    print(f"{first['video']}: {first['frames']} frames, {first['crops_embedded']} crops, {first['messages']} messages")
    print(f"{first['detector']} and {first['reid']} on {first['device']}; {cores} cores")
    for result in results:
        print(f"networks on {result['threads']} of {cores} cores:")
        print(f"  whole edge     {result['edge_fps']:7.1f} frames/s {result['edge_cpu_ms']:7.1f} ms of CPU a frame")
        print(f"  bare networks  {result['bare_fps']:7.1f} frames/s {result['bare_cpu_ms']:7.1f} ms of CPU a frame")
        print(f"  ratio          {result['ratio']:7.1%}          {result['cpu_ratio']:7.1%}")
    print(f"peak memory {peak_mib} MiB")


def measure(options: argparse.Namespace, *, threads: int, cores: int) -> dict[str, Any]:
    """Alternate the two, and compare."""
    detector = load_detector(find_model(options.detector, task="detect"), threads=threads)
    embedder = RecordingEmbedder(load_embedder(find_model(options.reid, task="embed"), threads=threads))
    settings = CameraSettings(url=str(options.file), fps=120.0)
    edge: list[Cost] = []
    bare: list[Cost] = []
    messages: list[int] = []
    for _ in range(options.rounds + 1):  # the first warms up
        embedder.calls.clear()
        cost, messages = _edge(settings, options.frames, detector=detector, embedder=embedder)
        edge.append(cost)
        bare.append(_bare(settings, options.frames, detector=detector, embedder=embedder))
    detector.close()
    embedder.close()
    edge, bare = edge[1:], bare[1:]
    return {
        "video": options.file.name,
        "frames": options.frames,
        "rounds": options.rounds,
        "device": detector.device,
        "cores": cores,
        "threads": threads,
        "detector": detector.manifest.name,
        "reid": embedder.manifest.name,
        "crops_embedded": sum(map(len, embedder.calls)),
        "messages": len(messages),
        "message_bytes": sum(messages),
        "edge_fps": round(1 / statistics.median(cost.wall_s for cost in edge), 1),
        "bare_fps": round(1 / statistics.median(cost.wall_s for cost in bare), 1),
        "ratio": round(statistics.median(b.wall_s / e.wall_s for b, e in zip(bare, edge, strict=True)), 3),
        "edge_cpu_ms": round(1e3 * statistics.median(cost.cpu_s for cost in edge), 2),
        "bare_cpu_ms": round(1e3 * statistics.median(cost.cpu_s for cost in bare), 2),
        "cpu_ratio": round(statistics.median(b.cpu_s / e.cpu_s for b, e in zip(bare, edge, strict=True)), 3),
    }


def _edge(
    settings: CameraSettings, frames: int, *, detector: DetectionEngine, embedder: RecordingEmbedder
) -> tuple[Cost, list[int]]:
    """What the whole edge takes, and the sizes of its messages in bytes."""
    pipeline = CameraPipeline(_CAMERA, settings, detector=detector, embedder=embedder, tracklet_ids=tracklet_ids())
    messages: list[int] = []
    with open_source(_CAMERA, settings, realtime=False, start_at_ns=0) as source, Stopwatch() as watch:
        turns = ([(pipeline, frame)] for frame in itertools.islice(prefetch(source), frames))
        for turn in detected(turns, detector=detector):
            for update in track_together(turn.work, turn.detections):
                envelope = Envelope(BootId(bytes(16)), len(messages) + 1, update)
                messages.append(sum(map(len, encode(envelope))))
    return watch.per(frames), messages


def _bare(settings: CameraSettings, frames: int, *, detector: DetectionEngine, embedder: RecordingEmbedder) -> Cost:
    """What the networks alone take for the same frames and crops."""
    watch = Stopwatch()
    with open_source(_CAMERA, settings, realtime=False, start_at_ns=0) as source:
        every = itertools.islice(source, frames)
        while chunk := [frame.image for frame in itertools.islice(every, _CHUNK)]:
            with watch:
                for image in chunk:
                    detector.detect([image])
    with watch:
        for crops in embedder.calls:
            embedder.engine.embed(crops, [_CAMERA] * len(crops))
    return watch.per(frames)


def _options() -> argparse.Namespace:
    shared = Path(os.environ.get("PASSERBY_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    os.environ.setdefault("PASSERBY_MODEL_DIR", str(shared / "data" / "models"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--file", type=Path, default=shared / "data/footage/retail/Retail02_short.mp4")
    parser.add_argument("--detector", default="person-detection-retail-0013")
    parser.add_argument("--reid", default="person-reidentification-retail-0288")
    parser.add_argument("--threads", type=int, default=0, help="of the networks; 0 = all cores, and all but one")
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one line for programs")
    options = parser.parse_args()
    if not options.file.exists():
        sys.exit(f"{options.file}: no such video; set PASSERBY_SHARED, or name one with --file")
    return options


if __name__ == "__main__":
    main()
