"""What is in a device's memory: kept between calls, the least recently used given up when another needs the room.

One process works for one device, so there is one ``RESIDENCY``. Memory is counted by the tables' figures, not measured:
the figures hold the working memory of a usual batch too, which is not there yet when a network is loaded.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from engine import devices

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    name: str
    memory_mb: int
    device: str
    thing: Any


class Residency:
    """``budget_mb`` is asked once for each device. Changed by who has the device; ``listed`` may be called by any."""

    def __init__(self, budget_mb: Callable[[str], int] = devices.budget_mb) -> None:
        self._budget_mb = budget_mb
        self._budgets: dict[str, int] = {}
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._lock = threading.RLock()

    def get(self, key: Hashable, name: str, memory_mb: int, device: str, build: Callable[[], Any]) -> Any:
        """What was built under this key before, or now; then others go first, until the budget holds this one.

        Something larger than the whole budget is built when it is alone: the device has the last word.
        """
        with self._lock:
            if key not in self._kept:
                self._make_room(memory_mb, device)
                self._kept[key] = Kept(name, memory_mb, device, build())
            self._kept.move_to_end(key)
            return self._kept[key].thing

    def shed(self, key: Hashable) -> bool:
        """Give up everything but ``key``; whether anything went."""
        with self._lock:
            others = [other for other in self._kept if other != key]
            self._evict(others)
            return bool(others)

    def clear(self) -> None:
        with self._lock:
            self._evict(list(self._kept))

    def listed(self) -> list[tuple[str, int]]:
        """Name and MB of what is there, the most recently used first. Does not wait for a network that is loading."""
        return [(kept.name, kept.memory_mb) for kept in reversed(list(self._kept.values()))]

    def _make_room(self, memory_mb: int, device: str) -> None:
        budget = self._budgets.setdefault(device, self._budget_mb(device))
        used = sum(kept.memory_mb for kept in self._kept.values() if kept.device == device)
        leaving: list[Hashable] = []
        for key, kept in self._kept.items():
            if used + memory_mb <= budget:
                break
            if kept.device == device:
                leaving.append(key)
                used -= kept.memory_mb
        self._evict(leaving)

    def _evict(self, keys: list[Hashable]) -> None:
        gone = [self._kept.pop(key) for key in keys]
        if not gone:
            return
        log.info("given up: %s", ", ".join(kept.name for kept in gone))
        emptied = {kept.device for kept in gone}
        gone.clear()
        gc.collect()
        for device in emptied:
            devices.forget(device)


RESIDENCY = Residency()
