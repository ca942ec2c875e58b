"""Every network in the table keeps the promise of its role on usual and odd pictures, with tiny random weights."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import networks, weights, weights_folder
from engine.networks import NETWORKS, Role
from engine.stages.roles import Hole, Question, SpatialPrompt
from tests.engine.language.fake_server import Reply, serving

EXTRA = {
    "rf_detr": {"threshold": 0.0},
    "grounding_dino": {"threshold": 0.0},
    "owlv2": {"threshold": 0.0},
    "sam3": {"threshold": 0.0},
    "qwen_vl": {"most_tokens": 4},
    "birefnet": {"side_px": 64},
    "language_locator": {"language": {"network": "qwen_vl", "most_tokens": 4}},
}


def rows(*roles):
    chosen = [row for row in NETWORKS if row.role in roles and row.name != "openai_endpoint"]
    return pytest.mark.parametrize("row", chosen, ids=lambda row: row.name)


def picture(height, width, seed=0):
    return np.random.default_rng([seed, height, width]).integers(0, 256, (height, width, 3), np.uint8)


PICTURES = (picture(60, 90), picture(120, 70), picture(64, 64), picture(30, 200))
PHRASES = (["cat", "red cup"], ["dog"], [], [" "])


@cache
def loaded(name, root):
    network = networks.make({"network": name, **EXTRA.get(name, {})})
    network.load()
    return network


@pytest.fixture
def load(tiny_weights):
    return lambda row: loaded(row.name, tiny_weights)


def is_inside(box, shown):
    height, width = shown.shape[:2]
    x0, y0, x1, y1 = box
    return 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height


def same(a, b):
    return [(f.phrase, f.score, f.box) for f in a] == [
        (f.phrase, pytest.approx(f.score, abs=1e-4), pytest.approx(f.box, abs=0.2)) for f in b
    ]


@rows(Role.DETECTOR)
def test_a_detector_answers_a_batch_of_sizes_with_boxes_inside_their_pictures(row, load):
    detector = load(row)
    found = detector(PICTURES, PHRASES)
    assert len(found) == len(PICTURES)
    for shown, asked, boxes in zip(PICTURES, PHRASES, found, strict=True):
        assert all(is_inside(f.box, shown) and 0 <= f.score <= 1 for f in boxes)
        assert all(f.mask_hw is None or f.mask_hw.shape == shown.shape[:2] for f in boxes)
        if detector.needs_phrases:
            assert {f.phrase for f in boxes} <= set(asked)
            assert boxes or not any(phrase.strip() for phrase in asked)


@rows(Role.DETECTOR)
def test_two_pictures_with_different_phrases_answer_as_each_alone(row, load):
    detector = load(row)
    together = detector(PICTURES[:2], PHRASES[:2])
    for n in range(2):
        (alone,) = detector(PICTURES[n : n + 1], PHRASES[n : n + 1])
        assert same(alone, together[n])


@rows(Role.DETECTOR)
def test_an_empty_batch_gives_nothing(row, load):
    assert load(row)([], []) == []


@rows(Role.SEGMENTER)
def test_a_segmenter_gives_three_masks_to_each_prompt(row, load):
    box, point = SpatialPrompt(box=(5, 5, 40, 40)), SpatialPrompt(keep=((3.0, 3.0),))
    both = SpatialPrompt((5, 5, 40, 40), keep=((9.0, 9.0), (12.0, 9.0)), remove=((1.0, 1.0),))
    one_pixel, at_the_border = SpatialPrompt(box=(63, 63, 64, 64)), SpatialPrompt(box=(0, 0, 64, 64))
    prompts = [[box, point, both], [], [one_pixel, at_the_border], [SpatialPrompt(box=(20, 2, 190, 28))]]
    answers = load(row)(PICTURES, prompts)
    for shown, asked, masks in zip(PICTURES, prompts, answers, strict=True):
        assert len(masks) == len(asked)
        for one in masks:
            assert one.masks_nhw.shape == (3, *shown.shape[:2])
            assert one.masks_nhw.dtype == np.bool_
            assert one.quality.shape == (3,)
            assert np.isfinite(one.quality).all()


@rows(Role.SEGMENTER)
def test_fifty_prompts_answer_as_each_alone(row, load):
    prompts = [SpatialPrompt(box=(n, n % 7, n + 20, n % 7 + 30)) for n in range(50)]
    (together,) = load(row)(PICTURES[:1], [prompts])
    assert len(together) == 50
    ((alone,),) = load(row)(PICTURES[:1], [prompts[33:34]])
    assert np.allclose(alone.quality, together[33].quality, atol=1e-4)


@rows(Role.DEPTH)
def test_depth_has_the_size_of_its_picture(row, load):
    for shown, depth in zip(PICTURES, load(row)(PICTURES), strict=True):
        assert depth.shape == shown.shape[:2]
        assert depth.dtype == np.float32
        assert np.isfinite(depth).all()


@rows(Role.LANGUAGE)
def test_a_language_network_answers_each_question_and_says_how_it_saw_the_pictures(row, load):
    questions = [Question((PICTURES[0],), "what?"), Question(PICTURES[:2], "compare"), Question((), "hello")]
    answers = load(row)(questions)
    assert [len(answer.shown) for answer in answers] == [1, 2, 0]
    assert all(answer.tokens > 0 and not answer.error for answer in answers)


HOLES = tuple(
    np.pad(np.ones((9, 20), bool), ((n, p.shape[0] - 9 - n), (10, p.shape[1] - 30)))
    for n, p in zip((3, 0, 55, 20), PICTURES, strict=True)
)
FAMILIES = ("lama", "flux2_klein_4b", "sd3_5_medium", "sdxl_inpaint", "flux1_fill", "qwen_image_edit")


@pytest.mark.parametrize("family", FAMILIES)
def test_an_inpainter_paints_holes_of_many_sizes_and_the_seed_decides(family, tiny_weights, monkeypatch):
    if family == "qwen_image_edit":
        _work_small(monkeypatch)
    spec = {"network": "lama"} if family == "lama" else {"network": "diffusers_inpaint", "weights": family, "steps": 2}
    inpainter = networks.make(spec)
    inpainter.load()
    holes = [Hole(p, h, "a cup", "cat", seed) for p, h, seed in zip(PICTURES, HOLES, (1, 2, 3, 4), strict=True)]
    painted = inpainter(holes)
    assert [one.shape for one in painted] == [p.shape for p in PICTURES]
    assert all(one.dtype == np.uint8 for one in painted)
    again, other = inpainter([holes[2]])[0], inpainter([replace(holes[2], seed=9)])[0]
    assert np.abs(again.astype(int) - painted[2]).mean() < 1
    assert inpainter.is_generative == bool((again != other).any())
    assert inpainter([]) == []


def _work_small(monkeypatch):
    """The pipeline works at a megapixel whatever it is given, which takes a minute here even with tiny networks."""
    from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_inpaint as module

    monkeypatch.setattr(module, "calculate_dimensions", lambda area, ratio: (64, 64, None))


def test_a_pipeline_that_paints_no_holes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("RLD_WEIGHTS", str(tmp_path))
    place = tmp_path / "flux2_klein_4b"
    place.mkdir()
    (place / "model_index.json").write_text('{"_class_name": "AudioPipeline"}')
    with pytest.raises(ValueError, match=r"is a AudioPipeline; known: .*Flux2KleinPipeline"):
        loaded("diffusers_inpaint", tmp_path)([])


@rows(Role.MATTER)
def test_a_matte_has_the_size_of_its_crop_and_lies_between_0_and_1(row, load):
    trimaps = []
    for shown in PICTURES:
        known = np.full(shown.shape[:2], 0.5, np.float32)
        known[:10], known[-10:] = 0.0, 1.0
        trimaps.append(known)
    for known, alpha in zip(trimaps, load(row)(PICTURES, trimaps), strict=True):
        assert alpha.shape == known.shape
        assert alpha.dtype == np.float32
        assert 0 <= alpha.min() <= alpha.max() <= 1


@rows(Role.AGREEMENT)
def test_agreement_is_a_cosine_for_each_picture_and_text(row, load):
    network = load(row)
    cosines = network(PICTURES, ["a cup", "a dog", "a cup"])
    assert cosines.shape == (4, 3)
    assert np.abs(cosines).max() <= 1.001
    assert np.allclose(cosines[:, 0], cosines[:, 2])
    assert np.allclose(network(PICTURES[2:3], ["a dog"]), cosines[2:3, 1:2], atol=1e-5)
    assert network([], ["a cup"]).shape == (0, 1)
    assert network(PICTURES, []).shape == (4, 0)


@rows(Role.FEATURES)
def test_features_are_unit_vectors(row, load):
    network = load(row)
    vectors = network(PICTURES)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(network(PICTURES[1:2]), vectors[1:2], atol=1e-5)
    assert len(network([])) == 0


def test_an_endpoint_is_a_language_network_like_any_other():
    with serving(Reply("fine")) as server:
        endpoint = networks.make({"network": "openai_endpoint", "url": server.url, "model": "m"})
        endpoint.load()
        answers = endpoint([Question((PICTURES[0],), "what?"), Question((), "hello")])
    assert [(answer.text, len(answer.shown)) for answer in answers] == [("fine", 1), ("fine", 0)]


@pytest.mark.parametrize("row", [row for row in NETWORKS if row.weights], ids=lambda row: row.name)
def test_missing_weights_name_the_command_that_gets_them(row, tmp_path, monkeypatch):
    monkeypatch.setenv("RLD_WEIGHTS", str(tmp_path))
    with pytest.raises(weights_folder.MissingWeights, match=f"fetch_weights {row.weights}"):
        networks.make({"network": row.name}).load()


def test_every_network_is_named_once_and_its_weights_exist():
    names = [row.name for row in NETWORKS]
    assert len(set(names)) == len(names)
    for row in NETWORKS:
        assert not row.weights or weights.find(row.weights)


def test_an_unknown_network_is_answered_with_those_that_exist():
    with pytest.raises(networks.UnknownNetwork, match=r"unknown network 'sam9'; have: .*sam2"):
        networks.find("sam9")


def test_specs_are_found_however_deep_they_lie():
    inner = {"network": "qwen_vl", "weights": "qwen2_5_vl_7b"}
    params = {"detectors": [{"network": "language_locator", "language": inner}], "n": 3}
    assert [spec["network"] for spec in networks.specs_in(params)] == ["language_locator", "qwen_vl"]
