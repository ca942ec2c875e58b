"""A moving average of the trained tensors, and of nothing else: frozen weights need none, LoRA included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def trained_tensors(module: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that learn, by name, in the module's order."""
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}


class EMA:
    """``decay * old + (1 - decay) * new`` in float32; early on the decay is (1 + step) / (10 + step) if smaller."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.average = {name: p.detach().float().clone() for name, p in trained_tensors(module).items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, parameter in trained_tensors(module).items():
            self.average[name].lerp_(parameter.detach().float(), 1 - decay)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        for name, parameter in trained_tensors(module).items():
            parameter.copy_(self.average[name])

    @contextmanager
    def applied_to(self, module: nn.Module) -> Iterator[None]:
        """The averaged weights for the time of the block; afterwards the trained ones again, to the bit."""
        kept = {name: parameter.detach().clone() for name, parameter in trained_tensors(module).items()}
        self.copy_to(module)
        try:
            yield
        finally:
            with torch.no_grad():
                for name, parameter in trained_tensors(module).items():
                    parameter.copy_(kept[name])

    def load(self, average: Mapping[str, Tensor]) -> None:
        for name, tensor in self.average.items():
            tensor.copy_(average[name])
