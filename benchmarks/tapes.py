"""How near the embeddings of tapes are to real ones, and what a tape costs.

    python benchmarks/tapes.py likeness --data FOLDER
    python benchmarks/tapes.py families
    python benchmarks/tapes.py cost [--hours 1]
    python benchmarks/tapes.py ceiling [--seeds 3]

`likeness` embeds PKU-Reid's pictures (FOLDER/reid/pku-reid) and labelled people of two real sites (FOLDER/footage) with
person-reidentification-retail-0288 and -0277, makes pictures of as many people in as many cameras and directions with
the tapes' own appearance, and prints the same statistics of both. `families` asks the same networks how alike rendered
people in similar clothes and in uniforms are, as a share of what one person has in common with themselves. `cost` times
an hour of sites. `ceiling` says what identities would be worth if every tracklet got its majority person: what the
detector's and tracker's errors leave.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# A file beside this one bears the name of the package `simulation`: look for that in the tree.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import yaml  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from passerby.arrays import l2_normalize  # noqa: E402
from passerby.codec import decode  # noqa: E402
from passerby.features.normalization import zscore_by_camera  # noqa: E402
from passerby.messages import TrackletUpdate  # noqa: E402
from passerby.tape import read_tape  # noqa: E402
from simulation.kinds import KIND_VERSION, KINDS  # noqa: E402
from simulation.site import SimulatedSite  # noqa: E402
from simulation.tapes.appearance import Appearance, Views  # noqa: E402
from simulation.tapes.networks import network_profile  # noqa: E402
from simulation.tapes.recording import record_tape  # noqa: E402
from simulation.tapes.truth import TAPE_VERSION, read_tape_truth  # noqa: E402
from simulation.wardrobe import Dresses, random_people  # noqa: E402

_PEOPLE, _DIRECTIONS = 44, 8
_SEEDS = (1001, 1002, 1003, 1004, 1005, 1006)
"""None of them was used to choose the networks' settings."""

Features = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]
"""Embeddings (n, d), people (n,), cameras (n,)."""


def statistics(features: Features) -> dict[str, float]:
    """Name -> figure of embeddings with known people and cameras."""
    raw, people, cameras = features
    found: dict[str, float] = {}
    length = np.linalg.norm(raw, axis=1)
    for share in (0.05, 0.5, 0.95):
        found[f"raw length, {100 * share:.0f}%"] = float(np.quantile(length, share))
    energy = float((raw**2).sum(axis=1).mean())
    names = np.unique(cameras)
    means = {camera: raw[cameras == camera].mean(axis=0) for camera in names.tolist()}
    site = raw.mean(axis=0)
    between = float(np.mean([((mean - site) ** 2).sum() for mean in means.values()]))
    within = raw - np.stack([means[camera] for camera in cameras.tolist()])
    found["energy of the common mean"] = float((site**2).sum()) / energy
    found["variance that is camera"] = between / (between + float((within**2).sum(axis=1).mean()))
    found["variance in a camera that is person"] = _person_share(within, people, cameras)
    values = np.clip(np.linalg.eigvalsh(np.cov(within.T)), 0, None)
    parts = values / values.sum()
    found["effective rank in a camera (entropy)"] = float(np.exp(-(parts[parts > 0] * np.log(parts[parts > 0])).sum()))
    found["effective rank in a camera (participation)"] = float(1 / (parts**2).sum())
    z = zscore_by_camera(raw.astype(np.float32), cameras.tolist())
    for name, rows in (("plain", raw), ("z-score", z)):
        found |= _similarities(name, rows, people, cameras)
    for name, rows in (("plain", raw), ("z-score", z)):
        found[f"{name}: mAP"], found[f"{name}: rank-1"] = _retrieval(rows, people, cameras)
    return found


def _person_share(within: NDArray[np.float64], people: NDArray[np.int64], cameras: NDArray[np.int64]) -> float:
    """What the means of one person in different cameras share, of the variance within cameras."""
    shared = []
    for person in np.unique(people).tolist():
        means = [within[(people == person) & (cameras == camera)] for camera in np.unique(cameras).tolist()]
        means = [rows.mean(axis=0) for rows in means if len(rows)]
        shared += [float(one @ other) for k, one in enumerate(means) for other in means[k + 1 :]]
    return float(np.mean(shared)) / float((within**2).sum(axis=1).mean()) if shared else float("nan")


