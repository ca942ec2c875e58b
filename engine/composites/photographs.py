"""Photographs to cut backgrounds and textures from: a folder, or those that ship inside installed packages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from engine.records import Picture

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})

PACKAGE_FILES: dict[str, tuple[str, str]] = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "coffee": ("skimage", "data/coffee.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "grace_hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    "hubble_deep_field": ("skimage", "data/hubble_deep_field.jpg"),
    "retina": ("skimage", "data/retina.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
}
"""Name to package and file. The package is located, never imported."""


class NoPictures(ValueError):
    """The folder is not there or holds no picture that fits."""

    code = "no_pictures"


def package_file(name: str) -> Path:
    """Where the named photograph lies on this machine. Raises ``NoPictures`` when its package lacks it."""
    package, relative = PACKAGE_FILES[name]
    spec = find_spec(package)
    roots = list(spec.submodule_search_locations or []) if spec else []
    for root in roots:
        if (path := Path(root, relative)).is_file():
            return path
    raise NoPictures(f"the installed {package} has no {relative}")


def files_in(folder: Path, suffixes: Collection[str] = SUFFIXES) -> list[Path]:
    """Picture files below a folder, sorted by path, so that equal folders give equal composites."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    if not found:
        raise NoPictures(f"no pictures in {folder}")
    return found


@dataclass(slots=True, eq=False)
class Photographs:
    """Photographs by name, decoded on first use (upright, RGB, longest side at most ``longest_px``) and kept."""

    files: dict[str, Path]
    longest_px: int = 512
    _decoded: dict[str, Picture] = field(default_factory=dict)

    @classmethod
    def from_folder(cls, folder: Path, longest_px: int = 512) -> Photographs:
        """Every picture below ``folder``; names are paths relative to it. Raises ``NoPictures``."""
        return cls({str(path.relative_to(folder)): path for path in files_in(folder)}, longest_px)

    @classmethod
    def from_packages(cls, longest_px: int = 512) -> Photographs:
        """The nine photographs of ``PACKAGE_FILES``."""
        return cls({name: package_file(name) for name in PACKAGE_FILES}, longest_px)

    @property
    def names(self) -> list[str]:
        return sorted(self.files)

    def only(self, names: Collection[str]) -> Photographs:
        """The named ones, to keep others out of training or testing. Raises ``NoPictures`` when none is left."""
        kept = {name: path for name, path in self.files.items() if name in names}
        if not kept:
            raise NoPictures("no photograph is left after the selection")
        return Photographs(kept, self.longest_px, {name: p for name, p in self._decoded.items() if name in kept})

    def __getitem__(self, name: str) -> Picture:
        if name not in self._decoded:
            with Image.open(self.files[name]) as picture:
                picture.draft("RGB", (self.longest_px, self.longest_px))
                upright = ImageOps.exif_transpose(picture).convert("RGB")
            upright.thumbnail((self.longest_px, self.longest_px), Image.Resampling.LANCZOS)
            self._decoded[name] = np.asarray(upright).copy()
        return self._decoded[name]
