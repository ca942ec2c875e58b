import numpy as np
import pytest

from annotation.truth import composite_behind, is_right_background, is_right_object
from engine.composites.generator import Composite, compose
from engine.imaging import encode_png, sha256


@pytest.fixture(scope="module")
def made() -> Composite:
    return compose(3, 64)


def background_of(made: Composite) -> np.ndarray:
    return np.dstack([made.background_hwc, np.full(made.background_hwc.shape[:2], 255, np.uint8)])


def test_a_composite_is_known_by_name_and_bytes(made: Composite) -> None:
    digest = sha256(encode_png(made.source_hwc))
    known = composite_behind("composite-64-3.png", digest)
    assert known is not None
    assert np.array_equal(known.source_hwc, made.source_hwc)
    assert composite_behind("composite-64-4.png", digest) is None
    assert composite_behind("holiday.jpg", digest) is None


def test_every_true_layer_is_right(made: Composite) -> None:
    assert all(is_right_object(true.layer.rgba_hwc, made) for true in made.layers)
    assert is_right_background(background_of(made), made)


def test_what_only_shows_the_visible_half_is_wrong(made: Composite) -> None:
    half = made.layers[0].layer.rgba_hwc.copy()
    columns = np.flatnonzero(half[..., 3].any(0))
    half[:, : int(np.median(columns)), 3] = 0
    assert not is_right_object(half, made)


def test_an_empty_layer_and_a_picture_with_its_objects_are_wrong(made: Composite) -> None:
    assert not is_right_object(np.zeros((64, 64, 4), np.uint8), made)
    assert not is_right_background(255 - background_of(made), made)
