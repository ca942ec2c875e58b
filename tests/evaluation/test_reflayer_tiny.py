import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from engine.composites.generator import compose
from engine.composites.photographs import Photographs
from engine.records import Prompt, PromptKind, RGBALayer
from evaluation import reflayer_tiny, tiny_baselines
from evaluation.composite_prompts import KINDS, prompts_for
from evaluation.reflayer_tiny import Options, Result, add, held_out, main
from evaluation.reflayer_tiny_table import gates, markdown, paired
from evaluation.tiny_scores import BackgroundScore, Score, score
from training.reflayer.tiny.checkpoint import save_training_data


@pytest.fixture(scope="module")
def occluded():
    """A composite with a partly hidden layer, and that layer."""
    photographs = Photographs.from_packages(256)
    for seed in range(50):
        made = compose(seed, 128, photographs)
        for true in made.layers:
            if 0.2 < true.occlusion < 0.5:
                return made, true
    raise AssertionError("no seed below 50 has such a layer")


def test_the_truth_scores_perfectly(occluded):
    found = score(0, "box", "reflayer-tiny", occluded[1], occluded[1].layer)
    assert (found.visible_iou, found.amodal_iou, found.hidden_recall) == (1, 1, 1)
    assert (found.mae, found.visible_colour, found.hidden_colour) == (0, 0, 0)


def test_the_visible_part_alone_misses_what_is_hidden(occluded):
    made, true = occluded
    visible = true.layer.visible_hw
    layer = tiny_baselines.telea_layer(made.source_hwc, visible, visible)
    found = score(0, "mask", "mask", true, layer)
    assert found.visible_iou == 1
    assert found.hidden_recall == 0
    assert found.amodal_iou == pytest.approx(1 - true.occlusion)
    assert found.hidden_colour > found.visible_colour


def test_every_prompt_is_of_the_visible_part(occluded):
    _, true = occluded
    prompts = prompts_for(true, np.random.default_rng(0))
    assert tuple(prompts) == KINDS
    for prompt in prompts.values():
        assert all(true.layer.visible_hw[int(y), int(x)] for x, y in prompt.points)
        assert prompt.box in (None, true.visible_box)
        assert prompt.mask_hw is None or np.array_equal(prompt.mask_hw, true.layer.visible_hw)


def test_each_baseline_answers_the_prompts_it_can_read(occluded):
    made, true = occluded
    prompts = prompts_for(true, np.random.default_rng(0))
    names = {kind: set(tiny_baselines.of_prompt(made.source_hwc, prompt, 1)) for kind, prompt in prompts.items()}
    assert names["point"] == {"grabcut"}
    assert names["box"] == {"grabcut", "box", "cpu"}
    assert names["mask"] == {"grabcut", "mask", "hull", "cpu"}
    assert names["mask_box"] == {"grabcut", "mask", "hull"}
    assert names["box_point"] == {"grabcut", "box"}


def test_grabcut_keeps_to_what_it_was_told(occluded):
    made, true = occluded
    x0, y0, x1, y1 = map(int, true.visible_box)
    for kind, prompt in prompts_for(true, np.random.default_rng(0)).items():
        found = tiny_baselines.grabcut(made.source_hwc, prompt, 0)
        if kind == "box_point":
            outside = found.copy()
            outside[y0:y1, x0:x1] = False
            assert not outside.any()
        assert all(found[int(y), int(x)] for x, y in prompt.points)
    everything = Prompt(PromptKind.MASK, mask_hw=np.ones((128, 128), bool))
    assert tiny_baselines.grabcut(made.source_hwc, everything, 0).all()


def test_the_recipe_answers_a_given_mask_with_that_mask(occluded):
    made, true = occluded
    prompt = Prompt(PromptKind.MASK, mask_hw=true.layer.visible_hw)
    layer = tiny_baselines.Recipe().layer(made.source_hwc, prompt, 0)
    assert np.mean(layer.visible_hw == true.layer.visible_hw) > 0.97


