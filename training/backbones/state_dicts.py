"""State dicts as toolboxes publish them: read without running code, named alike, put into a network."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from passerby.errors import ModelError

Weights: TypeAlias = Mapping[str, Tensor]

_WRAPPERS = ("state_dict", "model")
"""Where a checkpoint keeps the weights: torchreid, SpCL and Cluster-Contrast; fast-reid."""

_NUMBERS: list[Any] = [
    (np.float64(0).__reduce__()[0], "numpy.core.multiarray.scalar"),
    (np.float64(0).__reduce__()[0], "numpy._core.multiarray.scalar"),
    np.dtype,
    type(np.dtype(np.float64)),
    type(np.dtype(np.float32)),
    type(np.dtype(np.int64)),
]
"""What a NumPy number is pickled by: many checkpoints hold their best mAP as one. Nothing here runs a file's code."""


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a .pth by their names, without the `module.` of parallel training.

    Raises ModelError for a file that cannot be read, would run code, or holds no state dict.
    """
    try:
        with torch.serialization.safe_globals(_NUMBERS):
            loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{path}: cannot read the state dict: {error.strerror or error}") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"{path}: not a state dict that loads with weights_only=True: {reason}") from error
    state = _unwrapped(loaded)
    if state is None:
        raise ModelError(f"{path}: holds {type(loaded).__name__}, expected a state dict")
    wrong = next((key for key, value in state.items() if not isinstance(value, Tensor)), None)
    if wrong is not None:
        raise ModelError(f"{path}: {wrong} is {type(state[wrong]).__name__}, expected a tensor")
    return {key.removeprefix("module."): value for key, value in state.items()}


def fill(network: nn.Module, weights: Weights, *, path: Path, family: str) -> None:
    """Put `weights` into `network`: each of its names in its shape, and no other.

    Counts of batches, which old files lack, may be missing. Raises ModelError that names the first key that is wrong,
    with `path` and the `family` that was expected.
    """
    own = network.state_dict()
    for key, value in own.items():
        if key not in weights:
            if key.endswith("num_batches_tracked"):
                continue
            raise ModelError(f"{path}: not {family}: it has no {key}")
        if weights[key].shape != value.shape:
            theirs, ours = tuple(weights[key].shape), tuple(value.shape)
            raise ModelError(f"{path}: not {family}: {key} has shape {theirs}, expected {ours}")
    foreign = next((key for key in weights if key not in own), None)
    if foreign is not None:
        raise ModelError(f"{path}: not {family}, which has no {foreign}")
    network.load_state_dict(dict(weights), strict=False)


def _unwrapped(loaded: Any) -> Mapping[str, Any] | None:
    if not isinstance(loaded, Mapping):
        return None
    for wrapper in _WRAPPERS:
        if isinstance(loaded.get(wrapper), Mapping):
            loaded = loaded[wrapper]
            break
    return loaded if loaded and all(isinstance(key, str) for key in loaded) else None
