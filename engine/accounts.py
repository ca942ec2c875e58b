"""What work costs: seconds of the device and tokens of language networks, counted where networks are called."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from engine import devices


@dataclass(frozen=True, slots=True)
class Cost:
    device_s: float = 0.0
    tokens: int = 0
    waited_s: float = 0.0
    """For the device, which another thread of this process had."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.device_s + other.device_s, self.tokens + other.tokens, self.waited_s + other.waited_s)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.device_s - other.device_s, self.tokens - other.tokens, self.waited_s - other.waited_s)


class Meter(threading.local):
    """Counts up, each thread for itself, for as long as it lives; a caller subtracts what it read before."""

    def __init__(self) -> None:
        self.read = Cost()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The block has the device to itself; other threads of this process wait."""
        asked = time.perf_counter()
        with _TURN:
            self.read += Cost(waited_s=time.perf_counter() - asked)
            yield

    @contextmanager
    def device(self, device: str) -> Iterator[None]:
        """A turn whose seconds count, until the device has done everything it was asked for in it."""
        with self.turn():
            started = time.perf_counter()
            try:
                yield
            finally:
                devices.synchronize(device)
                self.read += Cost(time.perf_counter() - started)

    def answers(self, answers: Sequence[Any]) -> None:
        """The tokens of ``engine.stages.roles.Answer``."""
        self.read += Cost(tokens=sum(answer.tokens for answer in answers))


_TURN = threading.RLock()
"""A process has one device, and its networks are called one at a time."""
METER = Meter()
