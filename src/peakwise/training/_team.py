"""Several processes that train one network, each on its own GPU (or, for tests, on a CPU)."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import distributed, nn

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Team", "joined_processes"]


@dataclass(frozen=True)
class Team:
    """One process among those that train together; alone where no process group was made."""

    rank: int = 0
    size: int = 1
    place: int = 0

    @classmethod
    def found(cls) -> Team:
        """The process group that is there now."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return cls()
        rank = distributed.get_rank()
        return cls(rank, distributed.get_world_size(), int(os.environ.get("LOCAL_RANK", rank)))

    def wrap(self, objective: nn.Module, device: torch.device) -> nn.Module:
        """The module whose gradients are averaged over the processes."""
        if self.size == 1:
            return objective
        return nn.parallel.DistributedDataParallel(objective, device_ids=[device] if device.type == "cuda" else None)

    def largest(self, values: list[float], device: torch.device) -> list[float]:
        """The largest of each number over the processes: so all of them decide alike."""
        if self.size == 1:
            return values
        shared = torch.tensor(values, dtype=torch.float64, device=device)
        distributed.all_reduce(shared, distributed.ReduceOp.MAX)
        return [float(v) for v in shared.tolist()]

    def told_by_first(self, value: float, device: torch.device) -> float:
        """The number as the first process has it."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=device)
        distributed.broadcast(shared, src=0)
        return float(shared.item())


@contextmanager
def joined_processes() -> Iterator[Team]:
    """Join the processes that ``torchrun`` started; without ``torchrun`` this one works alone.

    >>> with joined_processes() as team:
    ...     team
    Team(rank=0, size=1, place=0)
    """
    wanted = int(os.environ.get("WORLD_SIZE", "1")) > 1
    if not wanted or distributed.is_initialized():
        yield Team.found()
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Team.found()
    finally:
        distributed.destroy_process_group()
