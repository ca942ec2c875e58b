from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine import prompt_canvas
from engine.composites.generator import compose
from engine.records import Prompt, PromptKind, RGBALayer
from engine.refusals import Refusal
from tests.training.reflayer import small
from training.reflayer.card import Card
from training.reflayer.checkpoint import save_pipeline
from training.reflayer.finishing import finish
from training.reflayer.loading import load_pipeline
from training.reflayer.pipeline import RefLayerPipeline

PICTURE = compose(3, 96).source_hwc
BOX = Prompt(PromptKind.BOX, box=(20.0, 20.0, 70.0, 60.0))
CARD = Card("test", "nothing", "", "", {}, "")


@pytest.fixture(scope="module")
def pipeline() -> RefLayerPipeline:
    """Conditions have an effect and alpha is about one half, as after some training."""
    made = small.pipeline()
    torch.nn.init.zeros_(made.alpha_decoder.decoder.conv_out.bias)
    generator = torch.Generator().manual_seed(1)
    torch.nn.init.normal_(made.transformer.pos_embed.proj.weight, std=0.2, generator=generator)
    torch.nn.init.normal_(made.injector.null_canvas, generator=generator)
    return made


def _answer(pipeline: RefLayerPipeline, picture=PICTURE, prompt=BOX, seed: int = 0, **options) -> RGBALayer:
    generator = torch.Generator().manual_seed(seed)
    return pipeline(picture, prompt, num_inference_steps=2, generator=generator, **options)


def _same(a: RGBALayer, b: RGBALayer) -> bool:
    return np.array_equal(a.rgba_hwc, b.rgba_hwc) and np.array_equal(a.visible_hw, b.visible_hw)


def test_a_layer_has_the_pictures_size_whatever_its_aspect(pipeline: RefLayerPipeline) -> None:
    for height, width in ((96, 96), (50, 131), (20, 16)):
        picture = np.ascontiguousarray(np.resize(PICTURE, (height, width, 3)))
        layer = _answer(pipeline, picture, Prompt(PromptKind.POINT, points=((5.0, 5.0),)))
        assert layer.rgba_hwc.shape == (height, width, 4)
        assert layer.rgba_hwc.dtype == np.uint8
        assert layer.visible_hw.shape == (height, width)
        assert not (layer.visible_hw & ~layer.amodal_hw).any()


def test_the_same_seed_gives_the_same_layer_and_another_another(pipeline: RefLayerPipeline) -> None:
    assert _same(_answer(pipeline), _answer(pipeline))
    assert not _same(_answer(pipeline), _answer(pipeline, seed=1))


@pytest.mark.parametrize("transparency", ["canvas_colour", "latent_offset", "dual_latent"])
@pytest.mark.parametrize("injection", ["compress_conv", "expand_embed"])
def test_a_saved_pipeline_answers_the_same(tmp_path: Path, injection: str, transparency: str) -> None:
    made = small.pipeline(injection, transparency)
    save_pipeline(made, tmp_path / "checkpoint", CARD)
    loaded = load_pipeline(tmp_path / "checkpoint")
    assert isinstance(loaded, RefLayerPipeline)
    assert _same(_answer(made), _answer(loaded))
    assert {path.suffix for path in (tmp_path / "checkpoint").glob("*/*") if path.stat().st_size > 20_000} == {
        ".safetensors"
    }


def test_prompts_and_texts_matter(pipeline: RefLayerPipeline) -> None:
    other_box = Prompt(PromptKind.BOX, box=(60.0, 60.0, 90.0, 90.0))
    assert not _same(_answer(pipeline), _answer(pipeline, prompt=other_box))
    assert not _same(_answer(pipeline), _answer(pipeline, text="the cup"))


def test_a_drawn_canvas_stands_for_its_prompt(pipeline: RefLayerPipeline) -> None:
    square = small.SIZE_PX
    picture = np.ascontiguousarray(PICTURE[:square, :square])
    canvas = prompt_canvas.draw(BOX, square, square)
    box = Prompt(PromptKind.BOX, box=(20.0, 20.0, 64.0, 60.0))
    assert _same(_answer(pipeline, picture, None, canvas=canvas), _answer(pipeline, picture, box))


def test_a_background_is_opaque(pipeline: RefLayerPipeline) -> None:
    layer = _answer(pipeline, prompt=Prompt(PromptKind.BACKGROUND, text="background"))
    assert (layer.rgba_hwc[..., 3] == 255).all()


