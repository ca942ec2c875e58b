"""The Frechet distance between two sets of features, and what it would be with endless samples.

``d^2 = |m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2))`` (Dowson and Landau 1982; Heusel et al. 2017). The last
trace is taken in one of two exact ways, neither of which needs the square root of a matrix without symmetry:

* from covariances: the eigenvalues of ``S1^(1/2) S2 S1^(1/2)``, which is symmetric;
* from fewer samples than dimensions: the singular values of ``X Y^T``, X and Y the centred samples, because
  ``X^T X Y^T Y`` has the same non-zero eigenvalues as ``(Y X^T)(X Y^T)``. That is n x n instead of d x d.

Everything is in float64. Covariances are unbiased (n - 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

SIZES = 8
REPEATS = 4


class TooFewSamples(ValueError):
    code = "too_few_samples"


@dataclass(frozen=True, eq=False)
class Gaussian:
    """``mean_d`` and ``covariance_dd`` (float64) of ``n`` samples."""

    mean_d: torch.Tensor
    covariance_dd: torch.Tensor
    n: int


def gaussian_of(features_nd: torch.Tensor) -> Gaussian:
    """Raises ``TooFewSamples`` below two and ``ValueError`` for features that are not finite."""
    samples = _require(features_nd)
    mean = samples.mean(dim=0)
    centred = samples - mean
    return Gaussian(mean, centred.T @ centred / (len(samples) - 1), len(samples))


def frechet(a: Gaussian, b: Gaussian) -> float:
    """The squared distance, never below 0. Raises ``ValueError`` on unequal dimensions."""
    if a.mean_d.shape != b.mean_d.shape:
        raise ValueError(f"features have {len(a.mean_d)} and {len(b.mean_d)} dimensions")
    # For any B with S1 = B B^T, B^T S2 B has the eigenvalues of S1^(1/2) S2 S1^(1/2).
    root = _root(a.covariance_dd)
    spectrum = torch.linalg.eigvalsh(root.T @ b.covariance_dd @ root)
    shared = spectrum.clamp(min=0).sqrt().sum()
    apart = (a.mean_d - b.mean_d).square().sum()
    return max(0.0, float(apart + a.covariance_dd.trace() + b.covariance_dd.trace() - 2 * shared))


def _root(covariance_dd: torch.Tensor) -> torch.Tensor:
    """B with ``covariance = B B^T``: Cholesky's where it exists, else by eigenvalues, for some of them are 0 then."""
    factor, failed = torch.linalg.cholesky_ex(covariance_dd)
    if int(failed) == 0:
        return factor
    values, vectors = torch.linalg.eigh(covariance_dd)
    return vectors * values.clamp(min=0).sqrt()


def frechet_of_samples(x_nd: torch.Tensor, y_nd: torch.Tensor) -> float:
    """The same from features, by whichever of the two ways is smaller."""
    x, y = _require(x_nd), _require(y_nd)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"features have {x.shape[1]} and {y.shape[1]} dimensions")
    if min(len(x), len(y)) >= x.shape[1]:
        return frechet(gaussian_of(x), gaussian_of(y))
    free = (len(x) - 1) * (len(y) - 1)
    xc, yc = x - x.mean(dim=0), y - y.mean(dim=0)
    shared = torch.linalg.svdvals(xc @ yc.T).sum() / free**0.5
    apart = (x.mean(dim=0) - y.mean(dim=0)).square().sum()
    spread = xc.square().sum() / (len(x) - 1) + yc.square().sum() / (len(y) - 1)
    return max(0.0, float(apart + spread - 2 * shared))


def frechet_infinity(x_nd: torch.Tensor, y_nd: torch.Tensor, seed: int = 0) -> float:
    """Where the distance goes as n grows: the intercept of a line through it against 1 / n.

    Chong and Forsyth (2020, "Effectively Unbiased FID"), here with the same samples of both sides (they come in
    pairs), at eight sizes from a quarter of n to n, each the mean of four seeded draws. May be slightly below 0 for
    equal sets. Raises ``TooFewSamples`` below 16 pairs, ``ValueError`` for sides of unequal length.
    """
    x, y = _require(x_nd), _require(y_nd)
    if len(x) != len(y):
        raise ValueError(f"pairs need equally many samples, got {len(x)} and {len(y)}")
    if len(x) < 16:
        raise TooFewSamples(f"the limit needs at least 16 pairs, got {len(x)}")
    rng = np.random.default_rng(seed)
    sizes = np.unique(np.linspace(len(x) / 4, len(x), SIZES).round().astype(int))
    values: list[float] = []
    for size in sizes:
        draws = [rng.permutation(len(x))[:size] for _ in range(REPEATS if size < len(x) else 1)]
        values.append(float(np.mean([frechet_of_samples(x[draw], y[draw]) for draw in draws])))
    slope_and_intercept: NDArray[np.float64] = np.polyfit(1 / sizes, values, 1)
    return float(slope_and_intercept[1])


def _require(features_nd: torch.Tensor) -> torch.Tensor:
    if features_nd.ndim != 2 or len(features_nd) < 2:
        raise TooFewSamples(f"need at least two samples of features, got {tuple(features_nd.shape)}")
    if not bool(torch.isfinite(features_nd).all()):
        raise ValueError("features are not finite")
    return features_nd.to(torch.float64)
