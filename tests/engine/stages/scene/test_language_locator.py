import json

import numpy as np
import pytest

from engine import networks
from engine.stages.scene.language_locator import objects_of
from tests.engine.language.fake_server import Reply, serving

PICTURE = np.zeros((200, 400, 3), np.uint8)


def locate(reply, **language):
    with serving(reply) as server:
        spec = {"network": "openai_endpoint", "url": server.url, "model": "m", **language}
        locator = networks.make({"network": "language_locator", "language": spec})
        locator.load()
        (found,) = locator([PICTURE], [[]])
    return found, server


def test_boxes_come_back_in_pixels_of_the_picture():
    rows = [{"label": "Red  Cup", "bbox_2d": [100, 500, 350, 1000]}]
    found, _ = locate(Reply(json.dumps(rows)))
    assert [(f.phrase, f.box) for f in found] == [("red cup", (40.0, 100.0, 140.0, 200.0))]


def test_a_family_that_writes_y_first_is_read_and_asked_so():
    found, server = locate(
        Reply('{"objects": [{"label": "cup", "box_2d": [500, 100, 1000, 350]}]}'), convention="thousandths_yx"
    )
    assert found[0].box == (40.0, 100.0, 140.0, 200.0)
    assert "[y0, x0, y1, x1]" in server.requests[0]["messages"][0]["content"][1]["text"]


def test_an_answer_that_was_cut_off_gives_its_complete_objects():
    found, _ = locate(Reply('```json\n[{"label": "cup", "bbox": [0, 0, 500, 500]}, {"label": "dog", "bbox": [1, 2'))
    assert [f.phrase for f in found] == ["cup"]


def test_no_readable_answer_is_no_object():
    assert locate(Reply("I cannot help with that."))[0] == []


def test_an_overloaded_server_is_no_object_either():
    assert locate(Reply(status=401))[0] == []


def test_the_same_box_twice_is_one_object():
    rows = [{"label": "cup", "bbox_2d": [0, 0, 500, 500]}, {"label": "mug", "bbox_2d": [0, 0, 500, 500]}]
    assert len(locate(Reply(json.dumps(rows)))[0]) == 1


@pytest.mark.parametrize(
    "row", [{}, {"label": "", "box": [1, 2, 3, 4]}, {"label": "x", "box": [1, 2]}, {"label": "x", "box": "left"}, 7]
)
def test_rows_of_another_shape_are_left_out(row):
    assert objects_of([row, {"label": "cup", "box": [1, 2, 3, 4]}]) == [("cup", [1.0, 2.0, 3.0, 4.0])]
