"""Showing the part of a picture in which something is."""

from frontend.pictures import view_box


def test_the_box_gets_a_margin_of_its_longer_side() -> None:
    assert view_box([100, 50, 200, 100], 640, 480) == "94.0 44.0 112.0 62.0"


def test_an_empty_box_shows_the_whole_picture() -> None:
    assert view_box([0, 0, 0, 0], 640, 480) == "0 0 640 480"
