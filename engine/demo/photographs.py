"""The demo project's photographs: real ones that came with the installed packages, read where they lie.

None is copied into this project. Each has given prompts made by hand (``given_prompts.json``: label, caption, box
and strokes in pixels of the photograph), because without learned weights nothing else gives believable layers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.composites.photographs import PACKAGE_FILES, package_file
from engine.records import GivenPrompt, Picture, Stroke


@dataclass(frozen=True, slots=True, eq=False)
class DemoPhotograph:
    """One photograph, its credit, and what a person marked in it."""

    name: str
    title: str
    package: str
    path: Path
    credit: str
    licence: str
    source_url: str
    given: tuple[GivenPrompt, ...]

    @property
    def image_hwc(self) -> Picture:
        """The pixels, decoded afresh on every call; all of these files are plain sRGB and upright."""
        with Image.open(self.path) as picture:
            return np.asarray(picture.convert("RGB")).copy()

    def read_bytes(self) -> bytes:
        """The original file, PNG or JPEG, as the package ships it."""
        return self.path.read_bytes()


@dataclass(frozen=True, slots=True)
class _Credit:
    title: str
    credit: str
    licence: str
    source_url: str


# As the packages state them: docstrings of skimage.data, README.txt of sklearn.datasets. Of sklearn's flower the
# README's attribution repeats the other picture's author; its links name vultilion. Matplotlib states nothing.
_CREDITS = {
    "astronaut": _Credit("Eileen Collins", "NASA Great Images", "Public domain", "https://flic.kr/p/r9qvLn"),
    "chelsea": _Credit("Chelsea the cat", "Stefan van der Walt", "CC0", "https://scikit-image.org"),
    "china": _Credit(
        "Tower of the Summer Palace",
        "danielbuechele on Flickr",
        "CC BY 2.0",
        "https://www.flickr.com/photos/danielbuechele/6061409035/",
    ),
    "coffee": _Credit("Espresso", "Rachel Michetti, Pikolo Espresso Bar", "CC0", "https://scikit-image.org"),
    "flower": _Credit(
        "Dahlia", "vultilion on Flickr", "CC BY 2.0", "https://www.flickr.com/photos/vultilion/6056698931/"
    ),
    "grace_hopper": _Credit(
        "Grace Hopper", "United States Navy", "Public domain (work of the US Navy)", "https://matplotlib.org"
    ),
    "hubble_deep_field": _Credit(
        "Hubble eXtreme Deep Field",
        "NASA, HubbleSite",
        "Public domain",
        "http://hubblesite.org/newscenter/archive/releases/2012/37/image/a/",
    ),
    "retina": _Credit(
        "Back of a human eye",
        "Mikael Häggström",
        "CC0",
        "https://commons.wikimedia.org/wiki/File:Fundus_photograph_of_normal_left_eye.jpg",
    ),
    "rocket": _Credit(
        "Falcon 9 with DSCOVR",
        "SpaceX",
        "Public domain",
        "https://www.flickr.com/photos/spacexphotos/16511594820/",
    ),
}


def _given(row: dict[str, Any]) -> GivenPrompt:
    strokes = tuple(
        Stroke(tuple((float(x), float(y)) for x, y in points), float(width), keep)
        for keep, key in ((True, "keep"), (False, "remove"))
        for width, points in row[key]
    )
    x0, y0, x1, y1 = map(float, row["box"])
    return GivenPrompt(row["label"], box=(x0, y0, x1, y1), strokes=strokes, caption=row["caption"])


@cache
def demo_photographs() -> list[DemoPhotograph]:
    """All of them, by name. Raises ``NoPictures`` when an installed package lacks its file."""
    rows = json.loads(Path(__file__).with_name("given_prompts.json").read_text())
    return [
        DemoPhotograph(
            name=name,
            title=about.title,
            package=PACKAGE_FILES[name][0],
            path=package_file(name),
            credit=about.credit,
            licence=about.licence,
            source_url=about.source_url,
            given=tuple(_given(row) for row in rows[name]),
        )
        for name, about in sorted(_CREDITS.items())
    ]
