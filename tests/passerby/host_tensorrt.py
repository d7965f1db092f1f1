"""The part of TensorRT's and CUDA's interfaces that we use, with ONNX Runtime and host memory behind it.

It keeps TensorRT's rules that matter to a caller: shapes before addresses, results only after a wait for the stream,
None instead of exceptions. Which names exist in the real thing is checked beside it, against the real bindings.
"""

import ctypes
import enum
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

__version__ = "11.4.0.106"


class HostGpu:
    """Implements Gpu: addresses are host memory, the stream runs when it is waited for."""

    name = "Imaginary GPU-0123456789ab"
    stream = 1

    def __init__(self) -> None:
        self.memory: dict[int, Any] = {}
        self.queue: list[Callable[[], None]] = []
        self.closed = False

    def allocate(self, size: int) -> int:
        block = (ctypes.c_uint8 * size)()
        self.memory[ctypes.addressof(block)] = block
        return ctypes.addressof(block)

    def free(self, address: int) -> None:
        del self.memory[address]

    def view(self, address: int, shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
        count = int(np.prod(shape))
        return np.frombuffer(self.memory[address], kind, count).reshape(shape)

    def copy_in(self, address: int, array: NDArray[Any]) -> None:
        self.queue.append(lambda: ctypes.memmove(address, array.ctypes.data, array.nbytes))

    def copy_out(self, array: NDArray[Any], address: int) -> None:
        self.queue.append(lambda: ctypes.memmove(array.ctypes.data, address, array.nbytes))

    def wait(self) -> None:
        queued, self.queue = self.queue, []
        for step in queued:
            step()

    def close(self) -> None:
        self.closed = True


class NetworkDefinitionCreationFlag(enum.IntEnum):
    STRONGLY_TYPED = 0


class MemoryPoolType(enum.Enum):
    WORKSPACE = 0


class BuilderFlag(enum.Enum):
    TF32 = 5


class TensorIOMode(enum.Enum):
    INPUT = 1
    OUTPUT = 2


def nptype(kind: Any) -> Any:
    return kind


class Logger:
    WARNING = 2

    def __init__(self, severity: int) -> None:
        self.severity = severity


class _Input:
    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.name = name
        self.shape = shape


class _Network:
    content = b""

    @property
    def num_inputs(self) -> int:
        return len(_session(self.content).get_inputs())

    def get_input(self, index: int) -> _Input:
        end = _session(self.content).get_inputs()[index]
        return _Input(end.name, tuple(-1 if not isinstance(axis, int) else axis for axis in end.shape))


class _Error:
    def desc(self) -> str:
        return "no ONNX"


class OnnxParser:
    num_errors = 1

    def __init__(self, network: _Network, logger: Logger) -> None:
        self.network = network

    def parse(self, content: bytes, path: str) -> bool:
        self.network.content = content
        try:
            _session(content)
        except onnxruntime.capi.onnxruntime_pybind11_state.InvalidProtobuf:
            return False
        return True

    def get_error(self, index: int) -> _Error:
        return _Error()


class _Profile:
    names: tuple[str, ...] = ()

    def set_shape(self, name: str, low: tuple[int, ...], usual: tuple[int, ...], high: tuple[int, ...]) -> None:
        assert len(low) == len(usual) == len(high) == {"pictures": 4, "camera": 1}[name]
        self.names = (*self.names, name)


class _Config:
    profile = _Profile()

    def set_memory_pool_limit(self, pool: MemoryPoolType, size: int) -> None: ...

    def clear_flag(self, flag: BuilderFlag) -> None: ...

    def add_optimization_profile(self, profile: _Profile) -> int:
        self.profile = profile
        return 0


class Builder:
    built = 0

    def __init__(self, logger: Logger) -> None: ...

    def create_network(self, flags: int) -> _Network:
        assert flags == 1
        return _Network()

    def create_builder_config(self) -> _Config:
        return _Config()

    def create_optimization_profile(self) -> _Profile:
        return _Profile()

    def build_serialized_network(self, network: _Network, config: _Config) -> bytes:
        Builder.built += 1
        free = {end.name for end in _session(network.content).get_inputs() if not isinstance(end.shape[0], int)}
        assert free == set(config.profile.names), "TensorRT refuses to build where a free axis has no range"
        return network.content


class Runtime:
    gpu: HostGpu

    def __init__(self, logger: Logger) -> None: ...

    def deserialize_cuda_engine(self, plan: bytes) -> "_Engine | None":
        try:
            return _Engine(_session(plan), Runtime.gpu)
        except onnxruntime.capi.onnxruntime_pybind11_state.InvalidProtobuf:
            return None


class _Engine:
    def __init__(self, session: Any, gpu: HostGpu) -> None:
        self.session = session
        self.gpu = gpu
        self.ends = [*session.get_inputs(), *session.get_outputs()]
        self.num_io_tensors = len(self.ends)

    def get_tensor_name(self, index: int) -> str:
        return str(self.ends[index].name)

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        inputs = [end.name for end in self.session.get_inputs()]
        return TensorIOMode.INPUT if name in inputs else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name: str) -> Any:
        end = next(end for end in self.ends if end.name == name)
        return {"tensor(float)": np.float32, "tensor(int64)": np.int64}[end.type]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        end = next(end for end in self.ends if end.name == name)
        return tuple(axis if isinstance(axis, int) else -1 for axis in end.shape)

    def create_execution_context(self) -> "_Context":
        return _Context(self)


class _Context:
    def __init__(self, engine: _Engine) -> None:
        self.engine = engine
        self.addresses: dict[str, int] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        assert self.engine.get_tensor_mode(name) == TensorIOMode.INPUT
        own = self.engine.get_tensor_shape(name)
        fits = len(own) == len(shape) and all(axis in (-1, wanted) for axis, wanted in zip(own, shape, strict=True))
        if fits:
            self.shapes[name] = shape
        else:
            self.shapes.pop(name, None)
        return fits

    def infer_shapes(self) -> list[str]:
        return [end.name for end in self.engine.session.get_inputs() if end.name not in self.shapes]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.shapes.get(name) or (self.shapes["pictures"][0], *self.engine.get_tensor_shape(name)[1:])

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return address in self.engine.gpu.memory

    def execute_async_v3(self, stream: int) -> bool:
        assert stream == self.engine.gpu.stream
        shapes, gpu, engine = dict(self.shapes), self.engine.gpu, self.engine

        def step() -> None:
            given = {
                name: gpu.view(self.addresses[name], shape, engine.get_tensor_dtype(name))
                for name, shape in shapes.items()
            }
            results = engine.session.run(None, given)
            for end, result in zip(engine.session.get_outputs(), results, strict=True):
                gpu.view(self.addresses[end.name], result.shape, result.dtype)[...] = result

        gpu.queue.append(step)
        return True


def _session(content: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
