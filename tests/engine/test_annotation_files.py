import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.annotation_files import BadAnnotations, given_from_json, given_to_json, masks, parse
from engine.imaging import mask_to_rle, rle_to_mask
from engine.records import GivenPrompt, Stroke

PERSON = {"id": 1, "name": "person"}
IMAGE = {"id": 7, "file_name": "train/photo.jpg", "width": 30, "height": 20}
FIXTURE_COCO = "01b2;fM0000000000GK35MK35MK35MK35600000000000000l4E"  # pycocotools 2.0.11 wrote this
# fmt: off
FIXTURE_BRUSH = [  # label-studio-sdk 2.1.2 wrote this
    0, 0, 9, 96, 57, 27, 252, 127, 252, 5, 204, 3, 35, 255, 226, 240, 12, 143, 255, 139, 192, 50, 63, 254, 47, 0, 194,
    255, 247, 192, 48, 255, 254, 47, 0, 194, 255, 247, 192, 48, 255, 254, 47, 0, 194, 255, 247, 192, 48, 255, 254, 47,
    0, 200, 255, 248, 188, 3, 35, 255, 226, 240, 12, 143, 255, 139, 192, 50, 63, 254, 47, 0, 200, 255, 248, 188, 3, 35,
    255, 240, 39, 48, 8, 255, 192,
]
# fmt: on


def fixture_mask() -> np.ndarray:
    mask = np.zeros((20, 30), bool)
    mask[3:15, 4:22] = True
    mask[6:9, 10:14] = False
    mask[0, 0] = mask[19, 29] = True
    return mask


def coco(*annotations: dict[str, Any], **more: Any) -> bytes:
    entries = [{"image_id": 7, "category_id": 1, **annotation} for annotation in annotations]
    return json.dumps({"images": [IMAGE], "categories": [PERSON], "annotations": entries, **more}).encode()


def only(data: bytes) -> GivenPrompt:
    (prompt,) = parse(data)["photo.jpg"]
    return prompt


def region(kind: str, key: str = "r1", **value: Any) -> dict[str, Any]:
    size = {"original_width": 30, "original_height": 20, "image_rotation": 0}
    return {"id": key, "type": kind, "from_name": "label", "to_name": "image", "value": value, **size}


def studio(*results: dict[str, Any], image: str = "/data/upload/1/0a1b2c3d-photo.jpg") -> bytes:
    return json.dumps([{"id": 1, "data": {"image": image}, "annotations": [{"result": list(results)}]}]).encode()


def compressed(counts: list[int]) -> str:
    """The writer of COCO's compressed run lengths, to test the reader."""
    text = ""
    for i, count in enumerate(counts):
        value = count - counts[i - 2] if i > 2 else count
        while True:
            five, value = value & 0x1F, value >> 5
            more = value != (-1 if five & 0x10 else 0)
            text += chr(48 + (five | (0x20 if more else 0)))
            if not more:
                break
    return text


def test_coco_boxes_become_corners_and_labels_words() -> None:
    prompt = only(coco({"bbox": [2, 3, 10.5, 4]}))
    assert (prompt.label, prompt.box, prompt.mask_hw) == ("person", (2.0, 3.0, 12.5, 7.0), None)


def test_coco_boxes_are_cut_to_the_picture_and_those_under_a_pixel_left_out() -> None:
    assert only(coco({"bbox": [20, 15, 100, 100]}, {"bbox": [5, 5, 0.2, 3]})).box == (20.0, 15.0, 30.0, 20.0)


def test_coco_polygons_are_filled_by_pixel_centres_and_united() -> None:
    parts = [[2, 3, 6, 3, 6, 9, 2, 9], [20.6, 10, 22.4, 10, 22.4, 12, 20.6, 12]]
    truth = np.zeros((20, 30), bool)
    truth[3:9, 2:6] = True
    truth[10:12, 21:22] = True
    mask = only(coco({"segmentation": parts})).mask_hw
    assert mask is not None
    assert (mask[:, :20] == truth[:, :20]).all()
    assert mask[10:12, 21].all()
    assert mask.sum() <= 24 + 4


@pytest.mark.parametrize("counts", [mask_to_rle(fixture_mask())["counts"], FIXTURE_COCO])
def test_coco_run_lengths_plain_and_compressed_give_the_mask(counts: Any) -> None:
    mask = only(coco({"segmentation": {"size": [20, 30], "counts": counts}})).mask_hw
    assert mask is not None
    assert (mask == fixture_mask()).all()


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_compressed_run_lengths_round_trip(mask: np.ndarray) -> None:
    rle = mask_to_rle(mask)
    assert masks.coco_counts(compressed(list(rle["counts"]))) == rle["counts"]
    assert (rle_to_mask(rle) == mask).all()


def test_coco_crowds_are_left_out() -> None:
    crowd = {"bbox": [0, 0, 30, 20], "iscrowd": 1, "segmentation": {"size": [20, 30], "counts": [600]}}
    assert only(coco(crowd, {"bbox": [1, 1, 5, 5], "iscrowd": 0})).box == (1.0, 1.0, 6.0, 6.0)


