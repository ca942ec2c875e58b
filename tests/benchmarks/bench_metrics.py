"""Metrics against torchmetrics on the same networks and pictures, and the Frechet distance against the matrix root.

Only ratios are asserted, of turns taken one after the other on the same machine.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from engine.composites.generator import compose
from engine.composites.photographs import Photographs
from engine.torchvision_guard import install
from evaluation.composite_pairs import all_pairs
from evaluation.degrade import colour_cast
from evaluation.features.alexnet import fixed_seed_trunk, lpips_network
from evaluation.features.inception import InceptionEncoder, architecture
from evaluation.features.perceptual import Perceptual, score
from evaluation.metrics.backgrounds import composites
from evaluation.metrics.fidelity import Fidelity
from evaluation.metrics.frechet import frechet, gaussian_of
from evaluation.metrics.pairs import LayerPair
from evaluation.metrics.preservation import Preservation
from evaluation.metrics.resize import as_batch

install()

SIZE_PX = 256
BATCH = 8


@pytest.fixture(scope="module")
def pairs() -> list[LayerPair]:
    """The layers of some composites, in a wrong colour."""
    photographs = Photographs.from_packages(2 * SIZE_PX)
    truths = all_pairs(compose(seed, SIZE_PX, photographs) for seed in range(30000, 30008))[:24]
    return [replace(pair, predicted_hwc=colour_cast(pair, 20)) for pair in truths]


def seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    value = run()
    return time.perf_counter() - start, value


def ratio(theirs: Callable[[], Any], ours: Callable[[], Any], turns: int) -> float:
    """Their best time over ours, turns alternating, so that a busy machine hits both."""
    times = [(seconds(theirs)[0], seconds(ours)[0]) for _ in range(turns)]
    return min(their for their, _ in times) / min(our for _, our in times)


def in_one(pairs: list[LayerPair], side: str) -> torch.Tensor:
    return torch.from_numpy(np.stack([getattr(pair, side) for pair in pairs])).permute(0, 3, 1, 2).float() / 255


def test_lpips(bench: Callable[..., None], pairs: list[LayerPair]) -> None:
    """The bare distance, tensors to numbers: the same convolutions on both sides, so about 1."""
    from torchmetrics.functional.image.lpips import _lpips_update

    network, theirs = Perceptual(lpips_network(fixed_seed_trunk()), "bench", False), their_network()
    truth, predicted = (in_one(pairs[:BATCH], side)[:, :3] for side in ("truth_hwc", "predicted_hwc"))

    def run_theirs() -> torch.Tensor:
        with torch.no_grad():
            return _lpips_update(truth, predicted, theirs, normalize=True)

    def run_ours() -> torch.Tensor:
        return score(network.differences(network.levels(truth), network.levels(predicted)))

    torch.testing.assert_close(run_ours(), run_theirs().flatten(), rtol=1e-5, atol=1e-7)
    bench("LPIPS, torchmetrics over ours", ratio(run_theirs, run_ours, 7), "x")


def test_preservation(bench: Callable[..., None], pairs: list[LayerPair]) -> None:
    """The three numbers of S_vis from 8-bit layers; torchmetrics' network needs a pass of its own for each."""
    metric, plain, by_pixel = (
        Preservation(Perceptual(lpips_network(fixed_seed_trunk()), "bench", False), BATCH),
        their_network(),
        their_network(),
    )
    by_pixel.spatial = True

    def run_theirs() -> list[float]:
        values: list[float] = []
        for start in range(0, len(pairs), BATCH):
            part = pairs[start : start + BATCH]
            mask = torch.from_numpy(np.stack([pair.visible_hw for pair in part]))[:, None].float()
            layers = [in_one(part, side) for side in ("truth_hwc", "predicted_hwc")]
            black = [layer[:, :3] * mask for layer in layers]
            grey = [(layer[:, :3] * layer[:, 3:] + 0.5 * (1 - layer[:, 3:])) * mask for layer in layers]
            with torch.no_grad():
                values += plain(*black, normalize=True).flatten().tolist()
                plain(*grey, normalize=True)
                by_pixel(*black, normalize=True)
        return values

    def run_ours() -> list[Any]:
        metric.reset()
        metric.update(pairs)
        return [metric.rows[pair.name]["s_vis"] for pair in pairs]

    found = ratio(run_theirs, run_ours, 3)
    bench("S_vis with variants, torchmetrics over ours", found, "x", f"{len(pairs)} layers of {SIZE_PX} px")
    assert found >= 1.0


