"""Where training examples come from: a frozen dataset (``training.manifest``) or composites made on the fly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from engine import registry
from engine.composites.cutouts import Cutouts
from engine.composites.generator import Composite, compose
from engine.composites.photographs import Photographs
from engine.imaging import box_of, decode_png
from engine.records import Instance, LayerKind, Mask, Picture, Prompt, RGBALayer, Scene
from training import manifest

PER_COMPOSITE = 2
"""Examples taken from each composite: making the picture costs more than choosing a layer and a prompt."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One picture, one prompt, the layer that is asked for; arrays as in ``engine.records``, all of one size."""

    key: str
    """The same for the same content: names cached latents and seeds the noise of validation."""
    source_hwc: Picture
    rgba_hwc: Picture
    visible_hw: Mask
    prompt: Prompt


class Examples(Protocol):
    """A fixed, ordered set; reading one twice gives the same arrays."""

    def __len__(self) -> int: ...

    def key(self, index: int) -> str: ...

    def size(self, index: int) -> tuple[int, int]:
        """Width and height, known without decoding."""

    def __getitem__(self, index: int) -> Example: ...


class ManifestExamples:
    """Every (layer, prompt) pair of one split of a dataset folder.

    Raises ``manifest.BadManifest`` when the folder is no dataset or the split is empty. Digests of pictures are not
    checked on every read; ``manifest.verify`` does that once.
    """

    def __init__(self, folder: Path, split: str = "train") -> None:
        self.folder = folder
        self.header, rows = manifest.read(folder)
        self._pairs = [(row, number) for row in rows if row.split == split for number in range(len(row.prompts))]
        if not self._pairs:
            raise manifest.BadManifest("bad_manifest", f"{folder} has no rows in split {split!r}.")

    def __len__(self) -> int:
        return len(self._pairs)

    @property
    def pictures(self) -> set[str]:
        """SHA-256 of every source picture in the split."""
        return {row.source.sha256 for row, _ in self._pairs}

    def key(self, index: int) -> str:
        row, number = self._pairs[index]
        return f"{row.layer.sha256}:{row.source.sha256}:{row.id}:{number}"

    def size(self, index: int) -> tuple[int, int]:
        row, _ = self._pairs[index]
        return row.source.width, row.source.height

    def __getitem__(self, index: int) -> Example:
        row, number = self._pairs[index]
        source, layer, visible = (decode_png((self.folder / entry.path).read_bytes()) for entry in row.files)
        if source.shape[:2] != layer.shape[:2] or layer.shape[-1] != 4 or visible.shape != source.shape[:2]:
            raise manifest.BadManifest("bad_manifest", f"The pictures of row {row.id} do not fit together.")
        return Example(self.key(index), source[..., :3], layer, visible > 127, row.prompts[number])


class CompositeExamples:
    """Composites with exact truth, ``count`` examples from seed ``seed`` on; the same arguments give the same bytes.

    Prompts are those the engine's own prompt stage makes for such layers; one example in six asks for the background.
    """

    def __init__(
        self,
        count: int,
        seed: int = 0,
        size_px: int = 128,
        photographs: Photographs | None = None,
        objects: Cutouts | None = None,
    ) -> None:
        self.count, self.seed, self.size_px = count, seed, size_px
        self.photographs = photographs or Photographs.from_packages()
        self.objects = objects
        self._prompts = registry.load("prompts", "templates")
        self._latest: tuple[int, Composite, Scene] | None = None

    def __len__(self) -> int:
        return self.count

    def key(self, index: int) -> str:
        sets = f"{len(self.photographs.names)}+{len(self.objects.names) if self.objects else 0}"
        return f"composite:{self.size_px}:{sets}:{self.seed}:{index}"

    def size(self, index: int) -> tuple[int, int]:
        return self.size_px, self.size_px

    def __getitem__(self, index: int) -> Example:
        if not 0 <= index < self.count:
            raise IndexError(index)
        made, scene = self._composite(self.seed + index // PER_COMPOSITE)
        rng = np.random.default_rng([self.seed, index, 0xE0])
        instance = scene.instances[-1] if rng.random() < 1 / 6 else scene.instances[int(rng.integers(len(made.layers)))]
        prompt = instance.prompts[int(rng.integers(len(instance.prompts)))]
        assert instance.layer is not None
        layer = instance.layer
        return Example(self.key(index), made.source_hwc, layer.rgba_hwc, layer.visible_hw, prompt)

    def _composite(self, seed: int) -> tuple[Composite, Scene]:
        """The latest is kept, since neighbouring examples share it."""
        if self._latest is None or self._latest[0] != seed:
            made = compose(seed, self.size_px, self.photographs, self.objects)
            scene = _as_scene(made)
            self._prompts([scene])
            self._latest = (seed, made, scene)
        return self._latest[1:]


def _as_scene(made: Composite) -> Scene:
    """The truth as finished instances, background last, ready for the prompt stage."""
    height, width = made.source_hwc.shape[:2]
    covered = np.zeros((height, width), bool)
    instances = []
    for number, true in enumerate(made.layers):
        covered |= true.layer.amodal_hw
        box = box_of(true.layer.visible_hw) or true.box
        instances.append(
            Instance(
                key=f"{number:02}",
                label=true.label,
                kind=LayerKind.FOREGROUND,
                score=1.0,
                source="composite",
                box=box,
                visible_hw=true.layer.visible_hw,
                layer=true.layer,
            )
        )
    opaque = np.dstack([made.background_hwc, np.full((height, width), 255, np.uint8)])
    instances.append(
        Instance(
            key="bg",
            label="background",
            kind=LayerKind.BACKGROUND,
            score=1.0,
            source="composite",
            box=(0.0, 0.0, float(width), float(height)),
            visible_hw=~covered,
            layer=RGBALayer(opaque, ~covered),
        )
    )
    return Scene(f"{made.seed & 0xFFFFFFFF:08x}", made.source_hwc, seed=made.seed, instances=instances)
