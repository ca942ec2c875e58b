"""Answers of the playground that become layers of the project."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from django.core.files.storage import default_storage

from annotation.services.slots import open_slots
from engine.imaging import encode_png, mask_to_rle, sha256
from engine.models import Layer, LayerStatus, Producer, Project, Role
from engine.selectors.access import role_of
from engine.selectors.layers import stack_of
from tests.conftest import client_of
from tests.factories import join, make_image, make_user
from training.models import JobStatus, Prediction
from training.reflayer.tiny.mask_network import MaskNetwork, MaskNetworkConfig
from training.reflayer.tiny.pipeline import RefLayerTinyPipeline


@pytest.fixture
def checkpoint(settings: Any, tmp_path: Any) -> Any:
    settings.CHECKPOINT_FOLDERS = [tmp_path / "checkpoints"]
    return saved(tmp_path / "checkpoints" / "ours", seed=0)


def saved(folder: Any, seed: int) -> Any:
    torch.manual_seed(seed)
    network = MaskNetwork(MaskNetworkConfig(widths=(8, 8, 16, 16), heads=2, head_width=8))
    RefLayerTinyPipeline(network).save_pretrained(folder)
    return folder


def answered(project: Project, user: Any, checkpoint: str = "ours", **facts: Any) -> Prediction:
    """A finished answer: a square of alpha on a picture of its own."""
    image = make_image(project)
    rgba = np.zeros((image.height, image.width, 4), np.uint8)
    rgba[10:30, 12:40] = (200, 90, 20, 255)
    png, visible = encode_png(rgba), encode_png(rgba[..., 3] > 127)
    prompt = {"kind": "box", "points": [], "box": [12.0, 10.0, 40.0, 30.0], "mask": None, "text": "kite"}
    return Prediction.objects.create(
        **{
            "image": image,
            "asked_by": user,
            "checkpoint": checkpoint,
            "prompt": prompt,
            "status": JobStatus.FINISHED,
            "sha256": sha256(png),
            "rgba": _stored("layer", png),
            "visible_mask": _stored("visible", visible),
            "box": [12, 10, 40, 30],
            "area_share": 0.18,
            "hidden_share": 0.0,
            "soft_share": 0.0,
            **facts,
        }
    )


def _stored(name: str, data: bytes) -> str:
    from django.core.files.base import ContentFile

    return default_storage.save(f"predictions/{name}.png", ContentFile(data))


def save(client: Any, prediction: Prediction, **body: Any) -> Any:
    return client.post(f"/api/predict/{prediction.pk}/layer/", {"name": "kite", **body}, format="json")


def test_an_answer_becomes_a_layer_that_others_judge_and_its_asker_does_not(
    as_bob: Any, bob: Any, project: Project, checkpoint: Any
) -> None:
    prediction = answered(project, bob)
    answer = save(as_bob, prediction, depth=2)
    assert answer.status_code == 201
    layer = Layer.objects.get(pk=answer.data["id"])
    assert (layer.image, layer.label, layer.depth, layer.author) == (prediction.image, "kite", 2, bob)
    assert (layer.status, layer.sha256, layer.box) == (LayerStatus.READY, prediction.sha256, [12, 10, 40, 30])
    prompt = layer.prompts.get()
    assert (prompt.kind, prompt.box, prompt.text) == ("box", [12, 10, 40, 30], "kite")
    assert (layer.producer.kind, layer.producer.name[:5]) == (Producer.Kind.CHECKPOINT, "ours@")

    dora = make_user("dora")
    join(dora, project, Role.ANNOTATOR)
    open_slots(project)
    claimed = {
        user.username: client_of(user).post("/api/review/claim/", {"project": project.slug, "count": 5}, format="json")
        for user in (bob, dora)
    }
    assert claimed["bob"].status_code == 204
    assert [one["layer"]["id"] for one in claimed["dora"].data["assignments"]] == [str(layer.pk)]


def test_the_layer_stays_when_the_answer_is_forgotten(as_bob: Any, bob: Any, project: Project, checkpoint: Any) -> None:
    prediction = answered(project, bob)
    save(as_bob, prediction)
    default_storage.delete(str(prediction.rgba.name))
    prediction.delete()
    with Layer.objects.get().rgba.open("rb") as file:
        assert sha256(file.read()) == prediction.sha256


def test_saving_twice_gives_the_same_layer(as_bob: Any, bob: Any, project: Project, checkpoint: Any) -> None:
    prediction = answered(project, bob)
    first, second = save(as_bob, prediction), save(as_bob, prediction, name="other")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.data["id"] == second.data["id"]
    assert Layer.objects.get().label == "kite"


def test_layers_of_one_checkpoint_lie_in_one_stack_and_another_training_is_another_producer(
    as_bob: Any, bob: Any, project: Project, checkpoint: Any
) -> None:
    front = answered(project, bob)
    behind: dict[str, Any] = {"kind": "background", "points": [], "box": None, "mask": None, "text": ""}
    back = answered(project, bob, image=front.image, prompt=behind, sha256="0" * 64)
    saved_ones = [
        Layer.objects.get(pk=save(as_bob, one, depth=depth).data["id"]) for one, depth in ((back, 1), (front, 0))
    ]
    assert list(stack_of(saved_ones[0])) == saved_ones[::-1]
    assert (saved_ones[0].kind, saved_ones[0].key) == ("background", "bg")
    saved(checkpoint, seed=1)
    later = Layer.objects.get(pk=save(as_bob, answered(project, bob)).data["id"])
    assert later.producer != saved_ones[0].producer
    assert later.producer.name[:5] == "ours@"


def test_the_engines_answer_counts_for_its_recipe(as_bob: Any, bob: Any, project: Project, checkpoint: Any) -> None:
    mask = mask_to_rle(np.ones((48, 64), bool))
    prompt: dict[str, Any] = {"kind": "mask", "points": [], "box": None, "mask": mask, "text": ""}
    answer = save(as_bob, answered(project, bob, "cpu", prompt=prompt))
    layer = Layer.objects.get(pk=answer.data["id"])
    assert (layer.producer.kind, layer.producer.name[:4]) == (Producer.Kind.RECIPE, "cpu@")
    assert layer.prompts.get().mask == mask


@pytest.mark.parametrize(
    ("facts", "code", "status"),
    [
        ({"status": JobStatus.QUEUED}, "not_finished", 409),
        ({"status": JobStatus.FAILED, "reason": "nothing_found: nothing there"}, "not_finished", 409),
        ({"area_share": 0.0}, "nothing_found", 409),
        ({"checkpoint": "gone"}, "unknown_checkpoint", 400),
    ],
)
def test_what_cannot_be_saved_is_refused_and_leaves_nothing(
    as_bob: Any, bob: Any, project: Project, checkpoint: Any, facts: Any, code: str, status: int
) -> None:
    answer = save(as_bob, answered(project, bob, **facts))
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert not Layer.objects.exists()
    assert not Producer.objects.exists()


def test_only_who_asked_may_save_and_only_while_an_annotator(
    as_bob: Any, as_alice: Any, as_charlie: Any, bob: Any, project: Project, checkpoint: Any
) -> None:
    prediction = answered(project, bob)
    assert [save(client, prediction).status_code for client in (as_alice, as_charlie)] == [404, 404]
    assert save(as_bob, prediction, name=" ").status_code == 400
    bob.memberships.update(role=Role.VIEWER)
    assert role_of(bob, project) == Role.VIEWER
    assert save(as_bob, prediction).status_code == 403
    assert not Layer.objects.exists()
