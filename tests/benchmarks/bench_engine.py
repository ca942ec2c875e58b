"""Seconds a 512 px picture takes through recipe ``cpu`` with given prompts, and where they go."""

from __future__ import annotations

import statistics

import cv2
import pytest

from engine import recipes, runner
from engine.composites.generator import compose, to_scene
from engine.demo.photographs import demo_photographs
from engine.imaging import sha256
from engine.records import STAGES, GivenPrompt, Scene, Stroke
from engine.runner import StageReport

SIZE_PX = 512
COMPOSITES = 12


def _composites() -> list[Scene]:
    return [to_scene(compose(seed, SIZE_PX)) for seed in range(COMPOSITES)]


def _photographs() -> list[Scene]:
    """The demo's, scaled so that the longer side has 512 px; their prompts are scaled along."""
    scenes = []
    for photograph in demo_photographs():
        if not photograph.given:
            continue
        pixels = photograph.image_hwc
        scale = SIZE_PX / max(pixels.shape[:2])
        small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        given = tuple(_scaled(prompt, scale) for prompt in photograph.given)
        scenes.append(Scene(sha256(small.tobytes()), small, given=given))
    return scenes


def _scaled(prompt: GivenPrompt, scale: float) -> GivenPrompt:
    strokes = tuple(
        Stroke(tuple((x * scale, y * scale) for x, y in s.points), s.width_px * scale, s.keep) for s in prompt.strokes
    )
    box = prompt.box and tuple(value * scale for value in prompt.box)
    return GivenPrompt(prompt.label, box, None, strokes, prompt.caption)


@pytest.mark.parametrize(("name", "scenes"), [("photographs", _photographs), ("composites", _composites)])
def test_seconds_per_picture(bench, name, scenes):
    runner.run(_composites()[:1], recipes.cpu())  # compile what Numba compiles
    batch = scenes()
    reports: list[StageReport] = runner.run(batch, recipes.cpu())
    totals = [sum(r.seconds for r in reports if r.image_sha256 == scene.image_sha256) for scene in batch]
    whole = sum(totals)
    bench(
        f"engine, {name}: median", statistics.median(totals), "s/image", f"n={len(batch)}, {SIZE_PX} px, given prompts"
    )
    bench(f"engine, {name}: worst", max(totals), "s/image")
    for stage in STAGES:
        seconds = [r.seconds for r in reports if r.stage == stage]
        share = sum(seconds) / whole
        bench(f"engine, {name}: {stage}", statistics.median(seconds), "s/image", f"{share:.0%} of the time")
    assert all(scene.numbers.get("prefilter") for scene in batch)