def _similarities(
    name: str, rows: NDArray[np.floating], people: NDArray[np.int64], cameras: NDArray[np.int64]
) -> dict[str, float]:
    unit = l2_normalize(rows)
    one, other = np.triu_indices(len(unit), 1)
    cosine = (unit @ unit.T)[one, other]
    person, camera = people[one] == people[other], cameras[one] == cameras[other]
    kinds = {
        "one person, one camera": person & camera,
        "one person, two cameras": person & ~camera,
        "two people, one camera": ~person & camera,
        "two people, two cameras": ~person & ~camera,
    }
    return {
        f"{name}: {kind}, {100 * share:.0f}%": float(np.quantile(cosine[chosen], share))
        for kind, chosen in kinds.items()
        for share in (0.05, 0.5, 0.95)
    }


def _retrieval(
    rows: NDArray[np.floating], people: NDArray[np.int64], cameras: NDArray[np.int64]
) -> tuple[float, float]:
    """mAP and rank-1: every picture queries all others, those of its person and camera removed."""
    unit = l2_normalize(rows)
    cosine = unit @ unit.T
    precision, first = [], []
    for query in range(len(unit)):
        kept = (people != people[query]) | (cameras != cameras[query])
        hits = (people[kept] == people[query])[np.argsort(-cosine[query][kept], kind="stable")]
        places = np.flatnonzero(hits)
        if len(places):
            precision.append(((np.arange(len(places)) + 1) / (places + 1)).mean())
            first.append(hits[0])
    return float(np.mean(precision)), float(np.mean(first))


def simulated(network: str, seed: int) -> Features:
    """As many people, cameras and directions as PKU-Reid has; nobody dresses like another on purpose."""
    people = tuple(random_people(seed, _PEOPLE, dresses=Dresses(double_share=0.0)))
    appearance = Appearance(seed, people, network=network_profile(network))
    half = _DIRECTIONS // 2
    one = np.ones(half, np.float32)
    rows, who, where = [], [], []
    for camera in (1, 2):
        for person in range(_PEOPLE):
            for part in (0, 1):  # a tracker's tracklet holds half of the directions
                yaw = ((np.arange(half) + half * part) * 2 * np.pi / _DIRECTIONS).astype(np.float32)
                views = Views(yaw, one, 200 * one, np.full(half, -1, np.int64), 0 * one)
                draw = np.random.default_rng([seed, camera, person, part])
                pictures = appearance.of_person(
                    f"c{camera}", person, views=views, visit=appearance.visit(draw), draw=draw
                )
                rows.append(appearance.as_seen(f"c{camera}", pictures, times_s=np.full(half, 100.0 * camera)))
                who += [person] * half
                where += [camera] * half
    return np.concatenate(rows).astype(np.float64), np.array(who), np.array(where)


def real(data: Path, model: str) -> dict[str, Features]:
    """Name of the set -> embeddings of real people by a real network."""
    from passerby.inference import load_embedder
    from passerby.models import find_model
    from training.evaluate import embed_images, read_split

    embedder = load_embedder(find_model(model, task="embed"), engine="auto", threads=2)
    images = read_split(data / "reid" / "pku-reid", protocol="all-vs-all").images
    found: dict[str, Features] = {
        "PKU-Reid": (embed_images(embedder, images).astype(np.float64), images.people, images.cameras)
    }
    for name in ("fourcam", "tworooms"):
        crops = list(_labelled(data, name))
        rows = embedder.embed([crop for *_, crop in crops], [camera for camera, *_ in crops]).astype(np.float64)
        numbers = [np.unique([crop[k] for crop in crops], return_inverse=True)[1] for k in (1, 0)]
        found[name] = (rows, numbers[0], numbers[1])
    embedder.close()
    return found


