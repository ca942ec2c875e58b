import json
import os

import numpy as np
import pytest
from PIL import Image

from evaluation.folders import BadFolder, pair_up
from evaluation.metrics.pairs import BadPair
from tests.evaluation.pairs import composite_pairs


@pytest.fixture
def folders(tmp_path):
    """Predictions equal to the truth, for the pairs of two composites."""
    return write_folders(tmp_path, composite_pairs(2))


def write_folders(place, pairs):
    truth, predicted = place / "truth", place / "pred"
    truth.mkdir()
    predicted.mkdir()
    for pair in pairs:
        Image.fromarray(pair.predicted_hwc).save(predicted / f"{pair.name}.png")
        Image.fromarray(pair.truth_hwc).save(truth / f"{pair.name}.png")
        Image.fromarray(pair.visible_hw.astype(np.uint8) * 255).save(truth / f"{pair.name}.visible.png")
        Image.fromarray(pair.background_hwc).save(truth / f"{pair.name}.background.png")
    facts = {pair.name: {**pair.facts, "photo": pair.photo} for pair in pairs}
    (truth / "samples.json").write_text(json.dumps(facts))
    return predicted, truth


def test_pairs_come_sorted_and_as_they_were_written(folders):
    found = pair_up(*folders)
    pairs = sorted(composite_pairs(2), key=lambda pair: pair.name)
    assert len(found) == len(pairs)
    for read, written in zip(found, pairs, strict=True):
        assert (read.name, read.photo, read.facts) == (written.name, written.photo, written.facts)
        assert np.array_equal(read.truth_hwc, written.truth_hwc)
        assert np.array_equal(read.visible_hw, written.visible_hw)
        assert np.array_equal(read.background_hwc, written.background_hwc)


def test_backgrounds_and_facts_are_optional(folders):
    for path in (*folders[1].glob("*.background.png"), folders[1] / "samples.json"):
        path.unlink()
    first = next(iter(pair_up(*folders)))
    assert (first.background_hwc, first.photo, dict(first.facts)) == (None, "", {})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda predicted, truth: (truth / "00500-0.png").unlink(), "missing_truth"),
        (lambda predicted, truth: (predicted / "00500-0.png").unlink(), "missing_prediction"),
        (lambda predicted, truth: (truth / "00500-0.visible.png").unlink(), "missing_visible"),
        (lambda predicted, truth: (truth / "samples.json").write_text("{"), "bad_samples"),
        (lambda predicted, truth: (truth / "samples.json").write_text("[1]"), "bad_samples"),
        (lambda predicted, truth: (truth / "samples.json").write_text('{"nobody": {}}'), "bad_samples"),
        (lambda predicted, truth: (truth / "samples.json").write_text('{"00500-0": {"kind": "sky"}}'), "bad_samples"),
        (lambda predicted, truth: (truth / "samples.json").write_text('{"00500-0": {"photo": 3}}'), "bad_samples"),
        (lambda predicted, truth: [path.unlink() for path in truth.glob("*.png")], "no_pairs"),
    ],
)
def test_folders_that_do_not_pair_are_refused(folders, change, code):
    change(*folders)
    with pytest.raises(BadFolder) as refused:
        pair_up(*folders)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda path: path.write_bytes(b"no picture"), "not_an_image"),
        (lambda path: os.truncate(path, 200), "not_an_image"),
        (lambda path: Image.new("RGB", (96, 96)).save(path), "wrong_mode"),
        (lambda path: Image.fromarray(np.zeros((96, 96), np.uint16)).save(path), "wrong_mode"),
    ],
)
def test_files_that_are_no_layers_are_refused(folders, change, code):
    change(folders[0] / "00500-0.png")
    with pytest.raises(BadFolder, match="00500-0") as refused:
        list(pair_up(*folders))
    assert refused.value.code == code


def test_a_layer_of_another_size_is_refused(folders):
    Image.new("RGBA", (90, 96)).save(folders[0] / "00500-0.png")
    with pytest.raises(BadPair, match="96 x 96 px, the prediction 90 x 96") as refused:
        list(pair_up(*folders))
    assert refused.value.code == "size_mismatch"


def test_a_missing_prediction_may_count_as_an_empty_layer(folders):
    (folders[0] / "00500-0.png").unlink()
    found = pair_up(*folders, missing_is_empty=True)
    assert found.empty == {"00500-0"}
    assert not next(iter(found)).predicted_hwc.any()


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadFolder) as refused:
        pair_up(tmp_path, tmp_path / "nowhere")
    assert refused.value.code == "no_such_folder"
