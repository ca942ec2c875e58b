import numpy as np
import pytest
from PIL import Image

from engine.composites.cutouts import Cutouts, extend_colour
from engine.composites.photographs import NoPictures


def test_pictures_without_transparency_are_no_cutouts(object_folder):
    assert Cutouts.from_folder(object_folder).names == ["disc.png", "haze.png"]


def test_a_cutout_is_cropped_to_its_object(object_folder):
    height, width = Cutouts.from_folder(object_folder)["disc.png"].shape[:2]
    assert 62 <= height <= 66
    assert 62 <= width <= 66


def test_the_border_of_a_cutout_is_transparent(object_folder):
    alpha = Cutouts.from_folder(object_folder)["disc.png"][..., 3]
    assert not alpha[[0, -1]].any()
    assert not alpha[:, [0, -1]].any()


def test_colour_under_alpha_zero_is_the_nearest_colour(object_folder):
    rgba = Cutouts.from_folder(object_folder)["disc.png"]
    assert np.array_equal(np.unique(rgba[..., :3].reshape(-1, 3), axis=0), [[200, 40, 30]])


def test_a_resized_cutout_has_no_dark_fringe(object_folder):
    rgba = Cutouts.from_folder(object_folder, longest_px=24)["disc.png"]
    assert np.abs(rgba[..., :3].astype(int) - [200, 40, 30]).max() <= 1


def test_extending_changes_neither_alpha_nor_opaque_colour():
    rgba = np.random.default_rng(0).integers(0, 256, (9, 9, 4), np.uint8)
    out = extend_colour(rgba)
    assert np.array_equal(out[..., 3], rgba[..., 3])
    opaque = rgba[..., 3] >= 16
    assert np.array_equal(out[opaque], rgba[opaque])


def test_a_folder_of_opaque_pictures_is_refused(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(NoPictures, match="transparency"):
        Cutouts.from_folder(tmp_path)