def _labelled(data: Path, name: str) -> Iterator[tuple[str, str, NDArray[np.uint8]]]:
    """(camera, person, crop) of the people who were labelled by eye for the system tests."""
    labels = Path(__file__).parents[1] / "tests" / "system" / f"{name}_truth.yaml"
    document = yaml.safe_load(labels.read_text(encoding="utf-8"))
    films = {path.stem: path for path in sorted((data / "footage" / name).iterdir()) if path.suffix in {".mp4", ".264"}}
    for camera, film in films.items():
        if name == "fourcam":
            wanted = {entry["frame"]: entry.get(camera, {}) for entry in document["instants"]}
        else:
            wanted = {entry["frame"]: entry["people"] for entry in document[camera]["instants"]}
        video = cv2.VideoCapture(str(film))
        number = 0
        while True:
            read, frame = video.read()
            number += 1
            if not read:
                break
            for person, box in wanted.get(number, {}).items():
                if box != "unclear":
                    x0, y0, x1, y1 = (max(0, side) for side in box)
                    yield camera, person, np.asarray(frame[y0:y1, x0:x1].copy(), np.uint8)


def likeness(data: Path) -> None:
    """Print the statistics of real and simulated embeddings side by side."""
    for model in ("retail-0288", "retail-0277"):
        sets = {name: statistics(features) for name, features in real(data, f"person-reidentification-{model}").items()}
        tapes = [statistics(simulated(f"like-{model}", seed)) for seed in _SEEDS]
        print(f"\n{model}; tapes: version {TAPE_VERSION}, mean and range of {len(_SEEDS)} seeds\n")
        print("| | PKU-Reid | tapes | range | fourcam | tworooms |\n|---|---|---|---|---|---|")
        for name, target in sets["PKU-Reid"].items():
            values = [one[name] for one in tapes]
            others = " | ".join(f"{sets[other][name]:.2f}" for other in ("fourcam", "tworooms"))
            print(f"| {name} | {target:.2f} | {np.mean(values):.2f} | {min(values):.2f}-{max(values):.2f} | {others} |")


def families() -> None:
    """Print what people who dress alike share, by real networks on rendered people seen by two cameras."""
    from passerby.inference import load_embedder
    from passerby.models import find_model
    from simulation.crops import CropView, figure, render_crop
    from simulation.responses import random_response
    from simulation.streams import stream

    responses = [random_response(stream(77, "camera", number), spread=1.0) for number in range(2)]
    print("| dress | network | share of a person's energy |\n|---|---|---|")
    for name, dresses in (
        ("near-doubles", Dresses(double_share=1.0)),
        ("uniforms", Dresses(double_share=0.0, uniform_share=1.0, uniforms=3)),
    ):
        draw = np.random.default_rng(3)
        people = random_people(4242, 36, dresses=dresses)
        crops = []
        for person in people:
            body = figure(person)
            for response in responses:
                for turn in range(4):
                    yaw, phase = turn * np.pi / 2 + draw.uniform(0, 1), draw.random()
                    view = CropView(yaw_rad=float(yaw), pitch_rad=0.25, height_px=180, phase=float(phase))
                    crops.append(render_crop(body, view, response=response))
        family = np.array([person.family for person in people])
        for model in ("retail-0288", "retail-0277"):
            embedder = load_embedder(
                find_model(f"person-reidentification-{model}", task="embed"), engine="auto", threads=2
            )
            rows = embedder.embed(crops, [f"c{number // 4 % 2}" for number in range(len(crops))])
            embedder.close()
            means = rows.astype(np.float64).reshape(len(people), 2, 4, -1).mean(axis=2)
            means -= means.mean(axis=0)
            shared = means[:, 0] @ means[:, 1].T
            one = np.eye(len(people), dtype=bool)
            alike = (family[:, None] == family[None, :]) & ~one
            others = shared[~alike & ~one].mean()
            print(f"| {name} | {model} | {(shared[alike].mean() - others) / (shared[one].mean() - others):.2f} |")


