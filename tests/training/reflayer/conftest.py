from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

import training.reflayer  # noqa: F401  its guard has to run before a test module imports diffusers


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Sums in one order on every machine, also in what a whole module shares."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
