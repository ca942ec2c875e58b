"""Evidence weighed into log-odds: what the fitted parts of the stages share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Weights = Mapping[str, float]
"""Log-odds per unit of each kind of evidence, and ``bias``."""


def weigh(look: Mapping[str, Floats], weights: Weights) -> Floats:
    """Log-odds ``[H,W]`` from one map per kind of evidence."""
    evidence = sum(weight * look[name] for name, weight in weights.items() if name != "bias")
    return np.asarray(evidence + weights["bias"], np.float32)
