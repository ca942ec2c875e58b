"""Prompt generation: ways to refer to each layer (stage 5; paper, section 3).

Reads ``label``, masks, ``given``. Fills ``prompts`` of every kept instance. Spatial prompts refer to the visible
part only; a background has exactly one prompt, of kind ``background``.
"""

from engine.records import LayerKind, PromptKind, Scene
from engine.runner import BrokenPromise


def check(scene: Scene) -> None:
    """Raise ``BrokenPromise`` when a prompt is missing, lies outside the picture or points beside its object."""
    width, height = scene.size_wh
    for instance in scene.kept_instances:
        if not instance.prompts:
            raise BrokenPromise(f"{instance.key} has no prompt")
        kinds = {prompt.kind for prompt in instance.prompts}
        if (instance.kind is LayerKind.BACKGROUND) != (kinds == {PromptKind.BACKGROUND}):
            raise BrokenPromise(f"{instance.key} has prompts of the wrong kind: {sorted(kinds)}")
        for prompt in instance.prompts:
            for x, y in prompt.points:
                if not (0 <= x < width and 0 <= y < height):
                    raise BrokenPromise(f"point of {instance.key} lies outside the picture")
                if not instance.visible_hw[int(y), int(x)]:
                    raise BrokenPromise(f"point of {instance.key} lies outside its visible mask")
            if prompt.box is not None:
                x0, y0, x1, y1 = prompt.box
                if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
                    raise BrokenPromise(f"box of {instance.key} lies outside the picture: {prompt.box}")
