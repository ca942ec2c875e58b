"""A scene as it was before one of its stages, so that the stage can be done again with the earlier ones kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from engine.records import STAGES, LayerKind, RGBALayer, Scene

_KEPT_SCORES = ("completion_failed",)
"""Of an instance, those that an earlier stage than the post-filter gives."""


def without_layers(scene: Scene) -> Scene:
    """A copy for a file that stays: finished layers are in the store, and ``rewind`` takes them from there."""
    kept = scene.copy()
    for instance in kept.instances:
        instance.layer = None
    return kept


def rewind(scene: Scene, stage: str, given_up: Mapping[str, Collection[str]], layers: Mapping[str, RGBALayer]) -> Scene:
    """Take back in place what ``stage`` and those after it did to a scene that went through all of them.

    ``given_up``: keys of the instances that each stage dropped. ``layers``: the finished ones by key, put in where
    post-processing is not taken back.
    """
    first = STAGES.index(stage)
    undone = STAGES[first:]
    scene.drop_reason = ""
    for name in undone:
        scene.numbers.pop(name, None)
    if "scene" in undone:
        scene.instances, scene.in_front = [], []
    if "completion" in undone:
        scene.instances = [i for i in scene.instances if i.kind is LayerKind.FOREGROUND]
    back = {key for name in undone for key in given_up.get(name, ())}
    for instance in scene.instances:
        if instance.key in back:
            instance.drop_reason = ""
        if "completion" in undone:
            instance.amodal_hw, instance.completed_hwc, instance.scores = None, None, {}
        if "prompts" in undone:
            instance.prompts = []
        instance.layer = None if "postprocess" in undone else layers.get(instance.key, instance.layer)
        instance.scores = {name: value for name, value in instance.scores.items() if name in _KEPT_SCORES}
    return scene