def test_coco_captions_go_to_the_only_object_and_to_none_of_several() -> None:
    caption = {"caption": "A person on a bench."}
    assert only(coco({"bbox": [1, 1, 5, 5]}, caption)).caption == "A person on a bench."
    several = parse(coco({"bbox": [1, 1, 5, 5]}, {"bbox": [8, 8, 5, 5]}, caption))["photo.jpg"]
    assert [prompt.caption for prompt in several] == ["", ""]
    assert parse(coco(caption))["photo.jpg"] == ()


def test_a_caption_of_one_coco_object_stays_with_it() -> None:
    first, second = parse(coco({"bbox": [1, 1, 5, 5], "caption": "the left one"}, {"bbox": [9, 9, 5, 5]}))["photo.jpg"]
    assert (first.caption, second.caption) == ("the left one", "")


def test_label_studio_percent_become_pixels_and_upload_prefixes_go() -> None:
    value = {"x": 10, "y": 50, "width": 50, "height": 25, "rotation": 0, "rectanglelabels": ["Car", "Red"]}
    prompt = only(studio(region("rectanglelabels", **value)))
    assert (prompt.label, prompt.box, prompt.mask_hw) == ("Car", (3.0, 10.0, 18.0, 15.0), None)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/upload/1/0a1b2c3d-my%20photo.jpg", "my photo.jpg"),
        ("/data/local-files/?d=set/a/photo.png", "photo.png"),
        ("s3://bucket/folder/0a1b2c3d-photo.webp", "0a1b2c3d-photo.webp"),
        ("https://example.org/photo.jpeg?size=full", "photo.jpeg"),
    ],
)
def test_label_studio_addresses_become_file_names(address: str, name: str) -> None:
    assert list(parse(studio(image=address))) == [name]


def test_label_studio_polygons_fill_and_carry_their_box() -> None:
    corners = [[10, 10], [50, 10], [50, 50], [10, 50]]
    prompt = only(studio(region("polygonlabels", points=corners, polygonlabels=["Cat"])))
    truth = np.zeros((20, 30), bool)
    truth[2:10, 3:15] = True
    assert prompt.mask_hw is not None
    assert (prompt.mask_hw == truth).all()
    assert prompt.box == (3.0, 2.0, 15.0, 10.0)


def test_label_studio_brush_gives_the_mask() -> None:
    prompt = only(studio(region("brushlabels", format="rle", rle=FIXTURE_BRUSH, brushlabels=["Dog"])))
    assert prompt.mask_hw is not None
    assert (prompt.mask_hw == fixture_mask()).all()


def test_label_studio_ellipse_has_the_area_of_an_ellipse() -> None:
    value = {"x": 50, "y": 50, "radiusX": 30, "radiusY": 20, "rotation": 0, "ellipselabels": ["Egg"]}
    prompt = only(studio(region("ellipselabels", **value)))
    assert prompt.mask_hw is not None
    assert prompt.mask_hw.sum() == pytest.approx(np.pi * 9 * 4, rel=0.05)
    assert prompt.box == (6.0, 6.0, 24.0, 14.0)


def test_a_turned_label_studio_rectangle_is_a_mask_below_its_corner() -> None:
    value = {"x": 50, "y": 10, "width": 20, "height": 10, "rotation": 90, "rectanglelabels": ["Car"]}
    prompt = only(studio(region("rectanglelabels", **value)))
    truth = np.zeros((20, 30), bool)
    truth[2:8, 13:15] = True
    assert prompt.mask_hw is not None
    assert (prompt.mask_hw == truth).all()


def test_label_studio_parts_of_one_region_belong_together() -> None:
    box = region("rectangle", x=0, y=0, width=50, height=50)
    label, text = region("labels", labels=["Boat"]), region("textarea", text=["a boat", "at sea"])
    link = {"type": "relation", "from_id": "r1", "to_id": "r1"}
    prompt = only(studio(box, label, text, link))
    assert (prompt.label, prompt.caption) == ("Boat", "a boat at sea")


def test_key_points_and_cancelled_annotations_are_passed_over() -> None:
    task = json.loads(studio(region("keypointlabels", x=5, y=5, width=1, keypointlabels=["Nose"])))
    box = region("rectanglelabels", x=0, y=0, width=50, height=50, rectanglelabels=["Face"])
    task[0]["annotations"].insert(0, {"was_cancelled": True, "result": [box]})
    assert parse(json.dumps(task).encode())["photo.jpg"] == ()


