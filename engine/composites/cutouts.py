"""Objects cut out by others: a folder of RGBA pictures."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

from engine.composites.photographs import NoPictures, files_in
from engine.imaging import box_of
from engine.records import Picture

TRUSTED_ALPHA = 16
"""Below this 8-bit alpha a file's colour is rounding noise or black, so it is replaced by its neighbour's."""


def extend_colour(rgba_hwc: Picture) -> Picture:
    """Give pixels that are (almost) transparent the colour of the nearest pixel that is not.

    Raises ``ValueError`` when no pixel has alpha of at least ``TRUSTED_ALPHA``.
    """
    unknown = rgba_hwc[..., 3] < TRUSTED_ALPHA
    if unknown.all():
        raise ValueError("the cut-out is transparent everywhere")
    if not unknown.any():
        return rgba_hwc
    rows, cols = distance_transform_edt(unknown, return_distances=False, return_indices=True)
    out = rgba_hwc[rows, cols]
    out[..., 3] = rgba_hwc[..., 3]
    return out


@dataclass(slots=True, eq=False)
class Cutouts:
    """RGBA cut-outs by name, decoded on first use: cropped to the object, longest side at most ``longest_px``."""

    files: dict[str, Path]
    longest_px: int = 384
    _decoded: dict[str, Picture] = field(default_factory=dict)

    @classmethod
    def from_folder(cls, folder: Path, longest_px: int = 384) -> Cutouts:
        """Every PNG and WebP below ``folder`` that has an alpha channel. Raises ``NoPictures``."""
        files = {}
        for path in files_in(folder, {".png", ".webp"}):
            with Image.open(path) as picture:
                if picture.has_transparency_data:
                    files[str(path.relative_to(folder))] = path
        if not files:
            raise NoPictures(f"no picture in {folder} has transparency")
        return cls(files, longest_px)

    @property
    def names(self) -> list[str]:
        return sorted(self.files)

    def only(self, names: Collection[str]) -> Cutouts:
        """The named ones. Raises ``NoPictures`` when none is left."""
        kept = {name: path for name, path in self.files.items() if name in names}
        if not kept:
            raise NoPictures("no cut-out is left after the selection")
        return Cutouts(kept, self.longest_px)

    def __getitem__(self, name: str) -> Picture:
        """``[H,W,4]`` uint8, colour extended under alpha 0, cropped to where alpha is above half."""
        if name not in self._decoded:
            with Image.open(self.files[name]) as picture:
                rgba = np.asarray(picture.convert("RGBA"))
            box = box_of(rgba[..., 3] >= TRUSTED_ALPHA)
            if box is None:
                raise NoPictures(f"{name} is transparent everywhere")
            x0, y0, x1, y1 = map(int, box)
            # A margin of one pixel keeps the outermost soft edge from being cut straight.
            rgba = np.pad(extend_colour(rgba[y0:y1, x0:x1]), ((1, 1), (1, 1), (0, 0)), mode="edge")
            rgba[[0, -1], :, 3] = 0
            rgba[:, [0, -1], 3] = 0
            scale = self.longest_px / max(rgba.shape[:2])
            if scale < 1:
                rgba = np.asarray(cv2.resize(rgba, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
            self._decoded[name] = rgba
        return self._decoded[name]
