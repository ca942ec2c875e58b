"""Training runs and checkpoints over HTTP: who may, what is refused, what is answered."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from django.conf import settings as django_settings
from rest_framework.test import APIClient

from engine import recipes, registry
from engine.models import Project, Role
from engine.refusals import Refusal
from engine.services.runs import start_run
from tests.conftest import client_of
from tests.factories import join, make_project, make_user
from tests.training.training import frozen_stacks
from training import predictors
from training.models import Checkpoint, JobStatus, Snapshot, TrainingMetric, TrainingRun
from training.selectors.checkpoints import predictors_for
from training.services.checkpoints import checkpoint_named, folder_of, register_checkpoint
from training.services.promotions import promote_checkpoint, undo_promotion


@pytest.fixture
def snapshot(project: Project) -> Snapshot:
    return frozen_stacks(project, pictures=3)


@pytest.fixture
def checkpoint(project: Project, snapshot: Snapshot) -> Checkpoint:
    parent = checkpoint_named(predictors.DEFAULT)
    return register_checkpoint(
        folder=folder_of(parent),
        name="street-1",
        project=project,
        parent=parent,
        snapshot=snapshot,
        recipe="tiny_cpu",
        metrics={"iou_layers": 0.8},
    )


def test_a_run_is_queued_watched_cancelled_and_resumed(as_alice: APIClient, snapshot: Snapshot) -> None:
    body = {"snapshot": str(snapshot.pk), "params": {"steps": 5}, "weights": {"validated": 1, "composite": 0}}
    answer = as_alice.post("/api/training-runs/", body, format="json")
    assert answer.status_code == 201
    found = answer.json()
    assert (found["status"], found["number"], found["parent"]) == ("queued", 1, predictors.DEFAULT)
    assert found["weights"] == {"validated": 1.0, "automatic": 0.0, "composite": 0.0}
    run = TrainingRun.objects.get(pk=found["id"])
    TrainingMetric.objects.create(run=run, kind="train", step=1, stage="x", numbers={"loss": 0.5, "samples_per_s": 4})
    url = f"/api/training-runs/{run.pk}/"
    assert as_alice.get(url).json()["series"] == [{"step": 1, "loss": 0.5, "samples_per_s": 4}]
    assert as_alice.post(f"{url}cancel/").json()["status"] == "cancelled"
    assert as_alice.post(f"{url}cancel/").json()["code"] == "not_live"
    assert as_alice.post(f"{url}resume/").json()["status"] == "queued"
    assert as_alice.post(f"{url}resume/").json()["code"] == "not_resumable"
    listed = as_alice.get("/api/training-runs/").json()["results"]
    assert [row["id"] for row in listed] == [str(run.pk)]


def test_a_run_can_freeze_what_is_accepted_now(as_alice: APIClient, snapshot: Snapshot, project: Project) -> None:
    answer = as_alice.post("/api/training-runs/", {"project": project.slug}, format="json")
    assert answer.status_code == 201
    assert TrainingRun.objects.get().snapshot.rows == snapshot.rows
    assert TrainingRun.objects.get().snapshot != snapshot


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"recipe": "huge"}, "unknown_recipe"),
        ({"recipe": "lora_sd3"}, "wrong_parent"),
        ({"parent": "absent"}, "unknown_checkpoint"),
        ({"parent": "cpu"}, "unknown_checkpoint"),
        ({"params": {"steps": 0}}, "bad_params"),
        ({"params": {"steps": True}}, "bad_params"),
        ({"params": {"base": "/etc"}}, "bad_params"),
        ({"params": {"rate": 1e99}}, "bad_params"),
        ({"weights": {"validated": -1}}, "bad_weights"),
        ({"weights": {"validated": 0, "composite": 0}}, "bad_weights"),
        ({"weights": {"votes": 1}}, "bad_weights"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_code(
    as_alice: APIClient, snapshot: Snapshot, change: dict[str, Any], code: str
) -> None:
    answer = as_alice.post("/api/training-runs/", {"snapshot": str(snapshot.pk), **change}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not TrainingRun.objects.exists()


def test_a_snapshot_that_is_not_frozen_is_refused(as_alice: APIClient, project: Project) -> None:
    snapshot = Snapshot.objects.create(project=project, name="later", rules={}, status=JobStatus.QUEUED)
    answer = as_alice.post("/api/training-runs/", {"snapshot": str(snapshot.pk)}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_frozen")


def test_annotators_may_not_train_and_strangers_see_nothing(
    as_bob: APIClient, as_charlie: APIClient, snapshot: Snapshot, checkpoint: Checkpoint
) -> None:
    body = {"snapshot": str(snapshot.pk)}
    for client, status in ((as_bob, 403), (as_charlie, 404)):
        assert client.post("/api/training-runs/", body, format="json").status_code == status
        assert client.post(f"/api/checkpoints/{checkpoint.pk}/promote/").status_code == status
    assert as_bob.get(f"/api/checkpoints/{checkpoint.pk}/").status_code == 200
    assert as_charlie.get(f"/api/checkpoints/{checkpoint.pk}/").status_code == 404
    assert as_charlie.get("/api/training-runs/").json()["results"] == []


def test_a_promotion_changes_what_the_project_uses_and_can_be_taken_back(
    as_alice: APIClient, checkpoint: Checkpoint, snapshot: Snapshot
) -> None:
    url = f"/api/checkpoints/{checkpoint.pk}/"
    assert not as_alice.get(url).json()["is_current"]
    evidence = {"votes": 40, "won": 0.7}
    promoted = as_alice.post(f"{url}promote/", {"evidence": evidence}, format="json").json()
    assert (promoted["checkpoint"], promoted["previous"], promoted["evidence"]) == ("street-1", None, evidence)
    assert as_alice.get(url).json()["is_current"]
    assert as_alice.post(f"{url}promote/").json()["code"] == "already_promoted"
    run = as_alice.post("/api/training-runs/", {"snapshot": str(snapshot.pk)}, format="json").json()
    assert run["parent"] == "street-1"
    assert as_alice.post(f"{url}undo/").json()["undone_at"]
    assert as_alice.post(f"{url}undo/").json()["code"] == "not_promoted"
    assert not as_alice.get(url).json()["is_current"]


def test_a_checkpoint_without_its_files_or_of_another_project_is_not_promoted(
    as_alice: APIClient, checkpoint: Checkpoint
) -> None:
    other = make_project("Other")
    user = make_user("dora")
    join(user, other, Role.CURATOR)
    join(user, checkpoint.project, Role.CURATOR)
    answer = client_of(user).post(f"/api/checkpoints/{checkpoint.pk}/promote/", {"project": other.slug}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "other_project")
    shutil.rmtree(django_settings.TRAINED_FOLDER / checkpoint.name)
    answer = as_alice.post(f"/api/checkpoints/{checkpoint.pk}/promote/")
    assert (answer.status_code, answer.json()["code"]) == (409, "checkpoint_missing")


def test_registering_again_is_the_same_and_other_weights_take_no_name(checkpoint: Checkpoint, tmp_path: Any) -> None:
    facts = {"project": checkpoint.project, "parent": None, "snapshot": None, "recipe": "", "metrics": {}}
    folder = folder_of(checkpoint)
    assert register_checkpoint(folder=folder, name=checkpoint.name, **facts) == checkpoint
    shutil.copytree(folder, tmp_path / "other")
    (tmp_path / "other" / "model_index.json").write_text("{}")
    with pytest.raises(Refusal, match="other weights"):
        register_checkpoint(folder=tmp_path / "other", name=checkpoint.name, **facts)
    assert Checkpoint.objects.filter(name=checkpoint.name).count() == 1


def test_a_finished_run_says_what_it_took(as_alice: APIClient, snapshot: Snapshot) -> None:
    run = TrainingRun.objects.create(
        project=snapshot.project,
        number=1,
        snapshot=snapshot,
        recipe="tiny_cpu",
        weights={},
        code_revision="x",
        trigger="api",
        status=JobStatus.FAILED,
        reason="out_of_disk: no space left",
    )
    assert as_alice.get(f"/api/training-runs/{run.pk}/").json()["error_code"] == "out_of_disk"


def test_recipes_use_what_was_promoted_and_others_never_see_it(
    as_alice: APIClient, alice: Any, charlie: Any, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, image = checkpoint.project, checkpoint.snapshot.items.first().image
    monkeypatch.setenv("RLD_HOME", str(django_settings.TRAINED_FOLDER.parent))
    promotion = promote_checkpoint(checkpoint, project=project)
    project.refresh_from_db()
    run = start_run(project=project, recipe_name="reflayer_tiny", images=[image.pk])
    (used,) = [stage["params"]["checkpoint"] for stage in run.recipe["stages"] if "checkpoint" in stage["params"]]
    assert used == checkpoint.name
    registry.load("completion", "reflayer_tiny", {"checkpoint": used})
    assert undo_promotion(promotion)
    project.refresh_from_db()
    assert recipes.find("reflayer_tiny").with_checkpoint(project.checkpoint) == recipes.find("reflayer_tiny")
    assert checkpoint.name in predictors_for(alice)
    assert checkpoint.name not in predictors_for(charlie)
    assert predictors.DEFAULT in predictors_for(charlie)
