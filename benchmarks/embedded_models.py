"""What the embedded models are worth on simulated sites they never saw, and what they cost.

    python benchmarks/embedded_models.py [--seeds 101 102 103 104 105 106] [--frames-per-camera 40]

Detection: AP50 over everybody of whom at least 30% can be seen and who is at least 28 px high, and recall of those of
at least 60 px, in pictures of 640x360. Re-ID: crops by the true boxes, every side off by 3%; each searches all others
of its site, same person and camera removed; plain, and with a z-score per camera. Exit status 1 if a figure is out of
bounds.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# A benchmark beside this file bears the name of a package: look for that in the tree.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from passerby.arrays import Detections, Float32Array, Image, l2_normalize  # noqa: E402
from passerby.features.normalization import zscore_by_camera  # noqa: E402
from passerby.ids import CameraId  # noqa: E402
from passerby.inference import DetectionEngine, EmbeddingEngine, load_detector, load_embedder  # noqa: E402
from passerby.models import find_model  # noqa: E402
from simulation.kinds import KIND_VERSION  # noqa: E402
from simulation.samples import is_asked_for, person_crops, sampled_frames  # noqa: E402
from simulation.site import SimulatedSite  # noqa: E402
from simulation.streams import stream  # noqa: E402
from training.evaluate import RankedImages, Retrieval, evaluate_retrieval  # noqa: E402
from training.evaluate.detection import PeopleInFrame, evaluate_detections  # noqa: E402

SECONDS = 600.0
"""Frames are taken at random from so much of a site's time."""


@dataclass(frozen=True)
class SiteFigures:
    """One site, or the mean over sites. Shares in 0-1."""

    ap50: float
    recall_60px: float
    precision: float
    plain: float
    plain_rank1: float
    normalized: float
    normalized_rank1: float


def main() -> int:
    options = parse()
    detector = load_detector(find_model(options.detector, task="detect"), engine=options.engine, threads=1)
    embedder = load_embedder(find_model(options.reid, task="embed"), engine=options.engine, threads=1)
    print(f"{detector.manifest.model_id}, {embedder.manifest.model_id} on {detector.device}, one thread")
    print(f"kind of site {options.kind}, version {KIND_VERSION}, {options.cameras} cameras\n")
    print("seed     AP50  recall  precision |  plain mAP  R1 | z-score mAP  R1")
    figures = []
    for seed in options.seeds:
        site = SimulatedSite.make(options.kind, seed=seed, cameras=options.cameras, people=options.people)
        figures.append(measure(site, detector, embedder, frames_per_camera=options.frames_per_camera))
        show(str(seed), figures[-1])
    means = SiteFigures(*np.mean([list(vars(each).values()) for each in figures], axis=0).tolist())
    show("mean", means)
    print()
    cost(detector, embedder, SimulatedSite.make(options.kind, seed=options.seeds[0]))
    sizes = sum(Path(file).stat().st_size for model in (detector, embedder) for file in model.manifest.files)
    checks = {
        f"both files are {sizes / 2**20:.2f} MiB, at most 4": sizes <= 4e6,
        "AP50 at least .9": means.ap50 >= 0.9,
        "recall from 60 px at least .95": means.recall_60px >= 0.95,
        "plain mAP between .3 and .7": 0.3 <= means.plain <= 0.7,
        "the z-score gains at least .1": means.normalized - means.plain >= 0.1,
        "and does not close the gap": means.normalized <= 0.95,
    }
    for name, holds in checks.items():
        print("ok    " if holds else "FAILED", name)
    return 0 if all(checks.values()) else 1


def measure(
    site: SimulatedSite, detector: DetectionEngine, embedder: EmbeddingEngine, *, frames_per_camera: int
) -> SiteFigures:
    """One site, both networks, the same frames."""
    found: list[Detections] = []
    asked, large = [], []
    crops: list[Image] = []
    people: list[int] = []
    cameras: list[int] = []
    draw = stream(site.seed, "benchmark crops")
    for camera, frame in sampled_frames(site, frames_per_camera=frames_per_camera, seconds=SECONDS, seed=site.seed):
        found += detector.detect([frame.image])
        boxes = frame.truth.boxes_xyxy
        ignored = ~is_asked_for(frame.truth, frame_height=frame.image.shape[0])
        asked.append(PeopleInFrame(boxes, ignored))
        large.append(PeopleInFrame(boxes, ignored | (boxes[:, 3] - boxes[:, 1] < 60)))
        for crop in person_crops(frame, draw=draw):
            crops.append(crop.image)
            people.append(crop.person_id)
            cameras.append(camera)
    assert detector.manifest.detection is not None
    sure = [each.where(each.confidence >= detector.manifest.detection.start_confidence) for each in found]
    embeddings = embedder.embed(crops, [CameraId(f"c{camera}") for camera in cameras])
    names = np.array(people, np.int64), np.array(cameras, np.int64)
    plain = retrieval(embeddings, *names)
    normalized = retrieval(zscore_by_camera(embeddings, cameras), *names)
    return SiteFigures(
        ap50=evaluate_detections(found, asked).average_precision,
        recall_60px=evaluate_detections(found, large).recall,
        precision=evaluate_detections(sure, asked).precision,
        plain=plain.mean_average_precision,
        plain_rank1=plain.rank(1),
        normalized=normalized.mean_average_precision,
        normalized_rank1=normalized.rank(1),
    )


def retrieval(features: Float32Array, people: np.ndarray, cameras: np.ndarray) -> Retrieval:
    images = RankedImages(l2_normalize(features), people, cameras)
    return evaluate_retrieval(images, images)


def cost(detector: DetectionEngine, embedder: EmbeddingEngine, site: SimulatedSite) -> None:
    """Median CPU milliseconds of one frame and of one crop of a batch of eight, preprocessing and decoding included."""
    frames = [frame.image for _, frame in sampled_frames(site, frames_per_camera=5, seconds=60, seed=0)]
    crops = [frame[100:260, 200:280] for frame in frames[:8]]
    per_frame = [milliseconds(lambda frame=frame: detector.detect([frame])) for frame in repeated(frames, 5)]
    per_crop = [milliseconds(lambda: embedder.embed(crops, [CameraId("c")] * len(crops))) for _ in range(30)]
    frame, crop = np.median(per_frame), np.median(per_crop) / len(crops)
    print(f"one thread: {frame:.1f} CPU ms a frame of 640x360, {crop:.1f} CPU ms a crop")


def repeated(frames: list[Image], times: int) -> Iterator[Image]:
    for _ in range(times):
        yield from frames


def milliseconds(run: object) -> float:
    assert callable(run)
    began = time.process_time()  # the processor's, so that others on the machine do not count
    run()
    return 1e3 * (time.process_time() - began)


def show(name: str, figures: SiteFigures) -> None:
    found = f"{figures.ap50:.3f}   {figures.recall_60px:.3f}      {figures.precision:.3f}"
    plain = f"{figures.plain:.3f} {figures.plain_rank1:.3f}"
    normalized = f"{figures.normalized:.3f} {figures.normalized_rank1:.3f}"
    print(f"{name:<8} {found} |      {plain} |     {normalized}", flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103, 104, 105, 106])
    parser.add_argument("--kind", default="default")
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--people", type=int)
    parser.add_argument("--frames-per-camera", type=int, default=40)
    parser.add_argument("--detector", default="passerby-sim-detector")
    parser.add_argument("--reid", default="passerby-sim-reid")
    parser.add_argument("--engine", default="auto")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
