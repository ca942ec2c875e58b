from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.imaging import encode_png, sha256
from engine.records import LayerKind, Prompt, PromptKind
from training import manifest
from training.manifest import BadManifest, FileEntry, Row, SourceEntry
from training.reflayer.examples import CompositeExamples, Example, ManifestExamples
from training.reflayer.tensors import resized_prompt, to_tensors


def _file(folder: Path, kind: str, picture: np.ndarray) -> FileEntry:
    data = encode_png(picture)
    path = f"{kind}/{sha256(data)}.png"
    (folder / kind).mkdir(exist_ok=True)
    (folder / path).write_bytes(data)
    return FileEntry(path, sha256(data))


def frozen(folder: Path, splits: tuple[str, ...] = ("train", "train", "validation")) -> list[Example]:
    """A dataset of composites; returns what was written."""
    examples = CompositeExamples(len(splits), 5, 64)
    rows = []
    for number, split in enumerate(splits):
        example = examples[number]
        source = _file(folder, "images", example.source_hwc)
        rows.append(
            Row(
                id=f"layer-{number}",
                split=split,
                group=f"{split}-picture",
                kind=LayerKind.FOREGROUND,
                label="thing",
                source=SourceEntry(source.path, source.sha256, 64, 64),
                layer=_file(folder, "layers", example.rgba_hwc),
                visible=_file(folder, "visible", example.visible_hw),
                prompts=(example.prompt, Prompt(PromptKind.TEXT, text="a thing")),
            )
        )
    manifest.write(folder, "small", rows)
    return [examples[number] for number in range(len(splits))]


def test_a_dataset_gives_every_layer_with_every_prompt(tmp_path: Path) -> None:
    written = frozen(tmp_path)
    examples = ManifestExamples(tmp_path, "train")
    assert len(examples) == 4
    assert len({examples.key(index) for index in range(4)}) == 4
    assert np.array_equal(examples[2].source_hwc, written[1].source_hwc)
    assert np.array_equal(examples[2].rgba_hwc, written[1].rgba_hwc)
    assert np.array_equal(examples[2].visible_hw, written[1].visible_hw)
    assert examples[2].prompt.kind is written[1].prompt.kind
    assert examples[3].prompt.text == "a thing"
    assert examples.size(0) == (64, 64)


def test_splits_do_not_meet(tmp_path: Path) -> None:
    frozen(tmp_path)
    train, held_out = (ManifestExamples(tmp_path, split) for split in ("train", "validation"))
    assert not {train.key(i) for i in range(len(train))} & {held_out.key(i) for i in range(len(held_out))}


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    frozen(tmp_path)
    with pytest.raises(BadManifest, match="no rows in split 'test'"):
        ManifestExamples(tmp_path, "test")


def test_composites_are_the_same_whenever_they_are_read() -> None:
    first, second = CompositeExamples(8, 3, 64), CompositeExamples(8, 3, 64)
    for index in (5, 0, 4):
        assert np.array_equal(first[index].source_hwc, second[index].source_hwc)
        assert np.array_equal(first[index].rgba_hwc, second[index].rgba_hwc)
        assert first[index].prompt.kind is second[index].prompt.kind


def test_where_an_opaque_layer_is_visible_it_gives_most_of_the_pictures_colour() -> None:
    examples = CompositeExamples(12, 3, 64)
    for index in range(12):
        example = examples[index]
        front = example.visible_hw & (example.rgba_hwc[..., 3] == 255)
        difference = example.rgba_hwc[front][:, :3].astype(int) - example.source_hwc[front]
        assert np.abs(difference).max(initial=0) <= 128


def test_all_kinds_of_prompt_come() -> None:
    examples = CompositeExamples(80, 3, 64)
    assert {examples[index].prompt.kind for index in range(80)} == set(PromptKind)


def test_past_the_end_there_is_nothing() -> None:
    with pytest.raises(IndexError):
        CompositeExamples(2, 0, 64)[2]


def test_tensors_have_the_stated_ranges() -> None:
    tensors = to_tensors(CompositeExamples(1, 1, 64)[0], 48, 32)
    assert {key: tuple(t.shape) for key, t in tensors.items()} == {
        "source": (3, 32, 48), "canvas": (3, 32, 48), "rgb": (3, 32, 48), "alpha": (1, 32, 48), "visible": (1, 32, 48),
    }  # fmt: skip
    for key in ("source", "canvas", "rgb"):
        assert float(tensors[key].min()) >= -1
        assert float(tensors[key].max()) <= 1
    assert set(tensors["visible"].unique().tolist()) <= {0.0, 1.0}
    assert 0 <= float(tensors["alpha"].min()) <= float(tensors["alpha"].max()) <= 1


def test_a_prompt_moves_with_its_picture() -> None:
    mask = np.zeros((40, 80), bool)
    mask[10:20, 20:40] = True
    prompt = Prompt(PromptKind.HYBRID, points=((20.0, 10.0),), box=(8.0, 4.0, 40.0, 20.0), mask_hw=mask)
    moved = resized_prompt(prompt, (80, 40), (40, 40))
    assert moved.points == ((10.0, 10.0),)
    assert moved.box == (4.0, 4.0, 20.0, 20.0)
    assert np.argwhere(moved.mask_hw).min(axis=0).tolist() == [10, 10]
    assert np.argwhere(moved.mask_hw).max(axis=0).tolist() == [19, 19]


def test_a_mask_of_one_pixel_survives_shrinking() -> None:
    mask = np.zeros((512, 512), bool)
    mask[100, 300] = True
    moved = resized_prompt(Prompt(PromptKind.MASK, mask_hw=mask), (512, 512), (64, 64))
    assert np.argwhere(moved.mask_hw).tolist() == [[12, 37]]


def test_drawn_and_empty_canvases_differ() -> None:
    base = CompositeExamples(1, 1, 64)[0]
    with_box = Example("a", base.source_hwc, base.rgba_hwc, base.visible_hw, Prompt(PromptKind.BOX, box=(4, 4, 20, 20)))
    without = Example("b", base.source_hwc, base.rgba_hwc, base.visible_hw, Prompt(PromptKind.TEXT, text="thing"))
    drawn, blue = to_tensors(with_box, 64, 64)["canvas"], to_tensors(without, 64, 64)["canvas"]
    assert torch.equal(blue[:, 0, 0], torch.tensor([-1.0, -1.0, 1.0]))
    assert torch.equal(drawn[:, 10, 10], torch.tensor([-1.0, 1.0, -1.0]))
