"""The little of CUDA that TensorRT needs: memory on the GPU, copies, one stream."""

from typing import Any, Protocol

from numpy.typing import NDArray

from passerby.errors import EngineError


class Gpu(Protocol):
    """One GPU with a stream of its own. Addresses are integers; sizes are bytes. Every call may raise EngineError."""

    @property
    def name(self) -> str:
        """For a person, and in the key of compiled engines: `NVIDIA L4 GPU-8c1f...`."""

    @property
    def stream(self) -> int:
        """The handle of the stream on which copies and runs are queued."""

    def allocate(self, size: int) -> int:
        """Memory on the GPU; `free` gives it back."""

    def free(self, address: int) -> None:
        """Give memory of `allocate` back."""

    def copy_in(self, address: int, array: NDArray[Any]) -> None:
        """Queue a copy of a contiguous array to the GPU; it must stay as it is until `wait`."""

    def copy_out(self, array: NDArray[Any], address: int) -> None:
        """Queue a copy from the GPU into a contiguous array; it is there after `wait`."""

    def wait(self) -> None:
        """Until everything queued on the stream is done."""

    def close(self) -> None:
        """Give the stream back."""


def cuda_unavailable() -> str | None:
    """Why no GPU can be used; None when one can. Safe where no driver is installed."""
    try:
        from cuda.bindings import runtime
    except ImportError:
        return "cuda-python is not installed; `pip install 'passerby[tensorrt]'`"
    error, count = runtime.cudaGetDeviceCount()
    if error != runtime.cudaError_t.cudaSuccess:
        return f"no NVIDIA GPU can be used: {_text(runtime, error)}"
    return None if count else "this machine has no NVIDIA GPU"


class CudaGpu:
    """Implements Gpu over cuda-python. Raises EngineError where `cuda_unavailable` says why."""

    def __init__(self, device: int = 0) -> None:
        if (reason := cuda_unavailable()) is not None:
            raise EngineError(reason)
        from cuda.bindings import runtime

        self._runtime: Any = runtime
        self._device = device
        self._call(runtime.cudaSetDevice(device))
        properties = self._call(runtime.cudaGetDeviceProperties(device))
        model = properties.name.decode(errors="replace").rstrip("\0")
        self._name = f"{model} GPU-{bytes(properties.uuid.bytes).hex()[:12]}"
        self._stream: Any = self._call(runtime.cudaStreamCreateWithFlags(runtime.cudaStreamNonBlocking))

    @property
    def name(self) -> str:
        """`NVIDIA L4 GPU-8c1f...`."""
        return self._name

    @property
    def stream(self) -> int:
        """The stream's handle."""
        return int(self._stream)

    def allocate(self, size: int) -> int:
        """Memory on the GPU."""
        self._call(self._runtime.cudaSetDevice(self._device))  # the current device belongs to the thread
        return int(self._call(self._runtime.cudaMalloc(size)))

    def free(self, address: int) -> None:
        """Give it back."""
        self._call(self._runtime.cudaFree(address))

    def copy_in(self, address: int, array: NDArray[Any]) -> None:
        """Queue a copy to the GPU."""
        self._copy(address, array.ctypes.data, array.nbytes, self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice)

    def copy_out(self, array: NDArray[Any], address: int) -> None:
        """Queue a copy from the GPU."""
        self._copy(array.ctypes.data, address, array.nbytes, self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost)

    def wait(self) -> None:
        """Until the stream is done."""
        self._call(self._runtime.cudaStreamSynchronize(self._stream))

    def close(self) -> None:
        """Give the stream back."""
        self._call(self._runtime.cudaStreamDestroy(self._stream))

    def _copy(self, to: int, start: int, size: int, kind: Any) -> None:
        self._call(self._runtime.cudaSetDevice(self._device))
        self._call(self._runtime.cudaMemcpyAsync(to, start, size, kind, self._stream))

    def _call(self, answer: tuple[Any, ...]) -> Any:
        error, *values = answer
        if error != self._runtime.cudaError_t.cudaSuccess:
            raise EngineError(f"CUDA failed on {getattr(self, '_name', 'the GPU')}: {_text(self._runtime, error)}")
        return values[0] if values else None


def _text(runtime: Any, error: Any) -> str:
    _, text = runtime.cudaGetErrorString(error)
    return str(text.decode(errors="replace"))
