import io

import numpy as np
import pytest

from engine import recipes, registry
from engine.records import STAGES
from engine.runner import run_stage
from engine.scene_file import dump, load
from tests.engine.scenes import finished_scene, fresh_scene


def test_a_finished_scene_comes_back_byte_for_byte():
    scene = finished_scene()
    again = load(dump(scene), scene.image_hwc)
    assert dump(again) == dump(scene)
    for one, other in zip(scene.instances, again.instances, strict=True):
        np.testing.assert_array_equal(one.layer.rgba_hwc, other.layer.rgba_hwc)
        np.testing.assert_array_equal(one.visible_hw, other.visible_hw)
        assert [p.points for p in one.prompts] == [p.points for p in other.prompts]


@pytest.mark.parametrize("stop_after", range(1, len(STAGES)))
def test_going_on_from_a_file_gives_the_same_bytes_as_one_go(stop_after):
    straight, stopped = fresh_scene(), fresh_scene()
    for number, spec in enumerate(recipes.cpu().stages):
        backend = registry.load(spec.stage, spec.backend, spec.params)
        list(run_stage([straight], spec, backend))
        if number == stop_after:
            stopped = load(dump(stopped), stopped.image_hwc)
        list(run_stage([stopped], spec, backend))
    assert straight.is_kept
    assert dump(stopped) == dump(straight)


def test_a_file_with_pickled_objects_is_refused():
    buffer = io.BytesIO()
    np.savez(buffer, document=np.array([object()], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        load(buffer.getvalue(), np.zeros((4, 4, 3), np.uint8))
