"""Where a network is trained, and in how many bits."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from passerby.errors import ConfigError

DeviceName = Literal["auto", "cpu", "cuda"]

CPU = torch.device("cpu")

_COMPUTES_BFLOAT16 = 8
"""CUDA compute capability from which on bfloat16 is in hardware."""


def chosen_device(wish: DeviceName, *, number: int = 0) -> torch.device:
    """The device that is asked for; `auto` is a GPU where torch can use one. `number` says which GPU.

    Raises ConfigError for `cuda` where there is none.
    """
    if wish == "cpu" or (wish == "auto" and not torch.cuda.is_available()):
        return CPU
    if not torch.cuda.is_available():
        raise ConfigError("--device cuda: torch finds no NVIDIA GPU here; use --device cpu, or a torch made for CUDA")
    return torch.device("cuda", number)


def half_type(device: torch.device) -> torch.dtype | None:
    """The 16-bit numbers that `device` gains by: bfloat16 where it is in hardware, else float16 on a GPU."""
    if device.type == "cuda":
        capable = torch.cuda.get_device_capability(device)[0] >= _COMPUTES_BFLOAT16
        return torch.bfloat16 if capable else torch.float16
    can = torch.cpu.get_capabilities()
    return torch.bfloat16 if can.get("avx512_bf16") or can.get("amx_bf16") else None


class Precision:
    """In which bits a network computes while it learns; with float16 losses are scaled, as small gradients vanish."""

    def __init__(self, device: torch.device, *, half: bool) -> None:
        self._device = device
        self._type = half_type(device) if half else None
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._type is torch.float16)

    def computing(self) -> torch.autocast:
        """A context in which networks are called."""
        return torch.autocast(self._device.type, self._type or torch.bfloat16, enabled=self._type is not None)

    def backward(self, loss: Tensor) -> None:
        """Gradients of `loss`, scaled where they must be."""
        torch.autograd.backward(self._scaler.scale(loss))

    def step(self, optimizers: Sequence[torch.optim.Optimizer]) -> None:
        """One step of each; none where a scaled gradient has overflown."""
        for optimizer in optimizers:
            self._scaler.step(optimizer)
        if self._scaler.is_enabled():
            self._scaler.update()