def test_pictures_the_checkpoint_was_trained_on_are_left_out(tmp_path):
    packaged = Photographs.from_packages()
    digest = reflayer_tiny.sha256(packaged.files["coffee"].read_bytes())
    part = {"photographs": {"coffee": digest}, "objects": {}, "families": ["blob", "ring"]}
    save_training_data(tmp_path, [part])
    unseen = held_out(Options(checkpoint=str(tmp_path)))
    assert set(unseen.photographs.names) == set(packaged.names) - {"coffee"}
    assert not {"blob", "ring"} & set(unseen.families)
    assert unseen.families


def result(gain: float) -> Result:
    """Forty composites on which everything ours is better than everything else by ``gain``."""
    theirs = Score(0, "box", "grabcut", 0.3, 0.7, 0.7, 0.03, 0.2, 0.02, 0.1)
    ours = replace(
        theirs,
        method="reflayer-tiny",
        visible_iou=0.7 + gain,
        amodal_iou=0.7 + gain,
        hidden_recall=0.2 + gain,
        mae=0.03 - gain / 20,
        visible_colour=0.02 - gain / 20,
        hidden_colour=0.1 - gain / 20,
    )
    rows = []
    for seed in range(40):
        for kind in ("point", "box", "mask"):
            rows += [replace(row, seed=seed, kind=kind) for row in (ours, theirs)]
        rows.append(replace(theirs, seed=seed, kind="mask", method="mask"))
    backgrounds = [BackgroundScore(0, "masks_given", 0.1 - gain / 4), BackgroundScore(0, "telea", 0.1)]
    return Result(Options(), "composites", rows, backgrounds)


def test_the_gates_hold_when_everything_is_better_and_fail_when_nothing_is():
    assert all(gate.holds for gate in gates(result(0.28)))
    held = {gate.name for gate in gates(result(-0.1)) if gate.holds}
    assert held == set()


def test_a_gain_that_could_be_chance_does_not_hold():
    noisy = result(0.28)
    rng = np.random.default_rng(0)
    noisy.layers = [
        replace(row, amodal_iou=row.amodal_iou + 3 * rng.normal()) if row.method == "reflayer-tiny" else row
        for row in noisy.layers
    ]
    gain = paired(noisy, "box", "grabcut", lambda row: row.amodal_iou)
    assert gain.low < 0 < gain.high
    assert not next(gate for gate in gates(noisy) if gate.name == "box, amodal IoU minus GrabCut").holds


def test_the_table_has_a_line_for_every_method_and_gate():
    text = markdown(result(0.28))
    assert text.count("**reflayer-tiny**") == 5
    assert text.count("holds") == len(gates(result(0.28)))


def test_the_command_measures_the_shipped_checkpoint_without_any_folder(tmp_path, capsys):
    out = tmp_path / "scores.json"
    assert main(["--count", "1", "--json", "--out", str(out)]) == 0
    (measured,) = json.loads(out.read_text())
    assert measured["name"] == "composites"
    assert {row["kind"] for row in measured["layers"]} == set(KINDS)
    assert {row["method"] for row in measured["backgrounds"]} == {"masks_given", "telea", "cpu", "no_prompt", "nothing"}


def test_baselines_measured_before_stand_beside_the_networks_scores(tmp_path):
    one, both = (Result(Options(count=5), "composites") for _ in range(2))
    one.layers = result(0.1).layers
    one.backgrounds = result(0.1).backgrounds
    stored = [{**asdict(one), "name": name} for name in ("composites", "cutouts")]
    add([both], stored)
    assert both.layers == []
    moved = [{**row, "seed": both.options.seed + row["seed"]} for row in stored[0]["layers"]]
    add([both], [{**stored[0], "layers": moved, "backgrounds": []}])
    assert {row.seed - both.options.seed for row in both.layers} == set(range(5))


def test_a_folder_that_is_no_checkpoint_is_wrong_use(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--checkpoint", str(tmp_path)])
    assert "training_data.json" in capsys.readouterr().err


def test_layers_of_the_network_and_of_baselines_are_scored_alike(occluded):
    made, true = occluded
    empty = np.zeros((128, 128), bool)
    nothing = RGBALayer(np.dstack([made.source_hwc, np.zeros((128, 128), np.uint8)]), empty)
    found = score(0, "point", "reflayer-tiny", true, nothing)
    assert found.amodal_iou == found.visible_iou == found.hidden_recall == 0
    assert found.mae == pytest.approx(true.layer.alpha_hw.mean(), rel=1e-5)
