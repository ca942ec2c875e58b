import uuid
from dataclasses import dataclass

from annotation.edits import edit_for
from annotation.pairing import pair_id, same_things


@dataclass(frozen=True)
class Thing:
    box: tuple[float, float, float, float]
    kind: str = "foreground"


def test_a_pair_has_one_id_in_both_orders() -> None:
    one, other, third = (uuid.uuid4() for _ in range(3))
    assert pair_id(one, other) == pair_id(other, one)
    assert len({pair_id(one, other), pair_id(one, third), pair_id(other, third)}) == 3


def test_layers_that_cover_the_same_place_belong_together_once() -> None:
    cup, saucer = Thing((0, 0, 10, 10)), Thing((8, 0, 30, 10))
    other_cup, near_cup = Thing((1, 0, 10, 10)), Thing((3, 0, 10, 10))
    assert same_things([cup, saucer], [near_cup, other_cup]) == [(cup, other_cup)]


def test_things_that_hardly_overlap_are_different() -> None:
    assert same_things([Thing((0, 0, 10, 10))], [Thing((6, 0, 16, 10))]) == []


def test_the_background_is_compared_with_the_background_only() -> None:
    whole = (0, 0, 10, 10)
    front, back = Thing(whole), Thing(whole, "background")
    assert same_things([front, back], [Thing((0, 0, 9, 9), "background")]) == [
        (back, Thing((0, 0, 9, 9), "background"))
    ]


def test_an_edit_depends_on_both_layers_alike() -> None:
    boxes = [(10, 10, 40, 50), (12, 8, 44, 48)]
    for draw in (0.0, 0.4, 0.9):
        one = edit_for("foreground", boxes, (100, 80), ["scene"], lambda draw=draw: draw)
        assert one == edit_for("foreground", boxes[::-1], (100, 80), ["scene"], lambda draw=draw: draw)


def test_a_move_goes_to_the_side_with_more_room() -> None:
    assert edit_for("foreground", [(10, 10, 40, 50)], (100, 80), [], lambda: 0.0) == {
        "kind": "move",
        "dx": 12,
        "dy": -5,
    }
    assert edit_for("foreground", [(60, 10, 90, 50)], (100, 80), [], lambda: 0.0)["dx"] == -12


def test_a_background_is_not_edited_and_a_new_scene_needs_a_picture() -> None:
    assert edit_for("background", [(0, 0, 9, 9)], (9, 9), ["scene"], lambda: 0.0) == {}
    kinds = {edit_for("foreground", [(0, 0, 9, 9)], (20, 20), [], lambda d=d: d)["kind"] for d in (0.1, 0.5, 0.99)}
    assert kinds == {"move", "scale"}