def cost(hours: float) -> None:
    """Print what tapes of several sizes cost."""
    print(f"kind version {KIND_VERSION}, tape version {TAPE_VERSION}, {hours:g} h\n")
    print("| kind | cameras | seconds | tracklets | messages | MB | people |\n|---|---|---|---|---|---|---|")
    for kind, cameras in (("default", 4), ("default", 12), ("crowded", 4), ("sparse", 12)):
        with tempfile.TemporaryDirectory() as folder:
            began = time.process_time()
            tape = record_tape(
                SimulatedSite.make(kind, seed=7, cameras=cameras),
                Path(folder) / "a.tape",
                seconds=3600 * hours,
                progress=lambda _: None,
            )
            took = time.process_time() - began
            size = tape.tape.stat().st_size / 1e6
        print(
            f"| {kind} | {cameras} | {took:.0f} | {tape.tracklets} | {tape.messages} | {size:.0f} | {tape.people} |",
            flush=True,
        )


def ceiling(seeds: int) -> None:
    """Print what perfect association would reach on each kind."""
    from training.evaluate.mot_files import read_predictions, read_truth
    from training.evaluate.tracks import evaluate_tracks

    print(f"kind version {KIND_VERSION}, tape version {TAPE_VERSION}; 4 cameras, 15 minutes, visibility 0.3 or more\n")
    print("| kind | seed | HOTA | AssA | DetA | IDF1 | MOTA | mixed | things |\n|---|---|---|---|---|---|---|---|---|")
    for kind in KINDS:
        for seed in range(9001, 9001 + seeds):
            with tempfile.TemporaryDirectory() as folder:
                site = SimulatedSite.make(kind, seed=seed, cameras=4)
                made = record_tape(site, Path(folder) / "a.tape", seconds=900, progress=lambda _: None)
                truth = read_tape_truth(made.truth)
                write_majority(made.tape, made.truth, Path(folder) / "pred")
                found = evaluate_tracks(
                    read_truth(made.truth / "gt", min_visibility=0.3), read_predictions(Path(folder) / "pred")
                ).site
            mixed = np.mean([len({part.person for part in one.stretches}) > 1 for one in truth.tracklets])
            things = np.mean([one.person == 0 for one in truth.tracklets])
            print(
                f"| {kind} | {seed} | {found.hota:.3f} | {found.assa:.3f} | {found.deta:.3f} | {found.idf1:.3f} "
                f"| {found.mota:.3f} | {mixed:.1%} | {things:.1%} |",
                flush=True,
            )


def write_majority(tape: Path, truth_folder: Path, out: Path) -> None:
    """MOT files in which every tracklet has the number of its majority person, and every thing one of its own."""
    truth = read_tape_truth(truth_folder)
    who = {
        (one.boot, one.tracklet): one.person if one.person else 10**6 + number
        for number, one in enumerate(truth.tracklets)
    }
    rows: dict[str, dict[tuple[int, int], str]] = {camera: {} for camera in truth.fps}
    for record in read_tape(tape):
        envelope = decode(record.parts)
        update = envelope.message
        if isinstance(update, TrackletUpdate):
            person = who[envelope.boot_id.hex(), update.tracklet_id]
            seen = update.observations
            for frame, box in zip(seen.frame_numbers.tolist(), seen.boxes_xyxy.tolist(), strict=True):
                text = f"{frame},{person},{box[0]:.1f},{box[1]:.1f},{box[2] - box[0]:.1f},{box[3] - box[1]:.1f},1\n"
                rows[update.camera_id][frame, person] = text
    out.mkdir()
    for camera, lines in rows.items():
        (out / f"{camera}.txt").write_text("".join(lines[key] for key in sorted(lines)), encoding="ascii")


def main() -> None:
    """Run the part that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    parts.add_parser("likeness").add_argument("--data", type=Path, required=True)
    parts.add_parser("families")
    parts.add_parser("cost").add_argument("--hours", type=float, default=1.0)
    parts.add_parser("ceiling").add_argument("--seeds", type=int, default=3)
    wishes = parser.parse_args()
    match wishes.part:
        case "likeness":
            likeness(wishes.data)
        case "families":
            families()
        case "cost":
            cost(wishes.hours)
        case _:
            ceiling(wishes.seeds)


if __name__ == "__main__":
    main()
