"""The hidden part of an object: what lies under the objects in front of it."""

from __future__ import annotations

import cv2
import numpy as np

from engine.imaging import union
from engine.occlusion import kept_from
from engine.records import Instance, Mask, Scene
from engine.stages.completion import by_box, by_outline

_REACH_PX = 4
"""How near an object in front must come to count as covering: soft edges leave a gap between visible masks."""
_TELLING_SHARE = 0.02
"""A box that reaches under the cover with this share of its area was drawn around the whole object."""


def ancestors(scene: Scene, key: str) -> list[Instance]:
    """All instances in front of ``key``, directly or through others, front to back."""
    parents: dict[str, set[str]] = {}
    for front, behind in scene.in_front:
        parents.setdefault(behind, set()).add(front)
    seen: set[str] = set()
    todo = [key]
    while todo:
        new = parents.get(todo.pop(), set()) - seen
        seen |= new
        todo.extend(new)
    return [instance for instance in scene.instances if instance.key in seen]


def cover_of(scene: Scene, instance: Instance) -> Mask:
    """Visible pixels ``[H,W]`` of everything in front of ``instance``."""
    visible = instance.visible_hw
    return union((other.visible_hw for other in ancestors(scene, instance.key)), *visible.shape) & ~visible


def is_told(instance: Instance, cover_hw: Mask) -> bool:
    """Whether the box of ``instance`` says how far it goes on under ``cover_hw``."""
    return kept_from(instance.visible_hw, cover_hw, instance.box) >= _TELLING_SHARE


def hidden_region(scene: Scene, instance: Instance) -> Mask:
    """The part of ``instance`` [H,W] that lies under visible pixels of the objects in front of it."""
    visible, cover = instance.visible_hw, cover_of(scene, instance)
    near = cv2.dilate(visible.astype(np.uint8), np.ones((2 * _REACH_PX + 1,) * 2, np.uint8)).astype(bool)
    if not (near & cover).any():
        return np.zeros(visible.shape, bool)
    if is_told(instance, cover):
        return by_box.continued(visible, cover, instance.box)
    return by_outline.continued(visible, cover)
