import cv2
import numpy as np
import pytest
from PIL import Image

from engine import prompt_canvas
from engine.composites.photographs import Photographs
from engine.records import Prompt, PromptKind
from engine.refusals import Refusal
from training.reflayer.tiny.answering import at_full_size, trusting
from training.reflayer.tiny.canvas_reading import read_canvas
from training.reflayer.tiny.layer_colours import background_of, layer_of
from training.reflayer.tiny.window import Window, whole

BOX = Prompt(PromptKind.BOX, box=(20.0, 20.0, 90.0, 90.0))


@pytest.fixture
def photograph():
    return Photographs.from_packages(300)["coffee"]


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt(PromptKind.POINT, points=((150.0, 90.0),)),
        Prompt(PromptKind.BOX, box=(60.0, 30.0, 220.0, 160.0)),
        Prompt(PromptKind.HYBRID, box=(60.0, 30.0, 220.0, 160.0), points=((150.0, 90.0),)),
        Prompt(PromptKind.BACKGROUND),
    ],
)
def test_a_layer_has_the_pictures_size_and_comes_out_the_same_twice(small_pipeline, photograph, prompt):
    layer = small_pipeline(photograph, prompt)
    assert layer.rgba_hwc.shape == (*photograph.shape[:2], 4)
    assert layer.rgba_hwc.dtype == np.uint8
    assert layer.visible_hw.shape == photograph.shape[:2]
    assert np.array_equal(layer.rgba_hwc, small_pipeline(photograph, prompt).rgba_hwc)


def test_pictures_come_as_arrays_images_or_lists(small_pipeline, disc):
    alone = small_pipeline(disc[0], BOX)
    both = small_pipeline([disc[0], Image.fromarray(disc[0])], [BOX, BOX])
    assert all(np.array_equal(layer.rgba_hwc, alone.rgba_hwc) for layer in both)


def test_a_drawn_canvas_asks_what_the_prompt_asks(small_pipeline, disc):
    picture, mask = disc
    for prompt in (BOX, Prompt(PromptKind.MASK, mask_hw=mask)):
        canvas = prompt_canvas.draw(prompt, 128, 128)
        assert np.array_equal(small_pipeline(picture, canvas=canvas).rgba_hwc, small_pipeline(picture, prompt).rgba_hwc)


def test_a_canvas_is_read_as_it_was_drawn():
    mask = np.zeros((200, 300), bool)
    mask[50:90, 100:150] = True
    points = ((40.5, 30.5), (250.5, 170.5))
    read = read_canvas(prompt_canvas.draw(Prompt(PromptKind.POINT, points=points), 200, 300))
    assert (read.kind, set(read.points)) == (PromptKind.POINT, set(points))
    both = Prompt(PromptKind.HYBRID, box=(80.0, 40.0, 200.0, 120.0), mask_hw=mask)
    read = read_canvas(prompt_canvas.draw(both, 200, 300))
    assert (read.kind, read.box) == (PromptKind.HYBRID, both.box)
    assert np.array_equal(read.mask_hw, mask)
    assert read_canvas(prompt_canvas.draw(Prompt(PromptKind.BACKGROUND), 20, 30)).kind is PromptKind.BACKGROUND


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        (Prompt(PromptKind.POINT, points=((500.0, 3.0),)), "prompt_outside"),
        (Prompt(PromptKind.BOX, box=(200.0, 200.0, 260.0, 260.0)), "prompt_outside"),
        (Prompt(PromptKind.BOX, box=(20.0, 20.0, 20.0, 60.0)), "empty_box"),
        (Prompt(PromptKind.MASK, mask_hw=np.zeros((128, 128), bool)), "empty_mask"),
        (Prompt(PromptKind.MASK, mask_hw=np.ones((10, 10), bool)), "mask_size"),
        (Prompt(PromptKind.TEXT, text="the cup"), "text_only"),
        (Prompt(PromptKind.POINT), "empty_prompt"),
    ],
)
def test_a_prompt_that_makes_no_sense_is_refused_with_its_reason(small_pipeline, disc, prompt, code):
    with pytest.raises(Refusal) as refused:
        small_pipeline(disc[0], prompt)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (np.zeros((1, 1, 3), np.uint8), "too_small"),
        (np.broadcast_to(np.zeros(3, np.uint8), (12_000, 12_000, 3)), "too_many_pixels"),
        (np.zeros((64, 64), np.uint8), "bad_picture"),
    ],
)
def test_a_picture_that_cannot_be_worked_on_is_refused(small_pipeline, picture, code):
    with pytest.raises(Refusal) as refused:
        small_pipeline(picture, BOX)
    assert refused.value.code == code


