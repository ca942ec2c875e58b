"""A checkpoint of SD3's shape in the home folder, asked over HTTP and answered by a real worker of ``inference``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from engine.imaging import decode_png
from engine.models import Project
from tests.factories import make_image
from tests.training.reflayer import small
from tests.workers import Start, kill, wait_until
from training import tasks
from training.models import JobStatus, Prediction
from training.reflayer.card import Card
from training.reflayer.checkpoint import save_pipeline
from training.services import predictions
from training.services.leases import claim

pytestmark = pytest.mark.django_db(transaction=True)

BOX = {"box": [20.0, 12.0, 60.0, 40.0]}


@pytest.fixture
def checkpoint(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Random weights in the real layout, in ``RLD_HOME/checkpoints``."""
    settings.CHECKPOINT_FOLDERS = [tmp_path / "checkpoints"]
    monkeypatch.setattr(predictions, "ring_for_answers", lambda: None)
    save_pipeline(small.pipeline(), tmp_path / "checkpoints" / "mine", Card("test", "nothing", "", "", {}, ""))
    return "mine"


def ask(client: Any, project: Project, checkpoint: str, prompt: Any) -> Prediction:
    image = make_image(project, seed=5, width=96, height=64) if not project.images.exists() else project.images.get()
    body = {"image": str(image.pk), "prompt": prompt, "checkpoint": checkpoint}
    asked = client.post("/api/predict/", body, format="json")
    assert asked.status_code == 201, asked.data
    return Prediction.objects.get(pk=asked.data["id"])


def test_a_pipeline_of_sd3s_shape_answers_places_and_texts(
    as_bob: Any, project: Project, checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "TURN_S", 3600.0)
    asked = [ask(as_bob, project, checkpoint, prompt) for prompt in (BOX, {"text": "the ball"}, {"kind": "background"})]
    tasks.predict()
    for prediction in asked:
        answer = as_bob.get(f"/api/predict/{prediction.pk}/").data
        assert (answer["status"], answer["checkpoint"], answer["reason"]) == ("finished", "mine", "")
        layer = decode_png(b"".join(as_bob.get(answer["layer"]["rgba"]).streaming_content))
        assert layer.shape == (64, 96, 4)
    kinds = Prediction.objects.order_by("created_at").values_list("prompt__kind", flat=True)
    assert list(kinds) == ["box", "text", "background"]


def test_an_answer_whose_worker_is_killed_is_given_once_by_the_next_after_the_lease(
    as_bob: Any, project: Project, checkpoint: str, start_worker: Start
) -> None:
    caught = ask(as_bob, project, checkpoint, BOX)
    first = start_worker("default,inference")
    # Claimed, and for seconds to come busy with loading the network.
    wait_until(lambda: Prediction.objects.get(pk=caught.pk).status == JobStatus.RUNNING, "the worker has it")
    kill(first)
    caught.refresh_from_db()
    assert (caught.status, caught.attempts, caught.rgba.name) == (JobStatus.RUNNING, 1, "")
    assert claim(Prediction, caught.pk) is None, "the lease of the dead is still held"
    calm = ask(as_bob, project, checkpoint, BOX)
    start_worker("default,inference")
    over = Prediction.objects.filter(status=JobStatus.FINISHED)
    wait_until(lambda: over.count() == 2, "both are answered", 240)
    caught.refresh_from_db()
    calm.refresh_from_db()
    assert (caught.attempts, calm.attempts) == (2, 1)
    assert caught.sha256 == calm.sha256
    for prediction in (caught, calm):
        assert len(default_storage.listdir(f"predictions/{prediction.pk}")[1]) == 2