def test_fidelity(bench: Callable[..., None], pairs: list[LayerPair]) -> None:
    """S_fid on grey, composites to distance, with the same Inception network (untrained: that changes no time)."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    torch.manual_seed(0)
    encoder = InceptionEncoder(architecture().state_dict(), "bench")
    module = _AsModule(encoder)
    metric = Fidelity(encoder, batch=BATCH, groups=0)
    without_own = [replace(pair, background_hwc=None) for pair in pairs[:12]]

    def run_theirs() -> float:
        backgrounds = [FrechetInceptionDistance(feature=module) for _ in ("grey", "checker")]
        for background, theirs in zip(("grey", "checker"), backgrounds, strict=True):
            for start in range(0, len(without_own), BATCH):
                laid = [composites(pair, background) for pair in without_own[start : start + BATCH]]
                for side, is_real in ((0, True), (1, False)):
                    pictures = [both[side] for both in laid if both is not None]
                    theirs.update(torch.from_numpy(as_batch(pictures, encoder.side_px)), real=is_real)
        values = [float(theirs.compute()) for theirs in backgrounds]
        return values[0]

    def run_ours() -> float:
        metric.reset()
        metric.update(without_own)
        value = metric.compute()["s_fid"].value
        assert value is not None
        return value

    assert run_ours() == pytest.approx(run_theirs(), rel=0.02)
    found = ratio(run_theirs, run_ours, 2)
    bench("S_fid, 2048 features, torchmetrics over ours", found, "x", f"{len(without_own)} layers")
    assert found >= 1.0


def test_frechet_distance_of_2048_dimensions(bench: Callable[..., None]) -> None:
    """5,000 samples a side: symmetric eigenvalues against clean-fid's root of a matrix without symmetry."""
    from cleanfid.fid import frechet_distance

    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(2048, 2048)) / 2048**0.5
    x, y = (torch.from_numpy(rng.normal(size=(5000, 2048)) @ mixing + at) for at in (0.0, 0.02))
    a, b = gaussian_of(x), gaussian_of(y)
    arrays = [side.numpy() for side in (a.mean_d, a.covariance_dd, b.mean_d, b.covariance_dd)]
    our_s, ours = seconds(lambda: frechet(a, b))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        their_s, theirs = seconds(lambda: frechet_distance(*arrays))
    bench("Frechet 2048-d, matrix root over ours", their_s / our_s, "x", f"{ours:.4f} and {theirs:.4f}")
    assert ours == pytest.approx(theirs, abs=1e-4)
    assert their_s / our_s >= 3.0


class _AsModule(torch.nn.Module):
    """An encoder as torchmetrics wants it; it is asked for its dimensions with a picture of its own choice."""

    def __init__(self, encoder: InceptionEncoder) -> None:
        super().__init__()
        self._encoder = encoder

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self._encoder(pictures.float()).clone()


def their_network() -> Any:
    """Torchmetrics' LPIPS with our trunk and heads."""
    from torchmetrics.functional.image.lpips import _NoTrainLpips

    network = _NoTrainLpips(net="alex", pnet_rand=True)
    state = lpips_network(fixed_seed_trunk()).state_dict()
    network.load_state_dict({name: v for name, v in state.items() if not name.startswith("scaling_layer")})
    return network
