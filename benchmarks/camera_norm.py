"""What batch norm per camera costs when it runs: folded for each camera, gathered for each picture, and not at all.

    python benchmarks/camera_norm.py [--backbone osnet_x0_25] [--height 256] [--width 128] [--crops 8] [--turns 15]

One thread. Milliseconds of processor time for one batch of crops of one camera (median), each engine; how long a
camera's network takes to make, and what it adds to the memory of the process. Exit status 1 if folding costs more than
a tenth.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# A benchmark beside this file bears the name of a package: look for that in the tree.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import msgspec  # noqa: E402
import onnxruntime  # noqa: E402
import openvino  # noqa: E402
import torch  # noqa: E402

from passerby.arrays import Float32Array  # noqa: E402
from passerby.inference.camera_rows import CAMERA, with_row  # noqa: E402
from passerby.inference.network import Network  # noqa: E402
from passerby.inference.onnxruntime import OnnxRuntimeNetwork  # noqa: E402
from passerby.inference.openvino import OpenVinoNetwork  # noqa: E402
from passerby.inference.tensorrt_plan import with_row_input  # noqa: E402
from passerby.models import EmbeddingOutput, ModelDescription, ModelManifest  # noqa: E402
from training.backbones import make_backbone  # noqa: E402
from training.batch_norm import CameraNetwork  # noqa: E402
from training.export import IMAGENET, export_embedder  # noqa: E402
from training.export_cameras import export_camera_network  # noqa: E402

CAMERAS = 4


@dataclass(frozen=True)
class Models:
    """One backbone as an ordinary network, and with statistics for each of CAMERAS cameras."""

    ordinary: ModelManifest
    cameras: ModelManifest


def main() -> int:
    options = parse()
    batch = np.random.default_rng(0).normal(size=(options.crops, 3, options.height, options.width)).astype(np.float32)
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        models = export(Path(folder), options)
        content = Path(models.cameras.files[0]).read_bytes()
        print(
            f"{options.backbone}, {options.crops} crops of {options.height}x{options.width}, one thread, CPU ms a batch"
        )
        print("engine        ordinary   folded  gathered | folded and gathered / ordinary |  made in  memory of each")
        for name, load, gathering in (
            ("openvino", load_openvino, gathering_openvino),
            ("onnxruntime", load_onnxruntime, gathering_onnxruntime),
        ):
            ordinary = load(models.ordinary, None)
            networks = []
            ordinary.run(batch)
            before, began = resident_mib(), time.perf_counter()
            for row in range(CAMERAS):
                networks.append(load(models.cameras, with_row(content, row, name=name)))
            seconds = (time.perf_counter() - began) / CAMERAS
            for network in networks:
                network.run(batch)
            memory = (resident_mib() - before) / CAMERAS
            per_picture = gathering(with_row_input(content, name=name), batch)
            runs = [lambda n=ordinary: n.run(batch), lambda n=networks[0]: n.run(batch), per_picture]
            taken = medians(runs, turns=options.turns)
            folded, gathered = taken[1] / taken[0], taken[2] / taken[0]
            worst = max(worst, folded)
            print(
                f"{name:<12} {taken[0]:>9.1f} {taken[1]:>8.1f} {taken[2]:>9.1f} | {folded:>6.2f} {gathered:>12.2f} "
                f"{'':>12}| {seconds:>5.2f} s {memory:>9.0f} MiB",
                flush=True,
            )
    holds = worst <= 1.1
    print("ok    " if holds else "FAILED", "folded costs at most a tenth more than an ordinary network")
    return 0 if holds else 1


def export(folder: Path, options: argparse.Namespace) -> Models:
    """The backbone untrained, with the statistics of nothing: they change no time."""
    torch.manual_seed(0)
    description = ModelDescription(
        task="embed",
        input=msgspec.structs.replace(IMAGENET, height=options.height, width=options.width),
        embedding=EmbeddingOutput(dimension=make_backbone(options.backbone).feature_dimension),
    )
    ordinary = export_embedder(make_backbone(options.backbone), folder / "ordinary.onnx", description=description)
    network = CameraNetwork(make_backbone(options.backbone), cameras=CAMERAS)
    for norm in network.norms():
        norm.means.normal_(0.0, 0.1)
        norm.variances.uniform_(0.5, 2.0)
    assert description.embedding is not None
    names = [f"c{number}" for number in range(CAMERAS)]
    embedding = msgspec.structs.replace(description.embedding, cameras=names)
    named = msgspec.structs.replace(description, embedding=embedding)
    return Models(ordinary, export_camera_network(network, folder / "cameras.onnx", description=named))


def load_openvino(manifest: ModelManifest, content: bytes | None) -> Network:
    return OpenVinoNetwork(manifest, threads=1, content=content)


def load_onnxruntime(manifest: ModelManifest, content: bytes | None) -> Network:
    return OnnxRuntimeNetwork(manifest, threads=1, content=content)


def gathering_openvino(content: bytes, batch: Float32Array) -> Callable[[], object]:
    """A run of the network with a row for each picture as its second input."""
    core = openvino.Core()
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    request = core.compile_model(core.read_model(content), "CPU", settings).create_infer_request()
    rows = np.arange(len(batch)) % CAMERAS
    return lambda: request.infer({"pictures": batch, CAMERA: rows}, share_inputs=True)


def gathering_onnxruntime(content: bytes, batch: Float32Array) -> Callable[[], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    rows = np.arange(len(batch)) % CAMERAS
    return lambda: session.run(None, {"pictures": batch, CAMERA: rows})


def medians(runs: list[Callable[[], object]], *, turns: int) -> list[float]:
    """Milliseconds of processor time of each, in turns, so that what else the machine does falls on all alike."""
    taken: list[list[float]] = [[] for _ in runs]
    for _ in range(turns):
        for run, times in zip(runs, taken, strict=True):
            began = time.process_time()
            run()
            times.append(1e3 * (time.process_time() - began))
    return [float(np.median(times)) for times in taken]


def resident_mib() -> float:
    """Memory that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="osnet_x0_25")
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--crops", type=int, default=8)
    parser.add_argument("--turns", type=int, default=15)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
