import numpy as np
import pytest
import torch
from cleanfid.resize import make_resizer
from PIL import Image

from evaluation.metrics.backgrounds import BACKGROUNDS, CHECKER_PX, background_of, composites
from evaluation.metrics.resize import as_batch, clean_resize
from tests.evaluation.pairs import square_pair


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(0).integers(0, 256, (430, 310, 3), dtype=np.uint8)


def test_the_resize_is_clean_fids(picture):
    theirs = make_resizer("PIL", False, "bicubic", (299, 299))(picture)
    assert np.array_equal(clean_resize(picture, 299), theirs)


def test_torchs_plain_bilinear_is_something_else(picture):
    tensor = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    plain = torch.nn.functional.interpolate(tensor, (299, 299), mode="bilinear")[0].permute(1, 2, 0).numpy()
    assert np.abs(clean_resize(picture, 299) - plain).mean() > 5


def test_a_batch_is_the_pictures_in_their_order(picture):
    batch = as_batch([picture, 255 - picture], 32)
    assert batch.shape == (2, 3, 32, 32)
    assert np.array_equal(batch[0].transpose(1, 2, 0), clean_resize(picture, 32))


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_composites_are_pillows_to_one_level(name):
    rng = np.random.default_rng(1)
    rgba = rng.integers(0, 256, (96, 96, 4), dtype=np.uint8)
    pair = square_pair(predicted_hwc=rgba)
    below = Image.fromarray(background_of(pair, name)).convert("RGBA")
    theirs = np.asarray(Image.alpha_composite(below, Image.fromarray(rgba)))[..., :3]
    ours = composites(pair, name)[1]
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_composites_round_and_never_truncate():
    rgba = np.full((96, 96, 4), 255, np.uint8)
    rgba[..., 3] = 254
    pair = square_pair(predicted_hwc=rgba)
    assert (composites(pair, "grey")[1] == round((255 * 254 + 128) / 255)).all()


def test_the_chequerboard_alternates():
    board = background_of(square_pair(), "checker")[..., 0]
    assert set(np.unique(board)) == {102, 153}
    assert board[0, 0] != board[0, CHECKER_PX] == board[CHECKER_PX, 0] != board[CHECKER_PX, CHECKER_PX]


def test_a_truth_without_background_has_no_composite_on_it():
    assert composites(square_pair(background_hwc=None), "own") is None


def test_an_unknown_background_is_refused():
    with pytest.raises(ValueError, match="grey, checker, own"):
        background_of(square_pair(), "beach")
