"""Which photographs, cut-outs and shape families a checkpoint may learn from, and which are kept for measuring.

Files are split by the hash of their bytes, so the split is the same on every machine and for every folder that holds
the file. Photographs that are near-duplicates of those inside installed packages are always kept for testing: the
packages' photographs are what anybody can measure a checkpoint on without other files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.composites import held_out, shapes
from engine.composites.cutouts import Cutouts
from engine.composites.photographs import PACKAGE_FILES, Photographs
from engine.imaging import sha256
from engine.perceptual_hash import NEAR_DUPLICATE_BITS, hamming, perceptual_hash

PARTS = ("train", "validation", "test")
TEST_FAMILIES = held_out.FAMILIES
"""Shape families of ``engine.composites.shapes`` that no training scene shows."""
_TEST_BELOW, _VALIDATION_BELOW = 16, 22
"""Of a hundred: first the share for testing, then that for validation."""


def part_of(digest: str) -> str:
    """``train``, ``validation`` or ``test`` for the sha256 of a file."""
    hundredth = int(digest[:8], 16) % 100
    if hundredth < _TEST_BELOW:
        return "test"
    return "validation" if hundredth < _VALIDATION_BELOW else "train"


@dataclass(frozen=True)
class Sources:
    """What scenes of one part are made from, with the sha256 of every file by name."""

    part: str
    photographs: Photographs
    objects: Cutouts | None
    families: tuple[str, ...]
    photograph_digests: Mapping[str, str]
    object_digests: Mapping[str, str]

    def to_json(self) -> str:
        """The card's list of what was used: part, families, and digests by file name."""
        facts = {
            "part": self.part,
            "families": self.families,
            "photographs": self.photograph_digests,
            "objects": self.object_digests,
        }
        return json.dumps(facts, indent=1, sort_keys=True)


def sources(part: str, photos: Path | None, objects: Path | None, longest_px: int) -> Sources:
    """The pictures of one part from folders; without a folder the packages' photographs, and drawn objects only.

    The packages' photographs are split like any others when there is no folder. Raises ``NoPictures`` when a folder
    has none of the part, ``ValueError`` for an unknown part.
    """
    if part not in PARTS:
        raise ValueError(f"parts are {', '.join(PARTS)}; got {part}")
    found = Photographs.from_folder(photos, longest_px) if photos else Photographs.from_packages(longest_px)
    kept_apart = _near_packages(found) if photos else frozenset()
    digests = {name: sha256(path.read_bytes()) for name, path in found.files.items()}
    parts = {name: "test" if name in kept_apart else part_of(digest) for name, digest in digests.items()}
    names = [name for name in found.names if parts[name] == part]
    cutouts = Cutouts.from_folder(objects) if objects else None
    cut_digests: dict[str, str] = {}
    if cutouts is not None:
        every = {name: sha256(path.read_bytes()) for name, path in cutouts.files.items()}
        cut_digests = {name: digest for name, digest in every.items() if part_of(digest) == part}
        cutouts = cutouts.only(cut_digests)
    families = TEST_FAMILIES if part == "test" else set(shapes.FAMILIES) - TEST_FAMILIES
    return Sources(
        part,
        found.only(names),
        cutouts,
        tuple(sorted(families)),
        {name: digests[name] for name in names},
        cut_digests,
    )


def _near_packages(found: Photographs) -> frozenset[str]:
    """Names of photographs that look like one inside an installed package."""
    packaged = Photographs.from_packages(256)
    known = [perceptual_hash(packaged[name]) for name in PACKAGE_FILES]
    return frozenset(
        name
        for name in found.names
        if min(hamming(perceptual_hash(found[name]), other) for other in known) <= NEAR_DUPLICATE_BITS
    )
