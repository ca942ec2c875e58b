"""The records that travel through the six stages.

Conventions, everywhere below and in every stage:

* arrays are NumPy, row-major, origin top left; ``_hw`` is ``[height, width]``, ``_hwc`` adds channels;
* pictures are sRGB ``uint8`` 0..255, masks are ``bool``, alpha mattes are ``float32`` 0..1;
* boxes are ``(x0, y0, x1, y1)`` float pixels, half-open; points are ``(x, y)`` float pixels;
* alpha is *straight* (never premultiplied), and colour is extended under alpha 0.

A stage may change the records it is given in place; it never changes ``Scene.image_hwc`` or ``Scene.given``.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
Point = tuple[float, float]
Mask = NDArray[np.bool_]
Picture = NDArray[np.uint8]

STAGES = ("prefilter", "scene", "completion", "postprocess", "prompts", "postfilter")


class LayerKind(StrEnum):
    FOREGROUND = "foreground"
    BACKGROUND = "background"


class PromptKind(StrEnum):
    POINT = "point"
    BOX = "box"
    MASK = "mask"
    TEXT = "text"
    HYBRID = "hybrid"
    BACKGROUND = "background"


@dataclass(frozen=True, slots=True)
class Stroke:
    """A brush line a person drew: ``keep`` means object, otherwise not the object."""

    points: tuple[Point, ...]
    width_px: float
    keep: bool


@dataclass(frozen=True, slots=True, eq=False)
class GivenPrompt:
    """What a person, COCO or Label Studio said about one object; at least a box or a mask."""

    label: str
    box: Box | None = None
    mask_hw: Mask | None = None
    strokes: tuple[Stroke, ...] = ()
    caption: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """One way to refer to a layer (paper, section 3: point, box, mask, text, a mix, background).

    A ``hybrid`` prompt has a text and exactly one of points, box, mask. ``is_ambiguous`` marks a
    text that fits more than one object of the picture.
    """

    kind: PromptKind
    points: tuple[Point, ...] = ()
    box: Box | None = None
    mask_hw: Mask | None = None
    text: str = ""
    is_ambiguous: bool = False


@dataclass(slots=True, eq=False)
class RGBALayer:
    """One finished layer, same size and position as its source image.

    ``rgba_hwc``: uint8, straight alpha, colour extended under alpha 0.
    ``visible_hw``: what of the layer is seen in the source image (bool).
    """

    rgba_hwc: Picture
    visible_hw: Mask

    @property
    def alpha_hw(self) -> NDArray[np.float32]:
        return self.rgba_hwc[..., 3].astype(np.float32) / 255.0

    @property
    def amodal_hw(self) -> Mask:
        return self.rgba_hwc[..., 3] > 127


@dataclass(slots=True, eq=False)
class Instance:
    """One object of the picture, or its background; filled stage by stage.

    scene: key, label, score, source, box, visible_hw, given. completion: amodal_hw, completed_hwc.
    postprocess: layer. prompts: prompts. postfilter: scores, drop_reason.
    """

    key: str
    """Unique in the scene and the same on every run: ``"00"`` is the foremost, ``"bg"`` the background."""
    label: str
    kind: LayerKind
    score: float
    source: str
    """Which detector proposed it: ``given``, ``saliency``, ``haar``, ``hog``, ``merged``."""
    box: Box
    visible_hw: Mask
    given: GivenPrompt | None = None
    amodal_hw: Mask | None = None
    """Visible plus hidden part; contains ``visible_hw``."""
    completed_hwc: Picture | None = None
    """The object's colours inside ``amodal_hw``: source pixels where visible, invented ones where hidden."""
    layer: RGBALayer | None = None
    prompts: list[Prompt] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)
    drop_reason: str = ""
    """Set by the stage that gave this instance up; later stages pass it over. Kept as a negative."""

    @classmethod
    def background(cls, filled_hwc: Picture, visible_hw: Mask) -> Instance:
        """The picture without its objects: ``filled_hwc`` everywhere, of which ``visible_hw`` is the source's own."""
        height, width = visible_hw.shape
        box = (0.0, 0.0, float(width), float(height))
        made = cls("bg", "background", LayerKind.BACKGROUND, 1.0, "background", box, visible_hw)
        made.amodal_hw, made.completed_hwc = np.ones((height, width), bool), filled_hwc
        return made

    @property
    def is_kept(self) -> bool:
        return not self.drop_reason


@dataclass(slots=True, eq=False)
class Scene:
    """One source image on its way through the stages."""

    image_sha256: str
    image_hwc: Picture
    seed: int = 0
    """All randomness of this scene derives from it; same image, recipe and seed give the same bytes."""
    given: tuple[GivenPrompt, ...] = ()
    instances: list[Instance] = field(default_factory=list)
    """Front to back; the background, once made, is last."""
    in_front: list[tuple[str, str]] = field(default_factory=list)
    """Occlusion order, an acyclic set of ``(front key, behind key)`` pairs."""
    numbers: dict[str, dict[str, float]] = field(default_factory=dict)
    """Per stage, what it measured: shown on the run page, stored with the stage run."""
    drop_reason: str = ""
    """Set by the stage that gave the whole picture up; later stages pass it over."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What the caller knows and a stage may ask for, JSON values only: ``duplicate_of``, ``format``."""

    @property
    def is_kept(self) -> bool:
        return not self.drop_reason

    @property
    def size_wh(self) -> tuple[int, int]:
        return self.image_hwc.shape[1], self.image_hwc.shape[0]

    @property
    def kept_instances(self) -> list[Instance]:
        return [instance for instance in self.instances if instance.is_kept]

    @property
    def foregrounds(self) -> list[Instance]:
        """Kept foreground instances, front to back."""
        return [i for i in self.kept_instances if i.kind is LayerKind.FOREGROUND]

    @property
    def background(self) -> Instance | None:
        return next((i for i in self.kept_instances if i.kind is LayerKind.BACKGROUND), None)

    def copy(self) -> Scene:
        """All that a stage may change, copied; the picture and the given prompts are shared."""
        shared: dict[int, Any] = {id(self.image_hwc): self.image_hwc} | {id(given): given for given in self.given}
        return deepcopy(self, shared)

    def become(self, other: Scene) -> None:
        """Take over everything of ``other``."""
        for part in fields(self):
            setattr(self, part.name, getattr(other, part.name))

    def rng(self, *salt: str) -> np.random.Generator:
        """A generator that depends on the seed, the picture and ``salt`` (stage and instance key)."""
        words = [self.seed & 0xFFFFFFFF, int(self.image_sha256[:8], 16)]
        words += [int.from_bytes(s.encode(), "big") % (2**32) for s in salt]
        return np.random.default_rng(words)
