import io

import numpy as np
import pytest
from PIL import Image

from engine.demo.photographs import demo_photographs

PHOTOGRAPHS = {photograph.name: photograph for photograph in demo_photographs()}


def test_there_are_nine_photographs_and_the_unlicensed_pair_is_not_among_them():
    assert len(PHOTOGRAPHS) == 9
    assert not [name for name in PHOTOGRAPHS if "motorcycle" in name]


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_names_its_author_and_licence(name):
    photograph = PHOTOGRAPHS[name]
    assert photograph.credit
    assert photograph.licence
    assert photograph.source_url.startswith("http")


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_the_original_file_decodes_to_the_picture(name):
    photograph = PHOTOGRAPHS[name]
    with Image.open(io.BytesIO(photograph.read_bytes())) as picture:
        assert np.array_equal(np.asarray(picture.convert("RGB")), photograph.image_hwc)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_boxes_lie_in_the_picture(name):
    height, width = PHOTOGRAPHS[name].image_hwc.shape[:2]
    assert PHOTOGRAPHS[name].given
    for prompt in PHOTOGRAPHS[name].given:
        x0, y0, x1, y1 = prompt.box
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_keep_strokes_start_inside_their_box(name):
    for prompt in PHOTOGRAPHS[name].given:
        keep = [stroke for stroke in prompt.strokes if stroke.keep]
        assert keep, f"{prompt.label} has none"
        x0, y0, x1, y1 = prompt.box
        for stroke in keep:
            for x, y in stroke.points:
                assert x0 <= x <= x1, (prompt.label, stroke)
                assert y0 <= y <= y1, (prompt.label, stroke)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_labels_and_captions_are_not_empty(name):
    assert all(prompt.label and prompt.caption for prompt in PHOTOGRAPHS[name].given)
