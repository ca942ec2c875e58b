import numpy as np
import pytest
from PIL import Image

from engine.composites.photographs import NoPictures, Photographs


def test_a_folder_gives_its_pictures_by_relative_name(photo_folder):
    assert Photographs.from_folder(photo_folder).names == ["a.jpg", "b.png", "more/c.webp"]


def test_pictures_are_rgb_and_no_longer_than_asked(photo_folder):
    picture = Photographs.from_folder(photo_folder, longest_px=256)["b.png"]
    assert picture.shape == (256, 146, 3)
    assert picture.dtype == np.uint8


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "turned.jpg", exif=exif)
    assert Photographs.from_folder(tmp_path)["turned.jpg"].shape == (40, 20, 3)


def test_a_selection_leaves_the_others_out(photo_folder):
    assert Photographs.from_folder(photo_folder).only({"a.jpg", "unknown"}).names == ["a.jpg"]


def test_a_selection_of_nothing_is_refused(photo_folder):
    with pytest.raises(NoPictures):
        Photographs.from_folder(photo_folder).only(set())


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(NoPictures, match="no pictures in"):
        Photographs.from_folder(tmp_path)


def test_the_installed_packages_give_nine_photographs():
    assert len(Photographs.from_packages().names) == 9
