"""Matting without weights, from pymatting: closed form (Levin et al. 2008), KNN (Chen et al. 2013) and large kernel
matting (He et al. 2010)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from engine.pymatting_functions import pymatting_function
from engine.records import Picture
from engine.stages.roles import Floats

METHODS: Mapping[str, str] = {
    "cf": "alpha.estimate_alpha_cf",
    "knn": "alpha.estimate_alpha_knn",
    "lkm": "alpha.estimate_alpha_lkm",
}


class PyMatting:
    """``method``: a name of ``METHODS``. Where it has no answer the unknown stays one half."""

    def __init__(self, method: str = "cf", longest_px: int = 768) -> None:
        self.solve, self.longest_px = pymatting_function(METHODS[method]), longest_px

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        """Nothing to load."""

    def __call__(self, pictures: Sequence[Picture], trimaps: Sequence[Floats]) -> list[Floats]:
        return [self._matte(picture, trimap) for picture, trimap in zip(pictures, trimaps, strict=True)]

    def _matte(self, picture_hwc: Picture, trimap_hw: Floats) -> Floats:
        if not (trimap_hw == 0).any() or not (trimap_hw == 1).any():
            return trimap_hw.copy()
        height, width = trimap_hw.shape
        scale = min(1.0, self.longest_px / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = cv2.resize(picture_hwc, size, interpolation=cv2.INTER_AREA) / 255.0
        known = cv2.resize(trimap_hw, size, interpolation=cv2.INTER_NEAREST).astype(np.float64)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                solved = self.solve(picture, known)
        except ValueError:
            return trimap_hw.copy()
        full = cv2.resize(solved.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        unknown = (trimap_hw > 0) & (trimap_hw < 1)
        return np.where(unknown, np.clip(np.nan_to_num(full), 0.0, 1.0), trimap_hw).astype(np.float32)
