import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from engine.imaging import encode_png, flatten, sha256
from engine.models import EngineRun, Layer
from tests.engine.scenes import fresh_scene


def run(*args):
    out = io.StringIO()
    call_command("run_engine", *args, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """One photograph with given boxes and one broken file, through the recipe into a folder; no database."""
    folder = tmp_path_factory.mktemp("engine")
    scene = fresh_scene()
    (folder / "photo.png").write_bytes(encode_png(scene.image_hwc))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    height, width = scene.image_hwc.shape[:2]
    boxes = [given.box for given in scene.given]
    coco = {
        "images": [{"id": 1, "file_name": "photo.png", "width": width, "height": height}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 1, "bbox": [x0, y0, x1 - x0, y1 - y0]}
            for n, (x0, y0, x1, y1) in enumerate(boxes)
        ],
    }
    (folder / "boxes.json").write_text(json.dumps(coco))
    paths = [str(folder / "photo.png"), str(folder / "broken.png")]
    text = run(*paths, "--annotations", str(folder / "boxes.json"), "--out", str(folder / "out"), "--json")
    return folder, json.loads(text.splitlines()[-1])


def manifest_of(folder):
    return [json.loads(line) for line in (folder / "out" / "manifest.jsonl").read_text().splitlines()]


def test_the_report_counts_each_stage(output):
    _, report = output
    assert [row["stage"] for row in report["stages"]] == [
        "prefilter", "scene", "completion", "postprocess", "prompts", "postfilter",
    ]  # fmt: skip
    assert all(row["in"] == row["kept"] == 1 and row["seconds_median"] > 0 for row in report["stages"])


def test_a_broken_file_is_named_with_its_code(output):
    _, report = output
    assert [(row["name"], row["code"]) for row in report["errors"]] == [("broken.png", "truncated")]


def test_the_report_file_says_what_the_json_line_says(output):
    folder, report = output
    saved = json.loads((folder / "out" / "report.json").read_text())
    assert saved["stages"] == report["stages"]


def test_every_layer_of_the_manifest_is_a_file_with_that_digest(output):
    folder, report = output
    rows = manifest_of(folder)
    assert len(rows) == report["layers"] > 1
    for row in rows:
        assert sha256((folder / "out" / row["file"]).read_bytes()) == row["sha256"]
        assert Image.open(folder / "out" / row["file"]).mode == "RGBA"
        mask = np.asarray(Image.open(folder / "out" / row["visible_mask"]))
        assert set(np.unique(mask)) <= {0, 255}


def test_images_are_filed_under_the_digest_of_their_bytes(output):
    folder, _ = output
    digest = sha256((folder / "photo.png").read_bytes())
    assert {row["image_sha256"] for row in manifest_of(folder)} == {digest}


def test_the_stack_of_all_layers_recomposes_the_photograph(output):
    """Those that the post-filter gave up too: what they show is in the photograph."""
    folder, _ = output
    rows = sorted(manifest_of(folder), key=lambda row: row["depth"])
    stack = [np.asarray(Image.open(folder / "out" / row["file"])) for row in rows]
    photo = np.asarray(Image.open(folder / "photo.png"))
    error = np.abs(flatten(stack).astype(int) - photo).mean()
    assert error < 3.0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "name some photographs"),
        (["nothing.png", "--out", "x"], "no such file"),
        ([__file__], "say where the layers go"),
        (
            [__file__, "--out", "x", "--recipe", "cpuu"],
            "unknown recipe 'cpuu'; have: cpu, cpu_auto, permissive, quality",
        ),
        ([__file__, "--out", "x", "--project", "p"], "--out is for runs without a project"),
        ([__file__, "--out", "x", "--limit", "0"], "--limit must be at least 1"),
    ],
)
def test_wrong_use_ends_with_one_clear_line_and_code_2(args, message):
    with pytest.raises(CommandError, match=message) as error:
        run(*args)
    assert error.value.returncode == 2


@pytest.mark.django_db
def test_with_a_project_the_layers_appear_in_its_queue(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(encode_png(fresh_scene().image_hwc))
    document = json.loads(run(str(path), "--project", "Round one", "--recipe", "cpu_auto", "--json").splitlines()[-1])
    assert document["status"] == "finished"
    assert EngineRun.objects.get().recipe_name == "cpu_auto"
    assert Layer.objects.count() > 0 or "no_instances" in str(document["stages"])


@pytest.mark.django_db
def test_a_project_that_is_not_there_is_refused():
    with pytest.raises(CommandError, match="not_found"):
        run("--project", "nowhere")
