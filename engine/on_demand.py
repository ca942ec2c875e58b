"""A network of the table that is in memory only while there is room and need for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from typing import Any

from engine import weights, weights_folder
from engine.accounts import METER
from engine.residency import RESIDENCY

_FLOAT32_FACTOR = 2
"""The table's memory is of bfloat16."""


class OnDemand:
    """Called like the network it stands for. Equal networks are one in memory, whoever made them.

    ``load`` sees that the weights are there and remembers device and number type; they are read with the first call.
    A device that has no memory left gives up all other networks before the call is tried a second time.
    """

    def __init__(self, network_class: Callable[..., Any], params: dict[str, Any], memory_mb: int) -> None:
        """``params`` of the class, ``weights`` among them. Raises ``TypeError`` for unknown ones."""
        network_class(**params)
        self._class, self._params = network_class, params
        self._memory_mb = max(memory_mb, weights.find(params["weights"]).size_mb)
        self._device, self._dtype = "cpu", "float32"
        self._key: Hashable = None

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        """Raises ``MissingWeights`` or ``DamagedWeights``."""
        place = weights_folder.require(self._params["weights"])
        self._device, self._dtype = device, dtype
        said = json.dumps(self._params, sort_keys=True)
        self._key = (self._class, said, str(place), device, dtype)

    def __call__(self, *args: Any) -> Any:
        import torch

        with METER.turn():
            network = self._network()
            with METER.device(self._device):
                try:
                    return network(*args)
                except torch.OutOfMemoryError:
                    if not RESIDENCY.shed(self._key):
                        raise
                return network(*args)

    def __getattr__(self, name: str) -> Any:
        """What its class says needs no weights; the rest is known only when they are read."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._class, name) if hasattr(self._class, name) else getattr(self._network(), name)

    def _network(self) -> Any:
        if self._key is None:
            raise RuntimeError("load comes before the first call")
        memory_mb = self._memory_mb * (_FLOAT32_FACTOR if self._dtype == "float32" else 1)
        with METER.turn():
            return RESIDENCY.get(self._key, self._params["weights"], memory_mb, self._device, self._loaded)

    def _loaded(self) -> Any:
        network = self._class(**self._params)
        network.load(self._device, self._dtype)
        return network
