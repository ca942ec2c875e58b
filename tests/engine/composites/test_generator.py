import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.composites.cutouts import Cutouts
from engine.composites.generator import compose, to_scene
from engine.composites.photographs import Photographs
from engine.imaging import box_of, flatten
from engine.stages.scene.base import check

SEEDS = st.integers(0, 10_000)


@pytest.fixture(scope="module")
def photographs():
    return Photographs.from_packages(longest_px=256)


@pytest.fixture(scope="module")
def many(photographs):
    return [compose(seed, 96, photographs) for seed in range(120)]


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, size=st.integers(32, 150))
def test_the_picture_is_its_layers_over_the_background(seed, size):
    made = compose(seed, size, Photographs.from_packages(64).only({"coffee"}))
    opaque = np.dstack([made.background_hwc, np.full((size, size), 255, np.uint8)])
    assert np.array_equal(made.source_hwc, flatten([*(true.layer.rgba_hwc for true in made.layers), opaque]))


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_visible_masks_are_disjoint_and_inside_the_amodal_ones(seed):
    made = compose(seed, 64, Photographs.from_packages(64).only({"rocket"}))
    owners = sum(true.layer.visible_hw.astype(int) for true in made.layers)
    assert owners.max() <= 1
    for true in made.layers:
        assert not (true.layer.visible_hw & ~true.layer.amodal_hw).any()


def test_the_front_layer_is_wholly_visible(many):
    for made in many:
        assert made.layers[0].occlusion == 0


def test_no_object_is_hidden_by_much_more_than_seventy_percent(many):
    assert max(true.occlusion for made in many for true in made.layers) < 0.75


def test_every_occlusion_band_is_common(many):
    shares = np.array([true.occlusion for made in many for true in made.layers])
    counts = [np.sum(shares == 0), np.sum((shares > 0) & (shares < 0.2))]
    counts += [np.sum((shares >= 0.2) & (shares < 0.4)), np.sum(shares >= 0.4)]
    assert min(counts) >= 0.1 * shares.size, counts


def test_order_pairs_name_exactly_the_layers_that_overlap(many):
    for made in many:
        for front in range(len(made.layers)):
            for behind in range(front + 1, len(made.layers)):
                shared = made.layers[front].layer.amodal_hw & made.layers[behind].layer.amodal_hw
                assert ((front, behind) in made.in_front) == bool(shared.any())


def test_the_same_seed_gives_the_same_bytes(photographs):
    fresh = Photographs.from_packages(longest_px=256)
    first, second = compose(7, 96, photographs), compose(7, 96, fresh)
    assert first.source_hwc.tobytes() == second.source_hwc.tobytes()
    assert [a.layer.rgba_hwc.tobytes() for a in first.layers] == [b.layer.rgba_hwc.tobytes() for b in second.layers]


def test_other_seeds_give_other_pictures(many):
    assert len({made.source_hwc.tobytes() for made in many}) == len(many)


def test_only_the_selected_families_are_drawn(photographs):
    made = [compose(seed, 64, photographs, families=("ring", "star")) for seed in range(20)]
    assert {true.label for one in made for true in one.layers} == {"ring", "star"}


def test_cutouts_are_used_and_those_too_thin_to_have_a_mask_are_replaced(photo_folder, object_folder):
    photographs, objects = Photographs.from_folder(photo_folder), Cutouts.from_folder(object_folder)
    made = [compose(seed, 64, photographs, objects, drawn_share=0) for seed in range(20)]
    labels = {true.label for one in made for true in one.layers}
    assert "disc" in labels
    assert "haze" not in labels


@pytest.mark.parametrize("arguments", [{"size_px": 31}, {"families": ("dragon",)}, {"families": ()}])
def test_bad_arguments_are_refused(photographs, arguments):
    with pytest.raises(ValueError, match=r"at least 32 px|shape families"):
        compose(0, photographs=photographs, **arguments)


@pytest.mark.parametrize(("prompt", "mask"), [("box", "amodal_hw"), ("visible_box", "visible_hw")])
def test_given_boxes_are_those_of_the_layers_or_of_what_is_seen_of_them(many, prompt, mask):
    for made in many[:20]:
        boxes = [given.box for given in to_scene(made, prompt).given]
        assert boxes == [box_of(getattr(true.layer, mask)) for true in made.layers]


def test_given_masks_make_a_scene_the_scene_stage_accepts(many):
    from engine.stages.scene.given import Given

    scene = to_scene(many[0], prompt="mask")
    check(Given()([scene])[0])
