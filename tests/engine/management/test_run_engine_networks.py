"""``run_engine`` with recipe ``permissive`` end to end: the real recipe and files, tiny random networks."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from engine import networks, recipes
from engine.imaging import encode_png
from engine.records import STAGES
from tests.engine.scenes import fresh_scene


def run(*args):
    out = io.StringIO()
    call_command("run_engine", *map(str, args), stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


@pytest.fixture
def photographs(tmp_path):
    """One with given boxes, one without."""
    told, untold = fresh_scene(7, 256), fresh_scene(8, 256)
    (tmp_path / "told.png").write_bytes(encode_png(told.image_hwc))
    (tmp_path / "untold.png").write_bytes(encode_png(untold.image_hwc))
    coco = {
        "images": [{"id": 1, "file_name": "told.png", "width": 256, "height": 256}],
        "categories": [{"id": 1, "name": "cup"}],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 1, "bbox": [x0, y0, x1 - x0, y1 - y0]}
            for n, (x0, y0, x1, y1) in enumerate(given.box for given in told.given)
        ],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(coco))
    return tmp_path


SHORT = {
    "qwen_vl": {"most_tokens": 3},
    "rf_detr": {"most": 2},
    "grounding_dino": {"most": 1},
    "owlv2": {"most": 1},
    "diffusers_inpaint": {"steps": 1},
}
"""A random network never ends a sentence and finds things everywhere, which would only cost time."""


@pytest.fixture
def short_work(monkeypatch):
    make = networks.make
    monkeypatch.setattr(networks, "make", lambda spec: make({**spec, **SHORT.get(spec["network"], {})}))


def test_permissive_makes_layers_of_a_photograph_with_boxes(photographs, tiny_weights, short_work):
    out = photographs / "out"
    paths = (photographs / "told.png", photographs / "untold.png")
    report = run(*paths, "--annotations", photographs / "boxes.json", "--recipe", "permissive", "--out", out, "--json")
    assert [row["stage"] for row in report["stages"]] == list(STAGES)
    assert report["recipe_digest"] == recipes.permissive().digest
    assert not any(row["failed"] for row in report["stages"])
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    told = [row for row in rows if row["image"] == "told.png"]
    assert {row["kind"] for row in told} == {"foreground", "background"}
    assert all((out / row["file"]).is_file() for row in rows)
    foreground = next(row for row in told if row["kind"] == "foreground")
    assert {"label_margin", "visible_similarity", "found_again", "recomposition_error"} <= set(foreground["scores"])


def test_missing_weights_are_one_line_with_the_command_that_gets_them(photographs, tmp_path, monkeypatch):
    monkeypatch.setenv("RLD_WEIGHTS", str(tmp_path / "nowhere"))
    with pytest.raises(CommandError, match=r"missing_weights: .*manage.py fetch_weights rf_detr_seg_large"):
        run(photographs / "told.png", "--recipe", "permissive", "--out", photographs / "out")
    assert not (photographs / "out").exists()


def test_commercial_safe_takes_permissive_and_refuses_other_weights(photographs, monkeypatch, tmp_path):
    monkeypatch.setenv("RLD_WEIGHTS", str(tmp_path / "nowhere"))
    words = (photographs / "told.png", "--out", photographs / "out", "--commercial-safe")
    with pytest.raises(CommandError, match="missing_weights"):
        run(*words, "--recipe", "permissive")
    document = recipes.permissive().to_json()
    document["stages"][1]["params"]["depth"]["weights"] = "depth_anything_v2_large"
    monkeypatch.setitem(recipes.RECIPES, "mine", lambda: recipes.Recipe.from_json({**document, "name": "mine"}))
    with pytest.raises(CommandError, match=r"licence_forbids: .*CC-BY-NC") as caught:
        run(*words, "--recipe", "mine")
    assert caught.value.returncode == 2