BAD = {
    "not JSON": b"\xff\xfe nothing",
    "cut": coco({"bbox": [1, 1, 5, 5]})[:-9],
    "deep": b"[" * 100_000,
    "another kind": b'{"type": "FeatureCollection"}',
    "a number": b"5",
    "lists of lists": b"[[1]]",
    "a box of words": coco({"bbox": ["a", 1, 5, 5]}),
    "a box of three": coco({"bbox": [1, 5, 5]}),
    "a negative box": coco({"bbox": [1, 1, -5, 5]}),
    "no number": coco({"bbox": [1, 1, float("nan"), 5]}),
    "a huge number": coco({"bbox": [1, 1, 10**400, 5]}),
    "an unknown category": coco({"bbox": [1, 1, 5, 5], "category_id": 9}),
    "an unknown image": coco({"bbox": [1, 1, 5, 5], "image_id": 9}),
    "two of a name": coco(images=[IMAGE, {**IMAGE, "id": 8, "file_name": "val/photo.jpg"}]),
    "a gigantic image": coco(images=[{**IMAGE, "width": 10**6, "height": 10**6}]),
    "a polygon of two points": coco({"segmentation": [[1, 2, 3, 4]]}),
    "runs that do not fill": coco({"segmentation": {"size": [20, 30], "counts": [5, 5]}}),
    "a mask of another size": coco({"segmentation": {"size": [30, 20], "counts": [600]}}),
    "broken compressed runs": coco({"segmentation": {"size": [20, 30], "counts": "o" * 50}}),
    "no size": studio({"id": "r", "type": "rectangle", "value": {"x": 1, "y": 1, "width": 5, "height": 5}}),
    "no address": studio(image="nothing"),
    "a turned picture": studio({**region("rectangle", x=1, y=1, width=5, height=5), "image_rotation": 90}),
    "a cut brush": studio(region("brushlabels", rle=FIXTURE_BRUSH[:40])),
    "a brush of another size": studio(region("brushlabels", rle=[0, 0, 0, 4, *FIXTURE_BRUSH[4:]])),
    "a brush of words": studio(region("brushlabels", rle=["a"])),
    "the short export": b'[{"image": "/data/upload/1/0a1b2c3d-photo.jpg", "label": []}]',
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_bad_annotation_file_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(BadAnnotations, match=r"\.$") as caught:
        parse(data)
    assert caught.value.code == "bad_annotations"


def test_the_sentence_names_the_entry() -> None:
    with pytest.raises(BadAnnotations, match="Annotation 1"):
        parse(coco({"bbox": [1, 1, 5, 5]}, {"bbox": [1, 1, 5]}))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["counts", "size", "x"]), inner),
    max_leaves=6,
)


@given(st.sampled_from(["bbox", "segmentation", "category_id", "image_id", "iscrowd", "caption"]), _JSON)
@settings(max_examples=200, deadline=None)
def test_no_value_of_a_coco_field_makes_it_crash(field: str, value: Any) -> None:
    try:
        parse(coco({"bbox": [1, 1, 5, 5], field: value}))
    except BadAnnotations:
        return


@given(
    st.sampled_from(["x", "rotation", "points", "rle", "rectanglelabels", "text"]),
    _JSON,
    st.sampled_from(["rectangle", "polygon", "ellipse", "brush"]),
)
@settings(max_examples=200, deadline=None)
def test_no_value_of_a_label_studio_field_makes_it_crash(field: str, value: Any, kind: str) -> None:
    sound = {"x": 1, "y": 1, "width": 5, "height": 5, "radiusX": 2, "radiusY": 2}
    try:
        parse(studio(region(kind, **{**sound, field: value})))
    except BadAnnotations:
        return


def test_masks_are_made_anew_each_time_and_equal() -> None:
    annotations = parse(coco({"segmentation": {"size": [20, 30], "counts": FIXTURE_COCO}}))
    first, second = annotations["photo.jpg"][0].mask_hw, annotations["photo.jpg"][0].mask_hw
    assert first is not second
    assert (first == second).all()  # type: ignore[union-attr]
    assert annotations.get("other.jpg", ()) == ()


_COORDINATE = st.floats(-1e6, 1e6, allow_nan=False)
_POINT = st.tuples(_COORDINATE, _COORDINATE)
_GIVEN = st.builds(
    GivenPrompt,
    label=st.text(max_size=20),
    box=st.none() | st.tuples(_COORDINATE, _COORDINATE, _COORDINATE, _COORDINATE),
    mask_hw=st.none() | hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)),
    strokes=st.lists(
        st.builds(Stroke, st.lists(_POINT, max_size=4).map(tuple), st.floats(0.5, 99), st.booleans()), max_size=3
    ).map(tuple),
    caption=st.text(max_size=20),
)


@given(st.lists(_GIVEN, max_size=4))
@settings(deadline=None)
def test_given_prompts_survive_json_exactly(prompts: list[GivenPrompt]) -> None:
    back = given_from_json(json.loads(json.dumps(given_to_json(prompts))))
    assert len(back) == len(prompts)
    for new, old in zip(back, prompts, strict=True):
        assert (new.label, new.box, new.strokes, new.caption) == (old.label, old.box, old.strokes, old.caption)
        if old.mask_hw is None:
            assert new.mask_hw is None
        else:
            np.testing.assert_array_equal(new.mask_hw, old.mask_hw)
