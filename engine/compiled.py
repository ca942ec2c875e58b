"""Loops that NumPy has no words for, compiled by Numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

_FAST = {"reassoc", "contract", "nsz"}
"""Sums may be reordered; infinities keep their meaning."""


def compiled(function: Callable[..., Any]) -> Any:
    """Numba with its disk cache, or without where no cache folder can be written."""
    try:
        return numba.njit(cache=True, nogil=True, fastmath=_FAST)(function)
    except RuntimeError:
        return numba.njit(nogil=True, fastmath=_FAST)(function)
