import json
from dataclasses import replace

import numpy as np
import pytest

from engine.composites.generator import compose
from engine.composites.photographs import Photographs
from engine.imaging import box_of, box_to_mask, iou
from evaluation.composites import Options, main, measure, score_background, score_layer
from evaluation.composites_table import markdown


@pytest.fixture(scope="module")
def occluded():
    """A composite with a partly hidden layer, and that layer."""
    photographs = Photographs.from_packages(128)
    for seed in range(50):
        made = compose(seed, 96, photographs)
        for true in made.layers:
            if 0.2 < true.occlusion < 0.5:
                return made, true
    raise AssertionError("no seed below 50 has such a layer")


@pytest.fixture(scope="module")
def result():
    return measure(Options(count=2, size=256))


def test_the_truth_scores_perfectly(occluded):
    score = score_layer(0, "engine", occluded[1], occluded[1].layer.rgba_hwc[..., 3])
    assert (score.iou, score.mae, score.hidden_recall) == (1.0, 0.0, 1.0)


def test_the_visible_part_alone_recovers_nothing_hidden(occluded):
    visible = occluded[1].layer.visible_hw.astype(np.uint8) * 255
    score = score_layer(0, "engine", occluded[1], visible)
    assert score.hidden_recall == 0
    assert score.iou == pytest.approx(1 - occluded[1].occlusion)


def test_an_empty_prediction_costs_the_whole_alpha(occluded):
    score = score_layer(0, "engine", occluded[1], np.zeros((96, 96), np.uint8), drop_reason="blurred")
    assert score.iou == 0
    assert score.mae == pytest.approx(occluded[1].layer.alpha_hw.mean())


def test_the_true_background_has_no_hole_error_and_a_missing_one_is_the_source(occluded):
    made, _ = occluded
    assert score_background(made, "engine", made.background_hwc).hole_error == 0
    missing = score_background(made, "engine", None).hole_error
    assert missing == score_background(made, "engine", made.source_hwc).hole_error > 0


def test_every_layer_is_scored_once_by_every_method(result):
    scored = [(score.seed, score.method) for score in result.layers]
    counts = [len(compose(seed, 256, Photographs.from_packages(512)).layers) for seed in range(2)]
    assert [scored.count((seed, method)) for seed in range(2) for method in ("engine", "grabcut", "box")] == [
        count for count in counts for _ in range(3)
    ]


def test_visible_pixels_of_opaque_layers_are_the_source(result):
    assert max(score.visible_error for score in result.layers if score.method == "engine") == 0


@pytest.mark.parametrize("boxes", ["amodal", "visible"])
def test_every_method_is_given_the_same_boxes(boxes):
    options = Options(count=1, size=128, seed=300, boxes=boxes)
    made = compose(options.seed, 128, Photographs.from_packages(256))
    filled = [iou(box_to_mask(box_of(boxed(true, boxes)), 128, 128), true.layer.amodal_hw) for true in made.layers]
    assert [score.iou for score in measure(options).layers if score.method == "box"] == pytest.approx(filled)


def boxed(true, boxes):
    return true.layer.amodal_hw if boxes == "amodal" else true.layer.visible_hw


def test_processes_do_not_change_the_result(result):
    again = measure(replace(result.options, count=1), jobs=2)
    assert again.layers == [score for score in result.layers if score.seed == 0]


def test_the_table_has_a_row_per_band_and_the_stated_counts(result):
    table = markdown(result)
    layers = sum(score.method == "engine" for score in result.layers)
    assert f"{layers} layers" in table
    assert sum(line.startswith("| all |") for line in table.splitlines()) == 1
    assert "recipe `cpu` minus GrabCut alone" in table


def test_the_command_writes_every_score_as_json(tmp_path, capsys):
    out = tmp_path / "scores.json"
    assert main(["--count", "1", "--size", "128", "--json", "--out", str(out)]) == 0
    data = json.loads(out.read_text())
    assert {score["method"] for score in data["layers"]} == {"engine", "grabcut", "box"}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [["--count", "0"], ["--size", "8"], ["--photos", "/nowhere"]])
def test_wrong_use_is_one_clear_line_and_exit_two(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "error:" in capsys.readouterr().err
