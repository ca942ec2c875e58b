import cv2
import numpy as np
import pytest

from engine.records import Scene
from engine.stages.prefilter.base import check
from engine.stages.prefilter.rules import Rules, measure


def photograph(height=320, width=400):
    """Soft colour clouds with grain: has the entropy and sharpness of a photograph."""
    rng = np.random.default_rng(7)
    clouds = cv2.resize(
        rng.integers(0, 256, (8, 10, 3)).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC
    )
    return np.clip(clouds.astype(int) + rng.normal(0, 6, clouds.shape), 0, 255).astype(np.uint8)


def letterboxed():
    picture = photograph()
    picture[:40] = picture[-40:] = 0
    return picture


def drop_reason(picture, facts=None, **params):
    scene = Scene("0" * 64, picture, facts=facts or {})
    Rules(**params)([scene])
    check(scene)
    return scene.drop_reason


def test_an_ordinary_picture_is_kept():
    assert drop_reason(photograph()) == ""


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (photograph(200, 400), "too_small"),
        (photograph(260, 900), "extreme_aspect"),
        (np.full((320, 400, 3), 255, np.uint8), "badly_exposed"),
        (np.zeros((320, 400, 3), np.uint8), "badly_exposed"),
        (np.repeat(np.repeat(np.array([[[90] * 3, [160] * 3]], np.uint8), 300, 0), 200, 1), "low_entropy"),
        (letterboxed(), "letterbox"),
        (letterboxed().transpose(1, 0, 2).copy(), "letterbox"),
        (cv2.GaussianBlur(photograph(), (0, 0), 12), "blurred"),
    ],
)
def test_each_rule_names_its_reason(picture, reason):
    assert drop_reason(picture) == reason


def test_a_known_duplicate_is_dropped():
    assert drop_reason(photograph(), {"duplicate_of": "abc"}) == "duplicate"


def test_the_first_failing_rule_is_the_reason():
    assert drop_reason(np.zeros((20, 400, 3), np.uint8)) == "too_small"


def test_thresholds_come_from_the_recipe():
    assert drop_reason(photograph(), min_side_px=321) == "too_small"


def test_an_unknown_parameter_is_refused():
    with pytest.raises(TypeError):
        Rules(min_sides=3)


def test_a_flat_side_that_fades_into_the_picture_is_no_bar():
    picture = photograph().astype(np.float32)
    fade = np.clip((np.arange(320) - 60) / 40, 0, 1) * np.clip((260 - np.arange(320)) / 40, 0, 1)
    assert drop_reason((picture * fade[:, None, None]).astype(np.uint8)) == ""


def test_one_bar_alone_is_a_backdrop():
    picture = photograph()
    picture[:60] = 128
    assert drop_reason(picture) == ""


def test_strips_are_measured_as_shares_of_their_side():
    features = measure(letterboxed())
    assert (features["strip_top"], features["strip_bottom"], features["strip_left"]) == (0.125, 0.125, 0.0)


def test_sharpness_hardly_depends_on_the_size_of_the_picture():
    small = cv2.GaussianBlur(photograph(512, 512), (0, 0), 1.5)
    large = cv2.resize(small, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    assert measure(large)["sharpness"] == pytest.approx(measure(small)["sharpness"], rel=0.25)


def test_every_feature_of_a_one_pixel_picture_is_finite():
    assert all(np.isfinite(value) for value in measure(np.zeros((1, 1, 3), np.uint8)).values())


def test_a_picture_sharp_only_where_it_was_focused_is_kept():
    picture = cv2.GaussianBlur(photograph(), (0, 0), 12)
    picture[100:200, 100:240] = photograph()[100:200, 100:240]
    assert drop_reason(picture) == ""


def test_a_small_sharp_picture_is_not_enlarged_into_a_blurred_one():
    assert measure(photograph(260, 260))["sharpness"] > 10 * Rules().params.min_sharpness
