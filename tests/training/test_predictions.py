"""Prompts asked of a checkpoint over HTTP and answered by the worker's task, which the tests call themselves."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from psd_tools import PSDImage

from engine.imaging import decode_png, encode_png, mask_to_rle, sha256
from engine.models import Project, Role, SourceImage
from engine.services.files import store
from tests.factories import join, make_image, make_user
from training import tasks
from training.models import JobStatus, Prediction
from training.reflayer.tiny.mask_network import MaskNetwork, MaskNetworkConfig
from training.reflayer.tiny.pipeline import RefLayerTinyPipeline
from training.services import leases, predictions

DISC = [46.0, 36.0, 94.0, 84.0]


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder with one tiny network of random weights, named as the one that ships, and one broken checkpoint."""
    folder = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(0)
    network = MaskNetwork(MaskNetworkConfig(widths=(8, 8, 16, 16), heads=2, head_width=8))
    for name in ("reflayer-tiny", "broken"):
        RefLayerTinyPipeline(network).save_pretrained(folder / name)
    weights = folder / "broken" / "mask_network" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    (folder / "no-checkpoint").mkdir()
    return folder


@pytest.fixture(autouse=True)
def _only_these(settings: Any, checkpoints: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CHECKPOINT_FOLDERS = [checkpoints]
    monkeypatch.setattr(predictions, "ring_for_answers", lambda: None)
    # A loaded machine takes its time; here one call of the task answers everything.
    monkeypatch.setattr(tasks, "TURN_S", 3600.0)


@pytest.fixture
def image(project: Project) -> SourceImage:
    """A yellow disc of radius 24 around (70, 60) on noisy blue, 128 px."""
    rows, columns = np.mgrid[:128, :128] + 0.5
    disc = np.hypot(columns - 70, rows - 60) < 24
    picture = np.where(disc[..., None], (230, 200, 30), (40, 60, 190))
    picture = np.clip(picture + np.random.default_rng(0).normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
    made = make_image(project, width=128, height=128)
    png = encode_png(picture)
    made.picture, made.sha256 = store("pictures", png, "png"), sha256(png)
    made.save()
    return made


def ask(client: Any, image: SourceImage, prompt: Any, **more: Any) -> Any:
    return client.post("/api/predict/", {"image": str(image.pk), "prompt": prompt, **more}, format="json")


def test_a_box_is_asked_answered_and_comes_back_as_a_layer(as_bob: Any, image: SourceImage) -> None:
    asked = ask(as_bob, image, {"box": DISC})
    assert asked.status_code == 201
    assert (asked.data["status"], asked.data["is_live"], asked.data["layer"]) == ("queued", True, None)
    assert asked.data["prompt"]["kind"] == "box"
    tasks.predict()
    answer = as_bob.get(f"/api/predict/{asked.data['id']}/").data
    assert (answer["status"], answer["checkpoint"], answer["reason"]) == ("finished", "reflayer-tiny", "")
    layer = decode_png(b"".join(as_bob.get(answer["layer"]["rgba"]).streaming_content))
    assert layer.shape == (128, 128, 4)
    assert sha256(encode_png(layer)) == answer["layer"]["sha256"]
    assert answer["seconds"] > 0


def test_the_same_prompt_gives_the_same_bytes_whichever_form_it_has(as_bob: Any, image: SourceImage) -> None:
    for prompt in ({"box": DISC}, {"kind": "box", "points": [], "box": DISC, "mask": None, "text": ""}):
        assert ask(as_bob, image, prompt).status_code == 201
    tasks.predict()
    assert len(set(Prediction.objects.values_list("sha256", flat=True))) == 1


def test_the_network_is_loaded_once(as_bob: Any, image: SourceImage, monkeypatch: pytest.MonkeyPatch) -> None:
    from training import warm_pipelines

    loads: list[Any] = []
    load = warm_pipelines.load_pipeline
    monkeypatch.setattr(warm_pipelines, "load_pipeline", lambda *given: loads.append(given) or load(*given))
    monkeypatch.setattr(warm_pipelines, "_kept", type(warm_pipelines._kept)())
    for x in (60, 70, 80):
        ask(as_bob, image, {"points": [[x, 60]]})
    tasks.predict()
    assert set(Prediction.objects.values_list("status", flat=True)) == {JobStatus.FINISHED}
    assert len(loads) == 1


@pytest.mark.parametrize(
    "prompt",
    [
        {"points": [[70, 60]], "labels": [1]},
        {"mask": "disc"},
        {"points": [[70, 60]], "box": DISC},
        {"box": DISC, "text": "the yellow disc"},
        {"kind": "background"},
        {"kind": "background", "mask": "disc"},
    ],
    ids=["point", "mask", "point and box", "box and text", "background", "background without a mask's object"],
)
def test_every_kind_of_prompt_is_answered(as_bob: Any, image: SourceImage, prompt: dict[str, Any]) -> None:
    if "mask" in prompt:
        rows, columns = np.mgrid[:128, :128] + 0.5
        prompt = {**prompt, "mask": mask_to_rle(np.hypot(columns - 70, rows - 60) < 24)}
    asked = ask(as_bob, image, prompt)
    assert asked.status_code == 201, asked.data
    tasks.predict()
    made = Prediction.objects.get()
    assert (made.status, made.reason) == (JobStatus.FINISHED, "")
    assert (made.prompt["kind"] == "background") == (made.area_share == 1)


def test_the_cpu_engine_cuts_out_the_box_for_comparison(as_bob: Any, image: SourceImage) -> None:
    ask(as_bob, image, {"box": DISC}, checkpoint="cpu")
    tasks.predict()
    made = Prediction.objects.get()
    assert made.status == JobStatus.FINISHED, made.reason
    with made.rgba.open("rb") as file:
        alpha = decode_png(file.read())[..., 3] > 127
    rows, columns = np.mgrid[:128, :128] + 0.5
    disc = np.hypot(columns - 70, rows - 60) < 24
    assert (alpha & disc).sum() / (alpha | disc).sum() > 0.8


def test_the_cpu_engine_says_when_a_point_hits_nothing_it_proposes(as_bob: Any, image: SourceImage) -> None:
    ask(as_bob, image, {"points": [[2, 2]]}, checkpoint="cpu")
    tasks.predict()
    made = Prediction.objects.get()
    assert made.status == JobStatus.FAILED
    assert made.reason.startswith("nothing_found: ")


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ({}, "empty_prompt"),
        ("here", "bad_prompt"),
        ({"points": [[200, 10]]}, "prompt_outside"),
        ({"points": [["a", 10]]}, "bad_prompt"),
        ({"points": [[5, 5], [9, 9]], "labels": [1, 0]}, "negative_points"),
        ({"points": [[5, 5]] * 101}, "bad_prompt"),
        ({"box": [10, 10, 10, 40]}, "empty_box"),
        ({"box": [300, 300, 340, 340]}, "prompt_outside"),
        ({"box": ["nan", 0, 9, 9]}, "bad_prompt"),
        ({"mask": {"size": [64, 64], "counts": [4096]}}, "mask_size"),
        ({"mask": {"size": [128, 128], "counts": [5]}}, "bad_mask"),
        ({"mask": {"size": [128, 128], "counts": [16384]}}, "empty_mask"),
        ({"mask": "all"}, "bad_mask"),
        ({"text": "the disc"}, "text_only"),
        ({"text": 5, "box": DISC}, "bad_prompt"),
        ({"kind": "point", "box": DISC}, "bad_prompt"),
        ({"kind": "background", "box": DISC}, "bad_prompt"),
    ],
)
def test_a_prompt_that_makes_no_sense_is_refused_with_a_code(
    as_bob: Any, image: SourceImage, prompt: Any, code: str
) -> None:
    answer = ask(as_bob, image, prompt)
    assert (answer.status_code, answer.data["code"]) == (400, code)
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("name", ["no-checkpoint", "../reflayer-tiny", "gone", "/etc"])
def test_an_unknown_checkpoint_is_refused_with_the_list(as_bob: Any, image: SourceImage, name: str) -> None:
    answer = ask(as_bob, image, {"box": DISC}, checkpoint=name)
    assert (answer.status_code, answer.data["code"]) == (400, "unknown_checkpoint")
    assert "broken, reflayer-tiny, cpu" in answer.data["detail"]


