from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.imaging import encode_png, sha256
from engine.records import LayerKind, Prompt, PromptKind
from training import manifest
from training.manifest import BadManifest, FileEntry, Row, SourceEntry


def _stored(folder: Path, kind: str, data: bytes) -> FileEntry:
    entry = FileEntry(f"{kind}/{sha256(data)}.png", sha256(data))
    (folder / kind).mkdir(exist_ok=True)
    (folder / entry.path).write_bytes(data)
    return entry


def _row(folder: Path, name: str, split: str = "train", group: str = "", shade: int = 0) -> Row:
    picture = np.full((4, 6, 4), shade, np.uint8)
    source = _stored(folder, "images", encode_png(picture[..., :3]))
    mask = np.zeros((4, 6), bool)
    mask[1, 2:5] = True
    return Row(
        id=name,
        split=split,
        group=group or name,
        kind=LayerKind.FOREGROUND,
        label="Tasse ☕",
        source=SourceEntry(source.path, source.sha256, 6, 4),
        layer=_stored(folder, "layers", encode_png(picture)),
        visible=_stored(folder, "visible", encode_png(mask)),
        prompts=(
            Prompt(PromptKind.HYBRID, points=((1.5, 2.0),), text="cup"),
            Prompt(PromptKind.MASK, mask_hw=mask, is_ambiguous=True),
            Prompt(PromptKind.BOX, box=(0.0, 1.0, 2.5, 3.0)),
        ),
        origin={"accepted_by": ["bob", "carol"]},
    )


def _written(folder: Path) -> list[Row]:
    rows = [_row(folder, "b", "validation", shade=9), _row(folder, "a"), _row(folder, "c", shade=3)]
    manifest.write(folder, "cups", rows, created_at="2026-11-22T10:00:00Z", code_revision="abc")
    return rows


def _codes_of(folder: Path) -> str:
    with pytest.raises(BadManifest) as caught:
        list(manifest.verify(folder))
    return caught.value.code


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    written = {row.id: row for row in _written(tmp_path)}
    header, rows = manifest.read(tmp_path)
    assert [row.id for row in rows] == ["a", "b", "c"]
    assert header.splits == {"train": 2, "validation": 1}
    for row in rows:
        assert row.to_json() == written[row.id].to_json()
    assert np.array_equal(rows[0].prompts[1].mask_hw, written["a"].prompts[1].mask_hw)


def test_the_digest_names_the_data_and_not_the_day_or_the_order(tmp_path: Path) -> None:
    rows = _written(tmp_path)
    first, _ = manifest.read(tmp_path)
    later = manifest.write(tmp_path, "cups", rows[::-1], created_at="2027-01-01T00:00:00Z")
    other = manifest.write(tmp_path, "cups", [replace(rows[0], label="mug"), *rows[1:]])
    assert later.digest == first.digest != other.digest
    assert first.digest == sha256((tmp_path / "manifest.jsonl").read_bytes()) or later.digest == first.digest


def test_verifying_visits_every_file_once(tmp_path: Path) -> None:
    rows = _written(tmp_path)
    files = [entry.path for entry in manifest.verify(tmp_path)]
    assert len(files) == len(set(files))
    assert set(files) == {entry.path for row in rows for entry in row.files}


def test_a_changed_picture_is_found(tmp_path: Path) -> None:
    rows = _written(tmp_path)
    (tmp_path / rows[0].layer.path).write_bytes(b"other")
    assert _codes_of(tmp_path) == "digest_mismatch"


def test_a_lost_picture_is_found(tmp_path: Path) -> None:
    rows = _written(tmp_path)
    (tmp_path / rows[0].visible.path).unlink()
    assert _codes_of(tmp_path) == "missing_file"


def test_a_changed_row_is_found_without_opening_pictures(tmp_path: Path) -> None:
    _written(tmp_path)
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"cup"', b'"cub"'))
    with pytest.raises(BadManifest, match="not what the header was written for"):
        manifest.read(tmp_path)


def test_a_picture_in_two_splits_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    rows = [_row(tmp_path, "a", "train", group="photo"), _row(tmp_path, "b", "test", group="photo")]
    with pytest.raises(BadManifest, match="photo is in train and in test"):
        manifest.write(tmp_path, "leak", rows)
    assert not (tmp_path / "manifest.json").exists()


def test_an_id_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadManifest, match="more than once"):
        manifest.write(tmp_path, "twice", [_row(tmp_path, "a"), _row(tmp_path, "a")])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), "../a"),
        (("split",), "dev"),
        (("kind",), "middle"),
        (("prompts",), []),
        (("source", "path"), "../../secret"),
        (("layer", "path"), "/secret"),
        (("layer", "sha256"), "12"),
        (("source", "width"), None),
        (("prompts", 0, "kind"), "song"),
    ],
)
def test_rows_that_make_no_sense_are_refused(tmp_path: Path, path: tuple, value: object) -> None:
    data = json.loads(json.dumps(_row(tmp_path, "a").to_json()))
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(BadManifest) as caught:
        manifest.row_from_json(data)
    assert caught.value.code == "bad_manifest"


@pytest.mark.parametrize(
    ("header", "code"),
    [(None, "no_manifest"), ("{", "bad_manifest"), ('{"format": "coco"}', "bad_manifest"),
     ('{"format": "rld-dataset", "version": 2}', "bad_manifest"), ("[]", "bad_manifest")],
)  # fmt: skip
def test_folders_that_are_no_dataset_are_refused(tmp_path: Path, header: str | None, code: str) -> None:
    (tmp_path / "manifest.jsonl").write_text("")
    if header is not None:
        (tmp_path / "manifest.json").write_text(header)
    assert _codes_of(tmp_path) == code


@pytest.mark.parametrize("at_once", [1, 3, 7])
def test_rows_added_together_sum_up_as_one_by_one(at_once: int) -> None:
    rows = [{"id": f"{number:03}", "group": f"g{number % 2}", "split": "train"} for number in range(7)]
    lines = [manifest.canonical(row) for row in rows]
    single, many = manifest.RowSum("x", {}, "r"), manifest.RowSum("x", {}, "r")
    leaves = [single.add(row, line) for row, line in zip(rows, lines, strict=True)]
    found = []
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        columns = ([row[name] for row in some] for name in ("id", "group", "split"))
        found += many.add_all(*columns, lines[start : start + at_once])
    assert (found, many.header()) == (leaves, single.header())


@pytest.mark.parametrize(
    ("ids", "splits", "code"),
    [
        ("aa", ("train", "train"), "bad_manifest"),
        ("ba", ("train", "train"), "bad_manifest"),
        ("ab", ("train", "test"), "split_leak"),
    ],
)
def test_rows_added_together_are_checked(ids: str, splits: tuple[str, str], code: str) -> None:
    with pytest.raises(BadManifest) as told:
        manifest.RowSum("x", {}, "r").add_all(list(ids), ["g", "g"], splits, [b"{}", b"{}"])
    assert told.value.code == code
