"""``python -m training.reflayer.tiny.scenes``: training scenes, made once and stored as plain arrays.

A shard is two files of ``SHARD`` scenes: ``00000.source.npy`` uint8 ``[N,S,S,3]``, the pictures, and
``00000.alpha.npy`` uint8 ``[N,OBJECTS,S,S]``, the alphas of their objects front to back, zero where a scene has fewer.
Visible masks follow from the alphas. Shards that exist are kept, so the command can be called again for more;
``sources.json`` names every file the scenes were made from.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.composites.generator import Composite, compose
from engine.composites.photographs import NoPictures
from engine.records import Picture
from training.reflayer.tiny.split import PARTS, Sources, sources

SHARD = 500
SIZE = 128
OBJECTS = 4
SEEDS = {"train": 1_000_000, "validation": 2_000_000, "test": 3_000_000}
"""First seed of each part, far enough apart that none is used twice."""
DRAWN_SHARE = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class StoredScene:
    """``source_hwc`` uint8 ``[S,S,3]``; ``alphas`` uint8 ``[K,S,S]``, front to back, K from 1 to ``OBJECTS``."""

    source_hwc: Picture
    alphas: Picture


class NoScenes(ValueError):
    """The folder holds no shard."""

    code = "no_scenes"


class SceneStore:
    """The scenes of a folder by number, read from disk when asked for."""

    def __init__(self, folder: Path) -> None:
        """Counts the shards that are there now. Raises ``NoScenes`` when there are none."""
        self.sources = sorted(path for path in folder.glob("*.source.npy") if ".part." not in path.name)
        if not self.sources:
            raise NoScenes(f"no scenes in {folder}; make some with python -m training.reflayer.tiny.scenes")
        self._ends = np.cumsum([len(np.load(path, mmap_mode="r")) for path in self.sources])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, number: int) -> StoredScene:
        if not 0 <= number < len(self):
            raise IndexError(f"scene {number} of {len(self)}")
        shard = int(np.searchsorted(self._ends, number, side="right"))
        row = number - (int(self._ends[shard - 1]) if shard else 0)
        path = self.sources[shard]
        # Opened anew each time: an open map would be copied whole into every worker process.
        source = np.array(np.load(path, mmap_mode="r")[row])
        alphas = np.array(np.load(path.with_name(path.name.replace(".source.", ".alpha.")), mmap_mode="r")[row])
        return _without_empty(source, alphas)


def stored_scene(made: Composite) -> StoredScene:
    """A composite as it would come back from a shard."""
    return _without_empty(*_store(made))


def _without_empty(source_hwc: Picture, alphas: Picture) -> StoredScene:
    return StoredScene(source_hwc, alphas[alphas.any(axis=(1, 2))])


def through(alphas: Picture) -> NDArray[np.float32]:
    """How much of each object shows, ``[K,S,S]`` float 0..1: its alpha times the transparency of all in front."""
    own = alphas.astype(np.float32) / 255.0
    clear = np.cumprod(np.concatenate([np.ones_like(own[:1]), 1.0 - own[:-1]]), axis=0)
    return np.asarray(own * clear, np.float32)


def _store(made: Composite) -> tuple[Picture, Picture]:
    alphas = np.zeros((OBJECTS, *made.source_hwc.shape[:2]), np.uint8)
    for depth, true in enumerate(made.layers[:OBJECTS]):
        alphas[depth] = true.layer.rgba_hwc[..., 3]
    return made.source_hwc, alphas


def make(
    folder: Path, given: Sources, count: int, size_px: int = SIZE, drawn_share: float = DRAWN_SHARE, skip: int = 0
) -> Iterator[int]:
    """Write the shards of scenes ``skip`` to ``count`` that ``folder`` lacks; yields how far it is after each.

    Of the objects ``drawn_share`` (0..1) are drawn when there are cut-outs, else all. ``skip`` is a multiple of
    ``SHARD``: scenes that an earlier run has seen. Files appear whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sources.json").write_text(given.to_json() + "\n")
    for first in range(skip, count, SHARD):
        name, number = f"{first // SHARD:05d}", min(SHARD, count - first)
        if not (folder / f"{name}.source.npy").exists():
            seeds = range(SEEDS[given.part] + first, SEEDS[given.part] + first + number)
            rows = [
                _store(compose(seed, size_px, given.photographs, given.objects, given.families, drawn_share))
                for seed in seeds
            ]
            # The pictures last: a shard counts only when both of its files are there.
            for kind, arrays in (("alpha", [row[1] for row in rows]), ("source", [row[0] for row in rows])):
                unfinished = folder / f"{name}.part.{kind}.npy"
                np.save(unfinished, np.stack(arrays))
                os.replace(unfinished, folder / f"{name}.{kind}.npy")
        yield first + number


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.reflayer.tiny.scenes", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--part", default="train", choices=PARTS)
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photographs instead of the packages' own")
    parser.add_argument("--objects", type=Path, metavar="DIR", help="RGBA cut-outs beside the drawn objects")
    parser.add_argument("--drawn-share", type=float, default=DRAWN_SHARE, help="of the objects, beside cut-outs: 0..1")
    parser.add_argument("--skip", type=int, default=0, help=f"leave out the first ones, a multiple of {SHARD}")
    given = parser.parse_args(arguments)
    if given.skip < 0 or given.skip % SHARD or given.count <= given.skip:
        parser.error(f"--count must be above --skip, and --skip a multiple of {SHARD}")
    if not 0 <= given.drawn_share <= 1:
        parser.error("--drawn-share is between 0 and 1")
    cv2.setNumThreads(1)
    try:
        chosen = sources(given.part, given.photos, given.objects, 2 * SIZE)
    except NoPictures as error:
        parser.error(str(error))
    for done in make(given.out, chosen, given.count, drawn_share=given.drawn_share, skip=given.skip):
        sys.stderr.write(f"{done} of {given.count}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