def test_a_very_long_picture_is_worked_on(small_pipeline):
    long = np.random.default_rng(0).integers(0, 256, (16, 12_000, 3), np.uint8)
    layer = small_pipeline(long, Prompt(PromptKind.POINT, points=((6000.0, 8.0),)))
    assert layer.rgba_hwc.shape == (16, 12_000, 4)


def edge_width(alpha_row):
    return np.count_nonzero((alpha_row > 0.1) & (alpha_row < 0.9))


def test_a_large_pictures_edge_is_sharp_where_the_picture_has_one():
    """A core answer of 128 px, blurred, on a disc at 1024 px: the edge is found to about two of its pixels."""
    rows, columns = np.mgrid[:1024, :1024] + 0.5
    inside = np.hypot(columns - 512, rows - 512) < 300
    picture = np.where(inside[..., None], (220, 190, 40), (30, 50, 160)).astype(np.uint8)
    small = np.hypot(*(np.mgrid[:128, :128] + 0.5 - 64)) - 37.5
    matte = np.clip(0.5 - small / 2, 0, 1).astype(np.float32)
    alpha, shows = at_full_size(picture, np.stack([matte, matte]), whole(1024, 1024))
    plain = np.clip(0.5 - (np.hypot(columns - 512, rows - 512) - 300) / 16, 0, 1)
    assert edge_width(alpha[512]) <= 2 < 20 < edge_width(plain[512])
    assert np.abs(alpha - inside).mean() < 0.1 * np.abs(plain - inside).mean()
    assert np.abs(shows - alpha).max() < 1e-6


def test_nothing_is_found_outside_the_window():
    picture = np.full((400, 400, 3), 100, np.uint8)
    answer = np.ones((2, 128, 128), np.float32)
    alpha, _ = at_full_size(picture, answer, Window(100, 120, 200))
    assert alpha[120:320, 100:300].min() == 1
    assert alpha.sum() == 200 * 200


def test_a_given_mask_is_what_is_seen_and_the_rest_of_the_object_is_hidden():
    mask = np.zeros((128, 128), bool)
    mask[40:80, 40:80] = True
    alpha = np.zeros((128, 128), np.float32)
    alpha[40:80, 60:100] = 1
    found_alpha, shows = trusting(np.stack([alpha, alpha]), mask)
    assert (shows[41:79, 41:79] > 0.5).all()
    assert (shows[:, 80:] < 0.5).all()
    assert (found_alpha >= shows).all()
    assert found_alpha[60, 90] == 1
    assert found_alpha[60, 20] == 0


def test_visible_pixels_are_the_sources_own_and_hidden_ones_continue_the_object(disc):
    picture, mask = disc
    covered = picture.copy()
    front = np.zeros_like(mask)
    front[40:60, 72:110] = True
    covered[front] = (20, 200, 20)
    alpha = mask.astype(np.float32)
    shows = alpha * ~front
    layer = layer_of(covered, alpha, shows)
    seen = mask & ~front
    inner = seen & ~cv2.dilate(front.astype(np.uint8), np.ones((5, 5))).astype(bool)
    assert np.array_equal(layer.rgba_hwc[inner][:, :3], covered[inner])
    assert np.abs(layer.rgba_hwc[mask & front][:, :3].astype(int) - (230, 200, 30)).mean() < 12
    assert np.array_equal(layer.visible_hw, seen)
    assert np.array_equal(layer.amodal_hw, mask)


def test_colour_is_carried_on_under_alpha_zero(disc):
    picture, mask = disc
    rgba = layer_of(picture, mask.astype(np.float32), mask.astype(np.float32)).rgba_hwc
    around = np.hypot(*(np.mgrid[:128, :128] + 0.5 - np.array([60, 70])[:, None, None])) < 28
    assert np.abs(rgba[around & ~mask][:, :3].astype(int) - (230, 200, 30)).mean() < 15


def test_the_background_is_the_source_but_for_the_hole(disc):
    picture, mask = disc
    layer = background_of(picture, mask.astype(np.float32))
    assert (layer.rgba_hwc[..., 3] == 255).all()
    assert np.array_equal(layer.rgba_hwc[layer.visible_hw][:, :3], picture[layer.visible_hw])
    assert not (layer.visible_hw & mask).any()
    assert np.abs(layer.rgba_hwc[mask][:, :3].astype(int) - (40, 60, 190)).mean() < 8


def test_a_background_without_objects_is_the_picture(disc):
    layer = background_of(disc[0], np.zeros((128, 128), np.float32))
    assert np.array_equal(layer.rgba_hwc[..., :3], disc[0])
    assert layer.visible_hw.all()
