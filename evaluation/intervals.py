"""Intervals for measurements that come in clusters."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the bounds of its interval."""

    estimate: float
    low: float
    high: float
    level: float = 0.95
    without: tuple[float, ...] = ()
    """Of a jackknife: the estimate without each group."""


def clustered_difference(
    ours: Sequence[float], theirs: Sequence[float], clusters: Sequence[int], seed: int = 0, resamples: int = 4000
) -> tuple[Interval, Interval]:
    """Mean of ``ours - theirs`` and the same as a share of the mean of ``theirs``, with 95 % intervals.

    Whole clusters are drawn with replacement (Cameron, Gelbach and Miller 2008, pairs cluster bootstrap), because
    the layers of one picture are not independent. Raises ``ValueError`` on empty input or unequal lengths.
    """
    if not ours or not len(ours) == len(theirs) == len(clusters):
        raise ValueError(f"need equally many values, got {len(ours)}, {len(theirs)}, {len(clusters)}")
    _, index = np.unique(np.asarray(clusters), return_inverse=True)
    sizes = np.bincount(index).astype(float)
    gains = np.bincount(index, np.asarray(ours, float) - np.asarray(theirs, float))
    bases = np.bincount(index, np.asarray(theirs, float))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(sizes.size, np.full(sizes.size, 1 / sizes.size), size=resamples)
    differences = drawn @ gains / (drawn @ sizes)
    shares = drawn @ gains / np.maximum(drawn @ bases, 1e-12)
    return (
        Interval(float(gains.sum() / sizes.sum()), *_ends(differences)),
        Interval(float(gains.sum() / max(bases.sum(), 1e-12)), *_ends(shares)),
    )


def clustered_mean(
    values: Sequence[float], clusters: Sequence[Hashable], seed: int = 0, resamples: int = 2000
) -> Interval:
    """Mean of the values with a 95 % interval; whole clusters are drawn, as in ``clustered_difference``.

    With one cluster the interval has no width, which says nothing: callers leave it out. Raises ``ValueError`` on
    empty input or unequal lengths.
    """
    if not values or len(values) != len(clusters):
        raise ValueError(f"need equally many values and clusters, got {len(values)} and {len(clusters)}")
    positions = {cluster: at for at, cluster in enumerate(dict.fromkeys(clusters))}
    index = np.array([positions[cluster] for cluster in clusters])
    sizes = np.bincount(index).astype(float)
    sums = np.bincount(index, np.asarray(values, float))
    drawn = np.random.default_rng(seed).multinomial(sizes.size, np.full(sizes.size, 1 / sizes.size), size=resamples)
    means = drawn @ sums / (drawn @ sizes)
    return Interval(float(sums.sum() / sizes.sum()), *_ends(means))


def grouped_jackknife(
    estimate: Callable[[NDArray[np.intp]], float], clusters: Sequence[Hashable], groups: int = 20, seed: int = 0
) -> Interval:
    """``estimate`` of all samples with a 95 % interval from leaving out one group of clusters at a time.

    For statistics of whole sets, like the Frechet distance, for which drawing with replacement is biased: a sample that
    is there twice makes a covariance look smaller than it is. ``estimate`` is given the indices of the samples to use.
    The interval is symmetric, by Student's t with one degree of freedom fewer than there are groups (Tukey 1958; Shao
    and Wu 1989 for groups). Raises ``ValueError`` with fewer than two clusters.
    """
    positions = {cluster: at for at, cluster in enumerate(dict.fromkeys(clusters))}
    count = min(groups, len(positions))
    if count < 2:
        raise ValueError("leaving out a group needs at least two clusters")
    order = np.random.default_rng(seed).permutation(len(positions)) % count
    group = np.array([order[positions[cluster]] for cluster in clusters])
    whole = estimate(np.arange(len(clusters)))
    without = np.array([estimate(np.flatnonzero(group != left)) for left in range(count)])
    error = float(np.sqrt((count - 1) / count * np.square(without - without.mean()).sum()))
    reach = float(t.ppf(0.975, count - 1)) * error
    return Interval(whole, whole - reach, whole + reach, without=tuple(map(float, without)))


def jackknife_difference(
    ours: float, theirs: float, ours_without: Sequence[float], theirs_without: Sequence[float]
) -> Interval:
    """``ours - theirs`` of two estimates on the same samples, from what each was without the same groups.

    What both have in common (a hard photograph) cancels, so the interval is narrower than those of the two apart.
    Raises ``ValueError`` for fewer than two groups or unequally many.
    """
    count = len(ours_without)
    if count < 2 or count != len(theirs_without):
        raise ValueError(f"need the same two groups or more, got {count} and {len(theirs_without)}")
    without = np.asarray(ours_without, float) - np.asarray(theirs_without, float)
    error = float(np.sqrt((count - 1) / count * np.square(without - without.mean()).sum()))
    reach = float(t.ppf(0.975, count - 1)) * error
    return Interval(ours - theirs, ours - theirs - reach, ours - theirs + reach, without=tuple(map(float, without)))


def student_mean(values: Sequence[float]) -> Interval:
    """Mean of independent values with Student's 95 % interval. Raises ``ValueError`` for fewer than two."""
    if len(values) < 2:
        raise ValueError("an interval of a mean needs two values")
    mean = float(np.mean(values))
    reach = float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return Interval(mean, mean - reach, mean + reach)


def _ends(drawn: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)
