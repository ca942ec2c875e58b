import numpy as np

from engine.stages.scene.ownership import likeliest_owner


def halves():
    """Red left of column 30, blue right of it; two masks that both claim columns 20 to 40."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, :30] = (200, 40, 40)
    image[:, 30:] = (40, 40, 200)
    left, right = np.zeros((2, 40, 60), bool)
    left[:, :40] = True
    right[:, 20:] = True
    return image, [left, right]


def test_contested_pixels_go_to_the_mask_of_their_colour():
    image, masks = halves()
    owner = likeliest_owner(image, masks)
    assert (owner[:, 20:28] == 0).all()
    assert (owner[:, 32:40] == 1).all()


def test_a_single_odd_pixel_goes_with_its_neighbours():
    image, masks = halves()
    image[20, 24] = (40, 40, 200)
    assert likeliest_owner(image, masks)[20, 24] == 0


def test_a_mask_without_a_pixel_of_its_own_is_modelled_by_what_it_claims():
    image, (left, _) = halves()
    inner = np.zeros_like(left)
    inner[10:30, 32:38] = True
    assert (likeliest_owner(image, [left, inner])[12:28, 34:36] == 1).all()


def test_nothing_contested_needs_no_owner():
    image, (left, _) = halves()
    assert not likeliest_owner(image, [left, ~left]).any()
