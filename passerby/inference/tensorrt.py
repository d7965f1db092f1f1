"""TensorRT 11: NVIDIA's runtime, the fastest on its GPUs; compiles an ONNX file for the GPU it finds."""

import importlib
import logging
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np

from passerby.arrays import Float32Array, Int64Array
from passerby.errors import EngineError, EngineUnavailableError
from passerby.inference.camera_rows import CAMERA
from passerby.inference.cuda import CudaGpu, Gpu, cuda_unavailable
from passerby.inference.tensorrt_plan import MAX_BATCH, compiled_plan
from passerby.models import ModelManifest
from passerby.models.places import registry_folder

_log = logging.getLogger(__name__)


def tensorrt_unavailable() -> str | None:
    """Why TensorRT cannot run here; None when it can."""
    try:
        import tensorrt
    except ImportError:
        return "tensorrt is not installed; `pip install 'passerby[tensorrt]'` (Linux with an NVIDIA GPU)"
    if int(tensorrt.__version__.split(".")[0]) < 11:
        return f"tensorrt {tensorrt.__version__} is too old, 11 or newer is needed; `pip install -U 'tensorrt>=11'`"
    return cuda_unavailable()  # first of all: without a driver TensorRT does not raise, it crashes the process


class TensorRtNetwork:
    """Implements Network, or CameraNetwork where the manifest names cameras, on one GPU in one stream, in turns.

    The first load on a GPU compiles for minutes; the result is kept in `plans`. Batches of up to 32 where the file
    leaves the batch axis free. `half` computes in float16 (see tensorrt_plan), float32 otherwise.
    """

    def __init__(
        self,
        manifest: ModelManifest,
        *,
        half: bool = False,
        plans: Path | None = None,
        trt: Any = None,
        gpu: Gpu | None = None,
    ) -> None:
        file = Path(manifest.files[0])
        if file.suffix != ".onnx":
            raise EngineUnavailableError(f"TensorRT reads .onnx, not {file.name}; use the engine `openvino`")
        if trt is None:
            if (reason := tensorrt_unavailable()) is not None:
                raise EngineUnavailableError(reason)
            trt = importlib.import_module("tensorrt")
        self._name = manifest.name
        self._lock = threading.Lock()
        self._gpu: Gpu | None = CudaGpu() if gpu is None else gpu
        logger = trt.Logger(trt.Logger.WARNING)
        folder = registry_folder().parent / "plans" if plans is None else plans
        plan = compiled_plan(trt, manifest, half=half, gpu_name=self._gpu.name, logger=logger, folder=folder)
        runtime = trt.Runtime(logger)
        engine = runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise EngineError(f"TensorRT cannot load the compiled {manifest.name}; delete {folder} and start again")
        # The runtime must outlive the engine, the engine its context.
        self._owners: tuple[Any, ...] = (runtime, engine)
        self._context: Any = engine.create_execution_context()
        if self._context is None:
            raise EngineError(f"the GPU has too little memory left to run {manifest.name}")
        self._size = (3, manifest.input.height, manifest.input.width)
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        modes = {name: engine.get_tensor_mode(name) for name in names}
        inputs = [name for name in names if modes[name] == trt.TensorIOMode.INPUT]
        self._input = next(name for name in inputs if name != CAMERA)
        self._has_rows = CAMERA in inputs
        self._outputs = [name for name in names if modes[name] == trt.TensorIOMode.OUTPUT]
        self._types = {name: np.dtype(trt.nptype(engine.get_tensor_dtype(name))) for name in names}
        if self._types[self._input] != np.float32:
            raise EngineError(f"{file.name} takes {self._types[self._input]} pictures, expected float32")
        batch = engine.get_tensor_shape(self._input)[0]
        self._batch_limit = MAX_BATCH if batch == -1 else int(batch)
        self._addresses: dict[str, int] = {}
        self._allocate(self._gpu)
        precision = "float16" if half else "float32"
        self._device = f"TensorRT {'.'.join(trt.__version__.split('.')[:2])} {self._gpu.name} {precision}"
        _log.info("%s runs on %s", manifest.model_id, self._device)

    @property
    def device(self) -> str:
        """`TensorRT 11.4 NVIDIA L4 GPU-8c1f... float32`."""
        return self._device

    @property
    def batch_limit(self) -> int:
        """The most pictures that one run takes."""
        return self._batch_limit

    def run(self, batch: Float32Array, rows: Int64Array | None = None) -> list[Float32Array]:
        """Raw outputs for `batch`; see Network and, for `rows`, CameraNetwork."""
        if (rows is not None) != self._has_rows:
            raise EngineError(
                f"{self._name} {'has' if self._has_rows else 'has no'} statistics per camera; its pictures came "
                f"{'without' if rows is None else 'with'} rows"
            )
        pictures = np.ascontiguousarray(batch, np.float32)
        with self._lock:
            if self._gpu is None:
                raise EngineError(f"{self._name} has been closed")
            shapes = self._shapes(len(pictures))
            results = [np.empty(shapes[name], self._types[name]) for name in self._outputs]
            self._gpu.copy_in(self._addresses[self._input], pictures)
            if rows is not None:
                rows = np.ascontiguousarray(rows, self._types[CAMERA])
                self._gpu.copy_in(self._addresses[CAMERA], rows)
            if not self._context.execute_async_v3(self._gpu.stream):
                raise EngineError(
                    f"TensorRT failed to run {self._name} on {pictures.shape}; its reasons are in the log"
                )
            for name, result in zip(self._outputs, results, strict=True):
                self._gpu.copy_out(result, self._addresses[name])
            self._gpu.wait()
        return [result.astype(np.float32, copy=False) for result in results]

    def close(self) -> None:
        """Free the network and its memory on the GPU; waits for a run under way."""
        with self._lock:
            if self._gpu is None:
                return
            self._gpu.wait()
            self._context = None
            self._owners = ()
            for address in self._addresses.values():
                self._gpu.free(address)
            self._addresses = {}
            self._gpu.close()
            self._gpu = None

    def _allocate(self, gpu: Gpu) -> None:
        """Memory for the largest batch, once: its addresses never change."""
        shapes = self._shapes(self._batch_limit)
        for name, shape in shapes.items():
            self._addresses[name] = gpu.allocate(math.prod(shape) * self._types[name].itemsize)
            if not self._context.set_tensor_address(name, self._addresses[name]):
                raise EngineError(f"TensorRT refuses memory for {name} of {self._name}")

    def _shapes(self, pictures: int) -> dict[str, tuple[int, ...]]:
        """Make the next run one of `pictures`, and say the shape of every input and output."""
        wanted = (pictures, *self._size)
        if not self._context.set_input_shape(self._input, wanted):
            raise EngineError(f"{self._name} does not take pictures of shape {wanted}")
        if self._has_rows and not self._context.set_input_shape(CAMERA, (pictures,)):
            raise EngineError(f"{self._name} does not take rows of {pictures} cameras")
        missing = self._context.infer_shapes()
        names = (self._input, *([CAMERA] if self._has_rows else []), *self._outputs)
        shapes = {name: tuple(self._context.get_tensor_shape(name)) for name in names}
        if missing or any(-1 in shape for shape in shapes.values()):
            raise EngineError(f"{self._name} has outputs whose size is only known after a run: {shapes}")
        return shapes
