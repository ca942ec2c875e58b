"""What work costs: seconds of the device and tokens of language networks, counted where networks are called."""

from __future__ import annotations

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

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.device_s - other.device_s, self.tokens - other.tokens)


class Meter:
    """Counts up for as long as the process lives; a caller subtracts what it read before."""

    def __init__(self) -> None:
        self.read = Cost()

    @contextmanager
    def device(self, device: str) -> Iterator[None]:
        """The block's seconds, until the device has done everything it was asked for in it."""
        started = time.perf_counter()
        try:
            yield
        finally:
            devices.synchronize(device)
            self.read = Cost(self.read.device_s + time.perf_counter() - started, self.read.tokens)

    def answers(self, answers: Sequence[Any]) -> None:
        """The tokens of ``engine.stages.roles.Answer``."""
        self.read = Cost(self.read.device_s, self.read.tokens + sum(answer.tokens for answer in answers))


METER = Meter()
