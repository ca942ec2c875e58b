"""Distances between sets of features that need no covariance: maximum mean discrepancies (Gretton et al. 2012)."""

from __future__ import annotations

from collections.abc import Callable

import torch

from evaluation.metrics.frechet import TooFewSamples

CMMD_SIGMA = 10.0
CMMD_SCALE = 1000.0
CHUNK = 2048
"""Rows of a kernel matrix held at once."""

Kernel = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def kid(x_nd: torch.Tensor, y_md: torch.Tensor) -> float:
    """Kernel inception distance (Binkowski et al. 2018): cubic kernel ``(x.y / d + 1)^3``, unbiased, all samples.

    Around 0 for equal distributions, so it may be negative. Raises ``TooFewSamples`` below two on a side.
    """
    if min(len(x_nd), len(y_md)) < 2:
        raise TooFewSamples(f"KID needs at least two samples on each side, got {len(x_nd)} and {len(y_md)}")
    x, y = x_nd.to(torch.float64), y_md.to(torch.float64)
    return _mean_of_others(x, x) + _mean_of_others(y, y) - 2 * _total(_cubic, x, y) / (len(x) * len(y))


def paired_kid(x_nd: torch.Tensor, y_nd: torch.Tensor) -> float:
    """KID for samples that come in pairs, as truths and their predictions do: ``k(x_i, y_i)`` is left out as well.

    The one-sample U-statistic of Gretton et al. (2012, lemma 6). A prediction resembles its own truth more than others,
    so with those terms the plain estimator comes out below 0 for good predictions, and no longer has the right order.
    Raises ``TooFewSamples`` below two pairs and ``ValueError`` for sides of unequal length.
    """
    if len(x_nd) != len(y_nd):
        raise ValueError(f"pairs need equally many samples, got {len(x_nd)} and {len(y_nd)}")
    if len(x_nd) < 2:
        raise TooFewSamples(f"KID needs at least two pairs, got {len(x_nd)}")
    x, y = x_nd.to(torch.float64), y_nd.to(torch.float64)
    return _mean_of_others(x, x) + _mean_of_others(y, y) - 2 * _mean_of_others(x, y)


def _cubic(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _mean_of_others(a: torch.Tensor, b: torch.Tensor) -> float:
    """Mean of the cubic kernel of all ``a_i`` and ``b_j`` with different i and j."""
    own = float(((a * b).sum(dim=1) / a.shape[1] + 1).pow(3).sum())
    return (_total(_cubic, a, b) - own) / (len(a) * (len(a) - 1))


def cmmd(x_nd: torch.Tensor, y_md: torch.Tensor) -> float:
    """CMMD (Jayasumana et al. 2024, "Rethinking FID"): Gaussian kernel of width 10 on unit vectors, times 1000.

    The biased estimator, as published, so 0 only for equal sets. Raises ``TooFewSamples`` for an empty side.
    """
    if not len(x_nd) or not len(y_md):
        raise TooFewSamples("CMMD needs samples on both sides")
    x, y = (torch.nn.functional.normalize(side.to(torch.float64), dim=1) for side in (x_nd, y_md))

    def gaussian(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        apart = a.square().sum(dim=1)[:, None] + b.square().sum(dim=1)[None] - 2 * a @ b.T
        return torch.exp(-apart.clamp(min=0) / (2 * CMMD_SIGMA**2))

    n, m = len(x), len(y)
    together = _total(gaussian, x, x) / n**2 + _total(gaussian, y, y) / m**2
    return CMMD_SCALE * (together - 2 * _total(gaussian, x, y) / (n * m))


def _total(kernel: Kernel, a: torch.Tensor, b: torch.Tensor) -> float:
    """Sum of the kernel matrix, chunk by chunk."""
    return sum(float(kernel(rows, b).sum()) for rows in a.split(CHUNK))
