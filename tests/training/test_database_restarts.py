"""The database restarts in the middle of a freeze, an export or a training run: it ends as if nothing had happened."""

from __future__ import annotations

import hashlib

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from engine.models import Project
from tests.restarts import cut_connections, database_restarts_at, falls_over_the_restart
from tests.services import database_url
from tests.training.frozen import make_many
from tests.training.test_training_drills import meanwhile, steps_written, trainers, wait_for
from tests.training.training import frozen_stacks, short_run
from training.models import Checkpoint, Export, JobStatus, Snapshot
from training.models.jobs import Job
from training.rules import Rules
from training.services.exports import start_export
from training.services.freezing import freeze_snapshot, request_snapshot
from training.tasks import train, work

PICTURES = 40


@pytest.fixture
def many(transactional_db: None, project: Project) -> Project:
    make_many(project, PICTURES)
    return project


def expire(job: Job) -> None:
    type(job)._default_manager.filter(pk=job.pk).update(lease_expires_at=timezone.now())
    job.refresh_from_db()
    assert job.status == JobStatus.RUNNING


def stored_bytes(folder: str) -> str:
    total = hashlib.sha256()
    for name in sorted(default_storage.listdir(folder)[1]):
        with default_storage.open(f"{folder}/{name}") as file:
            total.update(file.read())
    return total.hexdigest()


@pytest.mark.parametrize(
    "spot",
    [
        "training.services.freezing.RowSum.add_all",
        "training.services.freezing.default_storage.save",
        "training.services.freezing.ended_as",
    ],
    ids=["reading", "storing the manifest", "storing the rows"],
)
def test_a_freeze_is_done_once_and_whole(many: Project, spot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = freeze_snapshot(project=many, name="calm", rules=Rules())
    monkeypatch.setattr("training.services.freezing.AT_ONCE", 2)
    snapshot = request_snapshot(project=many, name="broken", rules=Rules())
    with database_restarts_at(monkeypatch, spot):
        work()
    assert not snapshot.items.exists()
    expire(snapshot)
    work()
    snapshot.refresh_from_db()
    assert (snapshot.status, snapshot.digest, snapshot.rows) == (JobStatus.FINISHED, calm.digest, calm.rows)
    assert snapshot.items.count() == snapshot.rows == 3 * PICTURES
    assert Snapshot.objects.count() == 2


@pytest.mark.parametrize(
    "spot",
    ["training.services.exports.default_storage.save", "training.services.exports.ExportFile.objects.bulk_create"],
    ids=["storing a part", "saying that it is stored"],
)
def test_an_export_goes_on_to_the_same_bytes(many: Project, spot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = freeze_snapshot(project=many, name="many", rules=Rules())
    calm, broken = (start_export(snapshot=snapshot, format="webdataset", part_rows=30) for _ in range(2))
    Export.objects.filter(pk=broken.pk).update(status=JobStatus.CANCELLED)
    work()
    Export.objects.filter(pk=broken.pk).update(status=JobStatus.QUEUED)
    with database_restarts_at(monkeypatch, spot, call=2):
        work()
    expire(broken)
    assert broken.parts_done == 1
    work()
    broken.refresh_from_db()
    assert (broken.status, broken.rows_done) == (JobStatus.FINISHED, snapshot.rows)
    assert stored_bytes(f"exports/{broken.pk}") == stored_bytes(f"exports/{calm.pk}")
    assert broken.files.count() == Export.objects.get(pk=calm.pk).files.count()


def test_a_training_run_goes_on_to_the_same_weights(
    transactional_db: None, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = frozen_stacks(project, pictures=3)
    params = {"steps": 6, "validation_samples": 1, "sample_every": 100}
    calm = short_run(snapshot, params=params)
    train()
    broken = short_run(snapshot, params=params)
    url = database_url()

    def restart() -> None:
        wait_for(lambda: steps_written(broken) >= 2)
        cut_connections(url)

    with meanwhile(restart), falls_over_the_restart():
        train()
    assert not trainers(broken)
    expire(broken)
    assert not Checkpoint.objects.filter(run=broken).exists()
    with database_restarts_at(monkeypatch, "training.services.checkpoints._new"):
        train()
    expire(broken)
    train()
    calm.refresh_from_db()
    broken.refresh_from_db()
    assert (broken.status, broken.step) == (JobStatus.FINISHED, 6)
    assert broken.checkpoint.digest == calm.checkpoint.digest
    assert Checkpoint.objects.filter(project=project).count() == 2
    assert list(broken.series.filter(kind="train").values_list("step", flat=True)) == list(range(1, 7))
