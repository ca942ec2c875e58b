"""What a benchmark is: a digest over its truths, by which every score says what it was measured on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from evaluation.metrics.pairs import LayerPair

VERSION = "rld-score-1"
"""Of the protocol; whatever changes a number changes it."""


def truth_digest(pair: LayerPair) -> str:
    """SHA-256 of the truth's pictures; the prediction does not count."""
    digest = hashlib.sha256()
    for array in (pair.truth_hwc, pair.visible_hw, pair.background_hwc):
        if array is not None:
            digest.update(f"{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def benchmark_digest(truths: Mapping[str, str]) -> str:
    """Over names and digests of truths, in the order of the names."""
    digest = hashlib.sha256(VERSION.encode())
    for name in sorted(truths):
        digest.update(f"{name}:{truths[name]}\n".encode())
    return digest.hexdigest()