def test_a_damaged_checkpoint_fails_the_question_and_not_the_worker(as_bob: Any, image: SourceImage) -> None:
    ask(as_bob, image, {"box": DISC}, checkpoint="broken")
    ask(as_bob, image, {"box": DISC})
    tasks.predict()
    of = {made.checkpoint: made for made in Prediction.objects.all()}
    assert of["broken"].status == JobStatus.FAILED
    assert of["broken"].reason.startswith("broken_checkpoint: ")
    assert of["reflayer-tiny"].status == JobStatus.FINISHED


@pytest.mark.parametrize("checkpoint", ["reflayer-tiny", "cpu"])
def test_a_picture_of_one_pixel_is_answered_with_a_reason(as_bob: Any, project: Project, checkpoint: str) -> None:
    dot = make_image(project, width=1, height=1)
    assert ask(as_bob, dot, {"box": [0, 0, 1, 1]}, checkpoint=checkpoint).status_code == 201
    tasks.predict()
    made = Prediction.objects.get()
    assert made.status == JobStatus.FAILED
    assert made.reason.partition(":")[0] == "too_small"


def test_strangers_find_neither_the_image_nor_the_answer(
    as_bob: Any, as_alice: Any, as_charlie: Any, image: SourceImage
) -> None:
    assert ask(as_charlie, image, {"box": DISC}).status_code == 404
    url = f"/api/predict/{ask(as_bob, image, {'box': DISC}).data['id']}/"
    assert [client.get(url).status_code for client in (as_bob, as_alice, as_charlie)] == [200, 404, 404]
    assert as_charlie.post(f"{url}cancel/").status_code == 404


