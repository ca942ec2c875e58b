"""What a device has of memory, and how much of it networks may take. Torch is imported for GPUs only."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil

_SHARE_OF_GPU = 0.9
_SHARE_OF_MACHINE = 0.5


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """In MB. On a CPU ``used`` is what this process holds and ``free`` what the machine could still give."""

    used_mb: int
    free_mb: int


def chosen() -> str:
    """Where this process computes: ``RLD_DEVICE``, else the first GPU, else the CPU."""
    if given := os.environ.get("RLD_DEVICE", "").strip():
        return given
    import torch

    return "cuda:0" if torch.cuda.is_available() else "cpu"


def memory_of(device: str) -> DeviceMemory:
    if device.startswith("cuda"):
        import torch

        free, total = torch.cuda.mem_get_info(torch.device(device))
        return DeviceMemory((total - free) >> 20, free >> 20)
    return DeviceMemory(psutil.Process().memory_info().rss >> 20, psutil.virtual_memory().available >> 20)


def budget_mb(device: str) -> int:
    """For networks: ``RLD_DEVICE_MEMORY_MB``, else 90 % of a GPU's memory or half of the machine's."""
    if given := int(os.environ.get("RLD_DEVICE_MEMORY_MB", "").strip() or 0):
        return given
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.get_device_properties(torch.device(device)).total_memory * _SHARE_OF_GPU) >> 20
    return int(psutil.virtual_memory().total * _SHARE_OF_MACHINE) >> 20


def synchronize(device: str) -> None:
    """Wait until the device has done what was asked of it, so that a clock tells its time."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(torch.device(device))


def forget(device: str) -> None:
    """Give freed memory of a GPU back, so that larger pieces fit again."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
