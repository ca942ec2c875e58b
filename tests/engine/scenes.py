"""Small scenes with known truth, bare or finished, and the same as images of a project."""

from __future__ import annotations

from functools import cache

from engine import recipes, runner
from engine.composites.generator import compose, to_scene
from engine.imaging import encode_png
from engine.models import Project, SourceImage
from engine.records import Scene
from engine.scene_file import dump, load
from engine.services.images import import_image


def fresh_scene(seed: int = 7, size_px: int = 256) -> Scene:
    """A composite with the true boxes given: nothing has run on it."""
    return to_scene(compose(seed, size_px))


@cache
def _finished(seed: int, size_px: int) -> tuple[Scene, bytes]:
    scene = fresh_scene(seed, size_px)
    runner.run([scene], recipes.cpu())
    return scene, dump(scene)


def finished_scene(seed: int = 7, size_px: int = 256) -> Scene:
    """The same after all six stages of recipe ``cpu``; computed once, a new copy for each caller."""
    scene, data = _finished(seed, size_px)
    return load(data, scene.image_hwc)


def composite_image(project: Project, seed: int = 7, size_px: int = 256) -> SourceImage:
    """The composite imported into a project, with the true boxes as given prompts."""
    scene = fresh_scene(seed, size_px)
    data = encode_png(scene.image_hwc)
    return import_image(project=project, data=data, name=f"composite-{seed}.png", given=scene.given).image