def test_a_viewer_may_not_ask(client: Any, project: Project, image: SourceImage) -> None:
    from tests.conftest import client_of

    vera = make_user("vera")
    join(vera, project, Role.VIEWER)
    answer = ask(client_of(vera), image, {"box": DISC})
    assert (answer.status_code, answer.data["code"]) == (403, "forbidden")


def test_nobody_asks_without_signing_in(client: Any, image: SourceImage) -> None:
    assert client.post("/api/predict/", {}, content_type="application/json").status_code in (401, 403)


def test_a_cancelled_question_is_never_answered(as_bob: Any, image: SourceImage) -> None:
    url = f"/api/predict/{ask(as_bob, image, {'box': DISC}).data['id']}/"
    assert as_bob.post(f"{url}cancel/").data["status"] == "cancelled"
    tasks.predict()
    assert as_bob.get(url).data["layer"] is None
    again = as_bob.post(f"{url}cancel/")
    assert (again.status_code, again.data["code"]) == (409, "not_live")


def test_an_answer_that_comes_after_the_cancel_is_thrown_away(as_bob: Any, image: SourceImage) -> None:
    ask(as_bob, image, {"box": DISC})
    held = leases.claim(Prediction)
    assert held is not None
    assert leases.cancel(Prediction.objects.get())
    with pytest.raises(leases.LeaseLost):
        predictions.work_on(held)
    assert Prediction.objects.get().status == JobStatus.CANCELLED
    assert default_storage.listdir(f"predictions/{held.pk}")[1] == []


def test_old_answers_are_forgotten_with_their_files(as_bob: Any, image: SourceImage, settings: Any) -> None:
    old, new = (ask(as_bob, image, {"box": DISC}).data["id"] for _ in range(2))
    tasks.predict()
    files = list(Prediction.objects.filter(pk=old).values_list("rgba", "visible_mask").get())
    Prediction.objects.filter(pk=old).update(created_at=timezone.now() - timedelta(days=8))
    tasks.forget_predictions()
    assert [str(left.pk) for left in Prediction.objects.all()] == [new]
    assert not any(default_storage.exists(name) for name in files)
    assert default_storage.exists(Prediction.objects.get().rgba.name)


def test_the_sweeper_rings_for_a_question_whose_worker_died_and_gives_up_in_the_end(
    as_bob: Any, image: SourceImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(predictions, "ring_for_answers", lambda: rung.append("inference"))
    ask(as_bob, image, {"box": DISC})
    rung.clear()
    for _ in range(leases.MAX_ATTEMPTS):
        assert leases.claim(Prediction) is not None
        tasks.sweep()
        assert rung == []
        Prediction.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        if Prediction.objects.get().attempts < leases.MAX_ATTEMPTS:
            tasks.sweep()
            assert rung == ["inference"]
            rung.clear()
    tasks.sweep()
    gone = Prediction.objects.get()
    assert (gone.status, gone.reason.partition(":")[0]) == (JobStatus.FAILED, "worker_lost")


def test_one_person_cannot_fill_the_queue(as_bob: Any, image: SourceImage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "MOST_WAITING", 2)
    codes = [ask(as_bob, image, {"box": DISC}).status_code for _ in range(3)]
    assert codes == [201, 201, 429]


def test_asking_rings_the_queue_of_inference(
    as_bob: Any, image: SourceImage, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(predictions, "ring_for_answers", lambda: rung.append("inference"))
    with django_capture_on_commit_callbacks(execute=True):
        ask(as_bob, image, {"box": DISC})
    assert rung == ["inference"]


@pytest.mark.parametrize("format", ["psd", "ora"])
def test_answers_are_taken_home_as_one_document_each_where_it_was_dragged(
    as_bob: Any, as_alice: Any, image: SourceImage, tmp_path: Path, format: str
) -> None:
    ids = [ask(as_bob, image, prompt).data["id"] for prompt in ({"box": DISC}, {"kind": "background"})]
    layers = [{"prediction": ids[0], "name": "disc", "dx": 10, "dy": -20}, {"prediction": ids[1], "name": "sky"}]
    body = {"format": format, "layers": layers}
    assert as_bob.post("/api/predict/document/", body, format="json").data["code"] == "not_finished"
    tasks.predict()
    assert as_alice.post("/api/predict/document/", body, format="json").status_code == 404
    (tmp_path / f"it.{format}").write_bytes(as_bob.post("/api/predict/document/", body, format="json").content)
    with Prediction.objects.get(pk=ids[0]).rgba.open("rb") as file:
        answer = decode_png(file.read())
    if format == "psd":
        found = {layer.name: layer for layer in PSDImage.open(tmp_path / "it.psd")}
        layer = found["disc"]
        whole = Image.new("RGBA", (128, 128))
        whole.paste(layer.topil(), (layer.left, layer.top))
        dragged = np.asarray(whole)
    else:
        with zipfile.ZipFile(tmp_path / "it.ora") as archive:
            dragged = decode_png(archive.read("data/000.png"))
    assert np.array_equal(dragged[:108, 10:, 3], answer[20:, :118, 3])
    assert not dragged[108:, :, 3].any()
    assert not dragged[:, :10, 3].any()