def test_pictures_of_several_sizes_are_answered_in_order(pipeline: RefLayerPipeline) -> None:
    wide = np.ascontiguousarray(PICTURE[:48])
    pictures = [PICTURE, wide, Image.fromarray(PICTURE)]
    prompts = [BOX, Prompt(PromptKind.POINT, points=((30.0, 30.0),)), BOX]
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 5, 0)]
    layers = pipeline(pictures, prompts, num_inference_steps=2, generator=generators)
    assert [layer.rgba_hwc.shape[:2] for layer in layers] == [(96, 96), (48, 96), (96, 96)]
    assert _same(layers[0], layers[2])
    alone = _answer(pipeline, wide, prompts[1], seed=5)
    assert np.abs(layers[1].rgba_hwc.astype(int) - alone.rgba_hwc).max() <= 1


def test_a_call_can_be_cancelled_between_steps(pipeline: RefLayerPipeline) -> None:
    seen = []

    def stop(step: int) -> None:
        seen.append(step)
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline(PICTURE, BOX, num_inference_steps=9, on_step=stop)
    assert seen == [1, 2]


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        (Prompt(PromptKind.BOX, box=(100.0, 100.0, 120.0, 120.0)), "prompt_outside"),
        (Prompt(PromptKind.BOX, box=(10.0, 10.0, 10.0, 40.0)), "empty_box"),
        (Prompt(PromptKind.BOX, box=(float("nan"), 10.0, 20.0, 40.0)), "empty_box"),
        (Prompt(PromptKind.POINT, points=((96.0, 3.0),)), "prompt_outside"),
        (Prompt(PromptKind.POINT, points=((float("nan"), 3.0),)), "prompt_outside"),
        (Prompt(PromptKind.MASK, mask_hw=np.zeros((96, 96), bool)), "empty_mask"),
        (Prompt(PromptKind.MASK, mask_hw=np.ones((9, 9), bool)), "mask_size"),
        (Prompt(PromptKind.TEXT, text="  "), "empty_prompt"),
    ],
)
def test_prompts_that_make_no_sense_are_refused(pipeline: RefLayerPipeline, prompt: Prompt, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        pipeline(PICTURE, prompt)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (np.zeros((1, 1, 3), np.uint8), "too_small"),
        (np.broadcast_to(np.uint8(0), (12_000, 12_000, 3)), "too_many_pixels"),
        (np.zeros((64, 64), np.uint8), "bad_picture"),
        (np.zeros((64, 64, 3), np.float32), "bad_picture"),
    ],
)
def test_pictures_that_make_no_sense_are_refused(pipeline: RefLayerPipeline, picture: np.ndarray, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        pipeline(picture, Prompt(PromptKind.POINT, points=((0.5, 0.5),)))
    assert caught.value.code == code


def test_a_canvas_of_another_size_is_refused(pipeline: RefLayerPipeline) -> None:
    with pytest.raises(Refusal, match="canvas is"):
        pipeline(PICTURE, canvas=PICTURE[:50])


def test_a_box_over_the_edge_is_the_part_inside(pipeline: RefLayerPipeline) -> None:
    over = Prompt(PromptKind.BOX, box=(-40.0, 20.0, 70.0, 60.0))
    inside = Prompt(PromptKind.BOX, box=(0.0, 20.0, 70.0, 60.0))
    assert _same(_answer(pipeline, prompt=over), _answer(pipeline, prompt=inside))


def test_visible_pixels_are_the_sources_own_where_that_is_asked_for() -> None:
    alpha = np.ones((96, 96), np.float32)
    visible = np.zeros((96, 96), np.float32)
    visible[:, :48] = 1
    invented = np.full((96, 96, 3), 0.25, np.float32)
    kept, free = (finish(PICTURE, invented, alpha, visible, 0.5, keep) for keep in (True, False))
    assert np.array_equal(kept.rgba_hwc[:, :48, :3], PICTURE[:, :48])
    assert (kept.rgba_hwc[:, 48:, :3] == 64).all()
    assert (free.rgba_hwc[..., :3] == 64).all()


def test_a_small_answer_is_brought_to_the_pictures_edges() -> None:
    picture = np.zeros((256, 256, 3), np.uint8)
    picture[:, 100:] = 255
    alpha = np.zeros((32, 32), np.float32)
    alpha[:, 13:], alpha[:, 12] = 1.0, 0.5
    layer = finish(picture, np.full((32, 32, 3), 0.5, np.float32), alpha, alpha, 0.5, keep_visible=True)
    assert layer.alpha_hw[128, 97] < 0.25
    assert layer.alpha_hw[128, 103] > 0.75
    assert layer.rgba_hwc.shape == (256, 256, 4)
