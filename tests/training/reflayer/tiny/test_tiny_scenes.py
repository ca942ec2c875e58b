import json
from shutil import copytree

import numpy as np
import pytest

from engine.composites.photographs import NoPictures, Photographs
from engine.imaging import box_of
from engine.records import PromptKind
from training.reflayer.tiny import scenes
from training.reflayer.tiny.samples import KINDS, Samples, Window, draw_sample, everything, targets
from training.reflayer.tiny.scenes import NoScenes, SceneStore, through
from training.reflayer.tiny.split import TEST_FAMILIES, Sources, part_of, sources


@pytest.fixture
def store(scene_folder):
    return SceneStore(scene_folder)


def test_what_shows_of_an_object_is_what_those_in_front_let_through():
    alphas = np.zeros((2, 4, 4), np.uint8)
    alphas[0, :2], alphas[1, :, :2] = 255, 255
    shows = through(alphas)
    assert shows[0, :2].all()
    assert shows[1, :2].sum() == 0
    assert shows[1, 2:, :2].all()


def test_stored_scenes_come_back_whole_and_by_number(store):
    assert len(store) == 6
    for number in range(6):
        scene = store[number]
        assert scene.source_hwc.shape == (128, 128, 3)
        assert 1 <= len(scene.alphas) <= scenes.OBJECTS
        assert scene.alphas.any(axis=(1, 2)).all()
    with pytest.raises(IndexError):
        store[6]


def test_shards_that_exist_are_kept(scene_folder, tmp_path):
    scene_folder = copytree(scene_folder, tmp_path / "copy")
    before = {path: path.stat().st_mtime_ns for path in scene_folder.glob("*.npy")}
    given = Sources("train", Photographs.from_packages(256), None, ("blob",), {}, {})
    list(scenes.make(scene_folder, given, 6))
    assert {path: path.stat().st_mtime_ns for path in scene_folder.glob("*.npy")} == before
    assert json.loads((scene_folder / "sources.json").read_text())["part"] == "train"


def test_scenes_that_were_seen_elsewhere_are_left_out_and_the_rest_are_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(scenes, "SHARD", 2)
    given = Sources("train", Photographs.from_packages(256), None, ("blob",), {}, {})
    assert list(scenes.make(tmp_path / "all", given, 4)) == [2, 4]
    assert list(scenes.make(tmp_path / "rest", given, 4, skip=2)) == [4]
    all_of_them, rest = SceneStore(tmp_path / "all"), SceneStore(tmp_path / "rest")
    assert len(rest) == 2
    assert all(np.array_equal(rest[n].source_hwc, all_of_them[2 + n].source_hwc) for n in range(2))


@pytest.mark.parametrize("wrong", [["--count", "0"], ["--skip", "7"], ["--skip", "20000"], ["--drawn-share", "1.5"]])
def test_numbers_that_make_no_sense_are_refused(tmp_path, wrong, capsys):
    with pytest.raises(SystemExit):
        scenes.main(["--out", str(tmp_path / "out"), *wrong])
    assert "--" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_without_scenes_says_how_to_make_some(tmp_path):
    with pytest.raises(NoScenes, match=r"training\.reflayer\.tiny\.scenes"):
        SceneStore(tmp_path)


def test_a_sample_is_the_same_whenever_it_is_asked_for(store):
    one, two = (Samples(store, Window(5, first, 100))[index] for first, index in ((0, 7), (4, 3)))
    assert all((one[name] == two[name]).all() for name in one)


def test_every_kind_of_prompt_fits_its_target(store):
    seen = set()
    for number in range(60):
        sample = draw_sample(store, 0, number)
        seen.add(sample.kind)
        prompt, visible = sample.prompt, sample.target.visible
        assert np.all(sample.target.shows <= sample.target.alpha + 1e-6)
        for x, y in prompt.points:
            assert visible[int(y), int(x)]
        if prompt.mask_hw is not None:
            assert np.count_nonzero(prompt.mask_hw & visible) > 0.5 * np.count_nonzero(prompt.mask_hw)
        if prompt.box is not None:
            x0, y0, x1, y1 = box_of(visible)
            assert prompt.box[0] < (x0 + x1) / 2 < prompt.box[2]
            assert prompt.box[1] < (y0 + y1) / 2 < prompt.box[3]
        assert (prompt.kind is PromptKind.BACKGROUND) == (sample.kind == "background")
    assert seen == set(KINDS)


def test_everything_is_the_union_of_all_objects(store):
    scene = store[0]
    whole = everything(scene.alphas).alpha
    assert all((whole >= target.shows - 1e-6).all() for target in targets(scene.alphas))
    assert whole.max() <= 1


def test_parts_share_no_file_and_test_families_are_never_trained_on():
    parts = {}
    for digest in (f"{number:08x}" for number in range(400)):
        parts.setdefault(part_of(digest), set()).add(digest)
    assert {name: len(digests) for name, digests in parts.items()} == {"test": 64, "validation": 24, "train": 312}


def test_the_packages_photographs_are_kept_for_testing_when_a_folder_is_given(tmp_path):
    packaged = Photographs.from_packages()
    for name, path in packaged.files.items():
        (tmp_path / f"{name}{path.suffix}").write_bytes(path.read_bytes() + b"\0")
    held_out = sources("test", tmp_path, None, 128)
    assert len(held_out.photograph_digests) == len(packaged.files)
    assert set(held_out.families) == TEST_FAMILIES
    with pytest.raises(NoPictures):
        sources("train", tmp_path, None, 128)
