from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engine import weights_folder


@pytest.fixture(scope="session")
def _weights_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture
def tiny_weights(_weights_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """``RLD_WEIGHTS`` with tiny random networks in place of the real ones, each built when first asked for.

    One thread: they are too small for two.
    """
    from tests.engine import tiny_networks

    require = weights_folder.require

    def built(name: str) -> Path:
        tiny_networks.build(name, _weights_root)
        return require(name)

    monkeypatch.setenv("RLD_WEIGHTS", str(_weights_root))
    monkeypatch.setattr(weights_folder, "require", built)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield _weights_root
    torch.set_num_threads(threads)
