"""Several processes that train one network together, as torchrun starts them: each on its own share of every batch.

What is guessed, and how long it goes on, the first process decides; gradients are summed, so that all have the same
network. One process alone is a team, too, and nothing is asked of anybody.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, distributed, nn

from passerby.arrays import Int64Array
from passerby.errors import ConfigError, DataError, PasserbyError
from training.device import CPU, DeviceName, chosen_device

_T = TypeVar("_T")

_PATIENCE = timedelta(hours=4)
"""Others wait so long while the first clusters."""


@dataclass(frozen=True, slots=True)
class Team:
    """This process is number `rank` of `size`, and computes on `device`."""

    rank: int = 0
    size: int = 1
    device: torch.device = CPU

    @property
    def leads(self) -> bool:
        """Whether this is the first, which writes and tells what is done."""
        return self.rank == 0

    def led(self, work: Callable[[], _T]) -> _T:
        """What `work` gives in the first process, or the PasserbyError that it raises there, in all of them."""
        if self.size == 1:
            return work()
        told: list[Any] = [None]
        if self.leads:
            try:
                told = [(work(), None)]
            except PasserbyError as error:
                told = [(None, error)]
        distributed.broadcast_object_list(told, src=0, device=CPU)
        found, failed = told[0]
        if failed is not None:
            raise failed
        result: _T = found
        return result

    def shares(self, rows: Int64Array, people: Int64Array) -> list[Int64Array]:
        """The crops `rows` (n,) of a batch for each process: whole people, of whom `people` (n,) says which.

        Raises DataError where a process would have nobody.
        """
        if self.size == 1:
            return [rows]
        names = np.unique(people)
        if len(names) < self.size:
            raise DataError(f"{len(names)} people in a batch for {self.size} processes; start fewer")
        return [rows[np.isin(people, names[rank :: self.size])] for rank in range(self.size)]

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Give each parameter the sum of all processes' gradients."""
        if self.size == 1:
            return
        gradients = [each.grad for each in parameters if each.grad is not None]
        together = torch.cat([each.reshape(-1) for each in gradients])
        distributed.all_reduce(together)
        parts = torch.split(together, [each.numel() for each in gradients])
        for each, part in zip(gradients, parts, strict=True):
            each.copy_(part.view(each.shape))

    def summed(self, value: float) -> float:
        """The sum of all processes' values."""
        if self.size == 1:
            return value
        total = torch.tensor([value], dtype=torch.float64)
        distributed.all_reduce(total)
        return float(total)

    def gathered(self, features: Tensor, shares: Sequence[Int64Array]) -> Tensor:
        """The `features` (n, d) of all processes, of whom this has those of its share: in the order of the shares."""
        if self.size == 1:
            return features
        most = max(map(len, shares))
        padded = torch.zeros(most, features.shape[1], dtype=features.dtype, device=features.device)
        padded[: len(features)] = features
        of_all = [torch.empty_like(padded) for _ in range(self.size)]
        distributed.all_gather(of_all, padded)
        return torch.cat([each[: len(share)] for each, share in zip(of_all, shares, strict=True)])

    def synchronize(self, network: nn.Module) -> None:
        """Give all the first process's weights and statistics."""
        if self.size == 1:
            return
        for value in network.state_dict().values():
            sent = value.detach().contiguous()
            distributed.broadcast(sent, src=0)
            value.copy_(sent)


ALONE = Team()


def is_first() -> bool:
    """Whether this process is the only one, or the first that torchrun has started."""
    return os.environ.get("RANK", "0") == "0"


def require_alone(what: str) -> None:
    """Raise ConfigError where torchrun has started several processes for `what`, which one does."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError(f"{what} trains in one process; start it without torchrun")


@contextmanager
def gathered_team(wish: DeviceName) -> Iterator[Team]:
    """The processes that torchrun has started with this one, or this one alone, on the device that is asked for.

    Raises ConfigError for a device that is not there.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Team(device=chosen_device(wish))
        return
    device = chosen_device(wish, number=int(os.environ.get("LOCAL_RANK", "0")))
    if device.type == "cuda":
        if device.index >= torch.cuda.device_count():
            raise ConfigError(f"{size} processes for {torch.cuda.device_count()} GPUs; start one for each")
        torch.cuda.set_device(device)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield Team(distributed.get_rank(), size, device)
    finally:
        distributed.destroy_process_group()
