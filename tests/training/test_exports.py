"""Every format: what other tools read in it, and that nothing is lost on the way back."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage

from engine.imaging import decode_png, flatten
from engine.models import Layer, LayerStatus, Project
from engine.refusals import Refusal
from tests.factories import make_project
from tests.training.frozen import make_stack
from training import manifest
from training.exports.formats import FORMATS, reader_for, recognise
from training.models import Snapshot
from training.rules import Rules
from training.services.dataset_import import ImportCount, import_dataset
from training.services.exports import export_here
from training.services.freezing import freeze_snapshot

EXACT = [name for name in FORMATS if name != "psd"]
"""Formats that hold the frozen bytes; a PSD holds pixels, which are encoded again."""


@pytest.fixture
def snapshot(project: Project, bob: Any) -> Snapshot:
    for number in range(5):
        make_stack(project, number, (bob,), licence="CC0")
    return freeze_snapshot(project=project, name="five", rules=Rules(validation=0.2, test=0.2))


@pytest.fixture
def export(snapshot: Snapshot, tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, folder: str = "out", part_rows: int = 3) -> Path:
        for _ in export_here(snapshot=snapshot, format=name, out=tmp_path / folder, part_rows=part_rows):
            pass
        return tmp_path / folder

    return write


def lines_of(snapshot: Snapshot) -> list[dict[str, Any]]:
    with default_storage.open(snapshot.manifest.name) as file:
        return [json.loads(line) for line in file.read().splitlines()]


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_read_back_is_what_was_frozen(name: str, snapshot: Snapshot, export: Callable[..., Path]) -> None:
    folder = export(name)
    assert recognise(folder) == name
    samples = {sample.row["id"]: sample for sample in reader_for(name)(folder)}
    rows = lines_of(snapshot)
    assert {row["id"]: row for row in rows} == {key: sample.row for key, sample in samples.items()}
    for row in rows:
        sample = samples[row["id"]]
        for kind, data in (("source", sample.source), ("layer", sample.layer), ("visible", sample.visible)):
            assert hashlib.sha256(data).hexdigest() == row[kind]["sha256"]


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_is_the_same_to_the_byte_and_carries_its_manifest(name: str, export: Callable[..., Path]) -> None:
    first = digests(export(name, "one"))
    assert digests(export(name, "two")) == first
    assert {"manifest.json", "manifest.jsonl"} <= first.keys()
    assert not any(file.startswith(".") for file in first)


@pytest.mark.parametrize("name", EXACT)
def test_a_flipped_byte_is_found_on_the_way_back(name: str, snapshot: Snapshot, export: Callable[..., Path]) -> None:
    folder = export(name)
    layer = Layer.objects.filter(kind="foreground").first().rgba.open("rb").read()
    core = layer[40:-20]
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if core in data:
            spot = data.index(core) + len(core) // 2
            path.write_bytes(data[:spot] + bytes([data[spot] ^ 1]) + data[spot + 1 :])
    with pytest.raises((manifest.BadManifest, OSError)):
        list(reader_for(name)(folder))


@pytest.mark.parametrize("name", FORMATS)
def test_importing_an_export_gives_the_same_layers_and_prompts(
    name: str, snapshot: Snapshot, export: Callable[..., Path]
) -> None:
    folder = export(name)
    other = make_project("Elsewhere")
    for _ in range(2):
        count = ImportCount()
        list(import_dataset(project=other, folder=folder, count=count, is_accepted=True))
    assert (count.layers, count.present) == (0, 15)
    again = freeze_snapshot(project=other, name="again", rules=Rules())
    facts = ("kind", "label", "depth", "source", "layer", "visible", "prompts")

    def told(rows: list[dict[str, Any]]) -> list[str]:
        return sorted(json.dumps([row[fact] for fact in facts], sort_keys=True) for row in rows)

    assert told(lines_of(again)) == told(lines_of(snapshot))
    assert {row["origin"]["licence"] for row in lines_of(again)} == {"CC0"}


def test_imported_layers_wait_for_people_unless_the_dataset_is_trusted(export: Callable[..., Path]) -> None:
    other = make_project("Elsewhere")
    list(import_dataset(project=other, folder=export("folder"), count=ImportCount()))
    assert set(Layer.objects.filter(project=other).values_list("status", flat=True)) == {LayerStatus.READY}


def test_a_folder_of_something_else_is_refused(project: Project, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as told:
        list(import_dataset(project=project, folder=tmp_path, count=ImportCount()))
    assert told.value.code == "no_manifest"


def test_webdataset_reads_the_shards(snapshot: Snapshot, export: Callable[..., Path]) -> None:
    import webdataset

    shards = [str(path) for path in export("webdataset").glob("*.tar")]
    assert len(shards) == 5
    samples = list(webdataset.WebDataset(shards, shardshuffle=False).decode("pilrgba"))
    assert {sample["__key__"] for sample in samples} == {row["id"] for row in lines_of(snapshot)}
    assert {sample["layer.png"].mode for sample in samples} == {"RGBA"}
    assert samples[0]["json"]["id"] == samples[0]["__key__"]


def test_datasets_loads_the_parquet_files(
    snapshot: Snapshot, export: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    import datasets

    found = datasets.load_dataset(str(export("parquet")), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in found.items()} == snapshot.splits
    assert isinstance(found["train"].features["layer"], datasets.Image)
    row = found["train"][0]
    want = Layer.objects.get(pk=json.loads(row["row"])["origin"]["layer"])
    assert (np.asarray(row["layer"]) == decode_png(want.rgba.open("rb").read())).all()
    assert row["source"].size == (48, 36)


def test_the_dataset_card_states_rules_and_digests(snapshot: Snapshot, export: Callable[..., Path]) -> None:
    card = (export("parquet") / "README.md").read_text()
    assert snapshot.merkle_root in card
    assert "| validation | `0.2` |" in card


def test_pycocotools_loads_the_annotations(snapshot: Snapshot, export: Callable[..., Path]) -> None:
    from pycocotools.coco import COCO

    folder = export("coco")
    seen: list[int] = []
    for split, rows in snapshot.splits.items():
        coco = COCO(str(folder / f"annotations/instances_{split}.json"))
        assert len(coco.anns) == rows
        seen += coco.anns
        for entry in coco.anns.values():
            alpha = decode_png((folder / entry["layer_file"]).read_bytes())[..., 3]
            assert (coco.annToMask(entry).astype(bool) == (alpha > 127)).all()
            assert (folder / "images" / coco.imgs[entry["image_id"]]["file_name"]).is_file()
            assert coco.cats[entry["category_id"]]["name"] == entry["row"]["label"]
    assert sorted(seen) == list(range(1, 16))


def test_a_psd_opens_in_psd_tools_and_equals_the_composite(snapshot: Snapshot, export: Callable[..., Path]) -> None:
    from psd_tools import PSDImage
    from psd_tools.composite import composite

    rows = lines_of(snapshot)
    documents = sorted(export("psd").glob("*/*.psd"))
    assert len(documents) == 5
    for path in documents:
        stack = [row for row in rows if row["stack"] == path.stem]
        layers = [decode_png(Layer.objects.get(pk=row["origin"]["layer"]).rgba.open("rb").read()) for row in stack]
        psd = PSDImage.open(path)
        *shown, hidden = list(psd)
        assert [layer.name for layer in reversed(shown)] == [row["label"] for row in stack]
        assert not hidden.visible
        for layer, want in zip(reversed(shown), layers, strict=True):
            assert (np.asarray(layer.topil()) == want).all()
        want = flatten(layers)
        assert (np.asarray(psd.topil())[..., :3] == want).all()
        colour, _, _ = composite(psd, force=True)
        assert np.abs(colour * 255 - want).max() <= 0.5001


def test_an_openraster_file_keeps_to_the_specification(snapshot: Snapshot, export: Callable[..., Path]) -> None:
    rows = lines_of(snapshot)
    for path in export("ora").glob("*/*.ora"):
        stack = [row for row in rows if row["stack"] == path.stem]
        with zipfile.ZipFile(path) as archive:
            assert archive.infolist()[0].filename == "mimetype"
            assert archive.read("mimetype") == b"image/openraster"
            layers = [decode_png(archive.read(f"data/{number:03d}.png")) for number in range(len(stack))]
            assert (decode_png(archive.read("mergedimage.png")) == flatten(layers)).all()
            assert archive.read("stack.xml").count(b"<layer") == len(stack) + 1


def test_triplets_have_one_line_a_prompt(snapshot: Snapshot, export: Callable[..., Path]) -> None:
    folder = export("triplets")
    lines = [json.loads(line) for path in folder.glob("*-*.jsonl") for line in path.read_text().splitlines()]
    assert len(lines) == sum(len(row["prompts"]) for row in lines_of(snapshot))
    for line in lines:
        assert decode_png((folder / line["canvas"]).read_bytes()).shape == (36, 48, 3)
        assert (folder / line["image"]).is_file()
    assert "the bäll ☃" in {line["text"] for line in lines}


def test_the_dataset_folder_is_what_training_reads(snapshot: Snapshot, export: Callable[..., Path]) -> None:
    from training.reflayer.examples import ManifestExamples

    folder = export("folder")
    assert len(list(manifest.verify(folder))) == 5 + 15 + len({row["visible"]["sha256"] for row in lines_of(snapshot)})
    header, rows = manifest.read(folder)
    assert header.merkle_root == snapshot.merkle_root
    examples = ManifestExamples(folder, "train")
    assert len(examples) == sum(len(row.prompts) for row in rows if row.split == "train")
    assert examples[0].rgba_hwc.shape == (36, 48, 4)


def test_a_deleted_picture_is_left_out_and_said(snapshot: Snapshot, export: Callable[..., Path]) -> None:
    gone = Layer.objects.select_related("image").first().image
    lost = {row["id"] for row in lines_of(snapshot) if row["origin"]["image"] == str(gone.pk)}
    gone.delete()
    folder = export("folder")
    assert manifest.tombstones(folder) == lost
    _, rows = manifest.read(folder)
    assert len(rows) == 12
    assert list(manifest.verify(folder))


def test_a_missing_file_stops_an_export_with_its_name(snapshot: Snapshot, export: Callable[..., Path]) -> None:
    layer = Layer.objects.first()
    default_storage.delete(layer.rgba.name)
    with pytest.raises(Refusal) as told:
        export("webdataset")
    assert told.value.code == "missing_file"
    assert layer.sha256 in str(told.value)


def test_a_folder_with_other_content_is_left_alone(export: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(Refusal) as told:
        export("folder")
    assert told.value.code == "other_content"
    assert digests(tmp_path / "out").keys() == {"mine.txt"}


def test_a_tar_of_something_else_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "train-00000.tar", "w") as archive:
        for kind in ("json", "layer.png", "source.png", "visible.png"):
            info = tarfile.TarInfo(f"a.{kind}")
            info.size = 2
            archive.addfile(info, io.BytesIO(b"{}"))
    with pytest.raises(manifest.BadManifest) as told:
        list(reader_for("webdataset")(tmp_path))
    assert told.value.code == "bad_manifest"
