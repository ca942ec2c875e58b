"""Small folders of made photographs and cut-outs: the loaders must not depend on what is installed."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photo_folder(tmp_path):
    rng = np.random.default_rng(3)
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for name, (height, width) in {"a.jpg": (60, 90), "b.png": (700, 400), "more/c.webp": (50, 50)}.items():
        Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(folder / name)
    (folder / "credits.txt").write_text("not a picture")
    return folder


@pytest.fixture
def object_folder(tmp_path):
    folder = tmp_path / "objects"
    folder.mkdir()
    y, x = np.mgrid[:80, :80]
    disc = np.zeros((80, 80, 4), np.uint8)
    disc[..., 3] = np.clip((30 - np.hypot(x - 40, y - 40)) * 85 + 128, 0, 255)
    disc[disc[..., 3] > 0, :3] = (200, 40, 30)
    Image.fromarray(disc).save(folder / "disc.png")
    Image.fromarray(np.full((20, 20, 3), 9, np.uint8)).save(folder / "opaque.png")
    haze = np.full((40, 40, 4), 60, np.uint8)
    Image.fromarray(haze).save(folder / "haze.png")
    return folder
