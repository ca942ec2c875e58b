import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.records import Prompt, PromptKind
from training.reflayer.tiny.checkpoint import (
    CONFIG,
    INDEX,
    WEIGHTS,
    BrokenCheckpoint,
    NonFiniteWeights,
    save_training_data,
    trained_on,
)
from training.reflayer.tiny.mask_network import MaskNetwork, MaskNetworkConfig
from training.reflayer.tiny.pipeline import RefLayerTinyPipeline


@pytest.fixture
def saved(small_pipeline, tmp_path):
    small_pipeline.save_pretrained(tmp_path)
    return tmp_path


def test_a_saved_pipeline_answers_the_same_when_loaded(small_pipeline, saved, disc):
    prompt = Prompt(PromptKind.POINT, points=((70.0, 60.0),))
    before, after = small_pipeline(disc[0], prompt), RefLayerTinyPipeline.from_pretrained(saved)(disc[0], prompt)
    assert np.array_equal(before.rgba_hwc, after.rgba_hwc)
    assert np.array_equal(before.visible_hw, after.visible_hw)


def test_the_layout_is_that_of_diffusers(saved):
    index = json.loads((saved / INDEX).read_text())
    assert index["_class_name"] == "RefLayerTinyPipeline"
    assert index["mask_network"] == ["training.reflayer.tiny.mask_network", "MaskNetwork"]
    assert {p.name for p in (saved / "mask_network").iterdir()} == {
        "config.json",
        "diffusion_pytorch_model.safetensors",
    }


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_truncated_weights_are_named(saved, share):
    data = (saved / WEIGHTS).read_bytes()
    (saved / WEIGHTS).write_bytes(data[: int(share * len(data))])
    with pytest.raises(BrokenCheckpoint, match="safetensors"):
        RefLayerTinyPipeline.from_pretrained(saved)


def test_another_folder_is_not_taken_for_a_checkpoint(saved, tmp_path_factory):
    with pytest.raises(BrokenCheckpoint, match="not a checkpoint of reflayer-tiny"):
        RefLayerTinyPipeline.from_pretrained(tmp_path_factory.mktemp("empty"))
    (saved / INDEX).write_text('{"_class_name": "RefLayerPipeline"}')
    with pytest.raises(BrokenCheckpoint, match="RefLayerPipeline"):
        RefLayerTinyPipeline.from_pretrained(saved)


def test_a_config_of_another_network_does_not_fit_the_weights(saved):
    config = json.loads((saved / CONFIG).read_text())
    (saved / CONFIG).write_text(json.dumps({**config, "widths": [8, 16, 16, 16]}))
    with pytest.raises(BrokenCheckpoint):
        RefLayerTinyPipeline.from_pretrained(saved)


def test_weights_that_are_not_finite_never_replace_good_ones(small_pipeline, saved):
    good = (saved / WEIGHTS).read_bytes()
    with torch.no_grad():
        small_pipeline.mask_network.head.bias[0] = float("nan")
    with pytest.raises(NonFiniteWeights, match=r"head\.bias"):
        small_pipeline.save_pretrained(saved)
    assert (saved / WEIGHTS).read_bytes() == good
    assert not list(saved.rglob("*.part"))


def test_a_full_disk_leaves_the_good_checkpoint_alone(small_pipeline, saved, monkeypatch):
    before = {path: path.read_bytes() for path in saved.rglob("*") if path.is_file()}
    write = Path.write_bytes

    def full_disk(path, data):
        if path.name.startswith("diffusion_pytorch_model"):
            write(path, data[:50])
            raise OSError("no space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    other = MaskNetwork(MaskNetworkConfig(widths=(8, 8, 8, 8), heads=2, head_width=8))
    with pytest.raises(OSError, match="no space"):
        RefLayerTinyPipeline(other).save_pretrained(saved)
    assert {path: path.read_bytes() for path in saved.rglob("*") if path.is_file()} == before


def test_what_was_trained_on_can_be_read_back(tmp_path):
    part = {"photographs": {"a.jpg": "aa"}, "objects": {"b.png": "bb"}, "families": ["blob"]}
    save_training_data(tmp_path, [part, {**part, "objects": {}, "families": ["ring"]}])
    seen = trained_on(tmp_path)
    assert seen.digests == {"aa", "bb"}
    assert seen.families == {"blob", "ring"}
    with pytest.raises(BrokenCheckpoint):
        trained_on(tmp_path / "elsewhere")
