from __future__ import annotations

import numpy as np
import pytest

from engine.imaging import box_of, box_to_mask, iou
from engine.records import GivenPrompt, Prompt, PromptKind, Scene
from engine.stages.completion.classical import Classical
from engine.stages.prompts.templates import Templates
from tests.engine.stages.drawn import disc, scene_of, two_discs

DISCS = [disc(120, 200, (40 + 60 * n, 60), 25) for n in range(3)]


def _written(scene: Scene) -> Scene:
    return Templates()([scene])[0]


def _of_kind(scene: Scene, number: int, kind: PromptKind) -> Prompt:
    return next(prompt for prompt in scene.instances[number].prompts if prompt.kind is kind)


def test_an_object_gets_one_prompt_of_each_kind() -> None:
    scene = _written(two_discs())
    kinds = [prompt.kind for prompt in scene.instances[0].prompts]
    assert kinds == [PromptKind.POINT, PromptKind.BOX, PromptKind.MASK, PromptKind.TEXT, PromptKind.HYBRID]


def test_the_background_gets_only_its_own_prompt() -> None:
    scene = two_discs()
    Classical()([scene])
    _written(scene)
    assert [(p.kind, p.text) for p in scene.instances[-1].prompts] == [(PromptKind.BACKGROUND, "background")]


@pytest.mark.parametrize("seed", range(8))
def test_points_lie_deep_inside_the_visible_part(seed: int) -> None:
    scene = _written(scene_of([DISCS[0]], seed=seed))
    points = _of_kind(scene, 0, PromptKind.POINT).points
    assert 1 <= len(points) <= 3
    assert all(np.hypot(x - 40.5, y - 60.5) < 0.7 * 25 + 1.5 for x, y in points)


@pytest.mark.parametrize("seed", range(8))
def test_boxes_are_drawn_by_hand_but_fit(seed: int) -> None:
    scene = _written(scene_of([DISCS[0]], seed=seed))
    box, tight = _of_kind(scene, 0, PromptKind.BOX).box, box_of(DISCS[0])
    assert box is not None
    assert tight is not None
    assert box != tight
    assert iou(box_to_mask(box, 120, 200), box_to_mask(tight, 120, 200)) > 0.65


def test_a_text_that_fits_two_objects_is_ambiguous() -> None:
    scene = _written(scene_of(DISCS, labels=["Cup", "cup ", "plate"]))
    assert [_of_kind(scene, n, PromptKind.TEXT).is_ambiguous for n in range(3)] == [True, True, False]


def test_a_dropped_object_makes_no_text_ambiguous() -> None:
    scene = scene_of(DISCS, labels=["cup", "cup", "plate"])
    scene.instances[1].drop_reason = "by_a_test"
    assert not _of_kind(_written(scene), 0, PromptKind.TEXT).is_ambiguous


def test_a_caption_is_preferred_to_the_label() -> None:
    scene = scene_of(DISCS, labels=["cup", "cup", "plate"])
    scene.instances[0].given = GivenPrompt("cup", caption="the cup on the left")
    text = _of_kind(_written(scene), 0, PromptKind.TEXT)
    assert (text.text, text.is_ambiguous) == ("the cup on the left", False)


def test_a_hybrid_has_a_text_and_one_place() -> None:
    for seed in range(6):
        hybrid = _of_kind(_written(scene_of([DISCS[0]], seed=seed)), 0, PromptKind.HYBRID)
        assert hybrid.text
        assert (len(hybrid.points) == 1) != (hybrid.box is not None)
