from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.training.reflayer import small
from training.reflayer.card import Card
from training.reflayer.checkpoint import BrokenCheckpoint, quietly, save_pipeline
from training.reflayer.loading import load_base, load_pipeline
from training.reflayer.run_state import NonFiniteWeights
from training.reflayer.scratch import scratch_sd3

CARD = Card("test", "nothing", "", "", {}, "")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good") / "checkpoint"
    save_pipeline(small.pipeline(), folder, CARD)
    return folder


@pytest.fixture
def copied(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "checkpoint"))


def test_a_folder_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(BrokenCheckpoint, match="is no checkpoint"):
            load_pipeline(folder)


@pytest.mark.parametrize("index", ["{", "[]", '{"transformer": []}'])
def test_a_broken_index_is_refused(copied: Path, index: str) -> None:
    (copied / "model_index.json").write_text(index)
    with pytest.raises(BrokenCheckpoint):
        load_pipeline(copied)


def test_a_checkpoint_of_another_pipeline_is_named(tmp_path: Path, good: Path) -> None:
    with quietly():
        scratch_sd3(small.SCRATCH, 0).save_pretrained(tmp_path)
    with pytest.raises(BrokenCheckpoint, match="holds a StableDiffusion3Pipeline"):
        load_pipeline(tmp_path)
    with pytest.raises(BrokenCheckpoint, match="holds a RefLayerPipeline"):
        load_base(good)


@pytest.mark.parametrize("part", ["transformer", "vae", "text_encoder", "alpha_decoder"])
@pytest.mark.parametrize("kept", [0.5, 0.999, 0.0])
def test_weights_cut_short_are_refused_by_file_name(copied: Path, part: str, kept: float) -> None:
    weights = next((copied / part).glob("*.safetensors"))
    data = weights.read_bytes()
    weights.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(BrokenCheckpoint, match=weights.name):
        load_pipeline(copied)


@pytest.mark.parametrize("part", ["transformer", "alpha_decoder", "injector"])
def test_a_missing_tensor_is_not_made_up(copied: Path, part: str) -> None:
    weights = next((copied / part).glob("*.safetensors"))
    tensors = load_file(weights)
    tensors.pop(sorted(tensors)[0])
    save_file({"stray": torch.zeros(1), **tensors}, weights)
    with pytest.raises(BrokenCheckpoint, match="lacks"):
        load_pipeline(copied)


def test_a_missing_part_is_refused(copied: Path) -> None:
    shutil.rmtree(copied / "injector")
    with pytest.raises(BrokenCheckpoint):
        load_pipeline(copied)


def test_numbers_that_are_not_finite_are_refused(copied: Path) -> None:
    weights = next((copied / "alpha_decoder").glob("*.safetensors"))
    tensors = load_file(weights)
    tensors["decoder.conv_in.bias"][0] = float("inf")
    save_file(tensors, weights)
    with pytest.raises(BrokenCheckpoint, match="not finite"):
        load_pipeline(copied)


def test_a_pickled_file_is_never_read(copied: Path) -> None:
    weights = next((copied / "transformer").glob("*.safetensors"))
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(BrokenCheckpoint):
        load_pipeline(copied)


def test_saving_replaces_a_checkpoint_as_a_whole(copied: Path) -> None:
    (copied / "stray.txt").write_text("old")
    save_pipeline(small.pipeline(seed=7), copied, CARD)
    assert not (copied / "stray.txt").exists()
    assert [path.name for path in copied.parent.iterdir()] == ["checkpoint"]
    expected = small.pipeline(seed=7).transformer.proj_out.weight
    assert torch.equal(load_pipeline(copied).transformer.proj_out.weight, expected)


def test_weights_of_nan_leave_the_good_checkpoint_alone(copied: Path) -> None:
    before = small.weights(copied)
    sick = small.pipeline()
    with torch.no_grad():
        sick.alpha_decoder.decoder.conv_in.bias[0] = float("nan")
    with pytest.raises(NonFiniteWeights, match=r"alpha_decoder\.decoder\.conv_in\.bias"):
        save_pipeline(sick, copied, CARD)
    after = small.weights(copied)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_an_interrupted_save_leaves_the_good_checkpoint_alone(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = small.weights(copied)
    pipeline = small.pipeline(seed=2)

    def full_disk(*args: object, **options: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(pipeline.vae, "save_pretrained", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_pipeline(pipeline, copied, CARD)
    after = small.weights(copied)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert [path.name for path in copied.parent.iterdir()] == ["checkpoint"]


def test_the_index_names_our_classes(good: Path) -> None:
    index = json.loads((good / "model_index.json").read_text())
    assert index["injector"] == ["training.reflayer.injector", "RefLayerInjector"]
    assert index["alpha_decoder"] == ["training.reflayer.alpha_decoder", "AlphaDecoder"]
    assert index["transformer"] == ["diffusers", "SD3Transformer2DModel"]
