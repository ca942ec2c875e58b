"""A worker with a device: images ahead, several threads in one stage, and what goes wrong in one of them."""

import threading

import pytest
from django.core.files.storage import default_storage

from engine.models import ItemStatus, Layer, RunItem
from engine.services import pipeline, runs, work
from engine.services.leases import claim_items, register_worker
from tests.engine.scenes import composite_image
from tests.factories import make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(work, "BATCH", {"cpu": 2, "gpu": 2})


def gpu_run(project, count):
    for seed in range(7, 7 + count):
        composite_image(project, seed)
    run = runs.start_run(project=project)
    run.items.update(queue="gpu")
    return run


def test_the_next_images_are_claimed_while_the_last_stage_works_on_these(project, small_batches, monkeypatch):
    run = gpu_run(project, 4)
    stages = []

    def claiming(*args):
        stages.append(set(run.items.values_list("stages_done", flat=True)))
        return claim_items(*args)

    monkeypatch.setattr(work, "claim_items", claiming)
    taken = work.batches(register_worker("gpu"), "gpu")
    assert next(taken) == 2
    assert run.items.filter(status=ItemStatus.RUNNING).count() == 2
    assert list(taken) == [2]
    assert run.items.filter(status=ItemStatus.FINISHED).count() == 4
    assert max(stages[1]) < 6


def test_a_worker_of_the_processor_claims_when_it_is_done(project, small_batches):
    run = gpu_run(project, 4)
    run.items.update(queue="cpu")
    taken = work.batches(register_worker("cpu"), "cpu")
    assert next(taken) == 2
    assert not run.items.filter(status=ItemStatus.RUNNING).exclude(stages_done=0).exists()
    assert list(taken) == [2]


def test_nothing_more_is_claimed_when_the_turn_is_over_and_what_was_claimed_is_done(project, small_batches):
    run = gpu_run(project, 4)
    answers = iter([True, False])
    assert list(work.batches(register_worker("gpu"), "gpu", goes_on=lambda: next(answers))) == [2]
    assert sorted(run.items.values_list("status", flat=True)) == ["finished", "finished", "queued", "queued"]


def test_an_image_whose_file_is_gone_fails_alone(project, small_batches):
    run = gpu_run(project, 2)
    gone = run.items.first()
    default_storage.delete(gone.image.picture.name)
    assert work.work(register_worker("gpu"), "gpu") == 2
    gone.refresh_from_db()
    assert (gone.status, gone.stages_done) == (ItemStatus.FAILED, 0)
    assert gone.reason.startswith("FileNotFoundError")
    assert run.items.exclude(pk=gone.pk).get().status == ItemStatus.FINISHED


def test_a_defect_in_a_thread_reaches_the_worker_and_its_images_are_given_again(project, small_batches, monkeypatch):
    run = gpu_run(project, 2)
    with monkeypatch.context() as broken:
        broken.setattr(pipeline, "run_stage", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            work.work(register_worker("gpu"), "gpu")
    RunItem.objects.update(lease_expires_at="2020-01-01T00:00:00Z")
    assert list(work.batches(register_worker("gpu"), "gpu")) == [1, 1]
    assert run.items.filter(status=ItemStatus.FINISHED).count() == 2


def test_files_that_cannot_be_written_stop_the_worker_and_not_for_ever(project, small_batches, monkeypatch):
    gpu_run(project, 2)

    def full(*args):
        raise OSError("No space left on device")

    monkeypatch.setattr(pipeline, "make", full)
    monkeypatch.setattr(pipeline, "_MOST_UNSAVED", 1)
    with pytest.raises(OSError, match="No space"):
        work.work(register_worker("gpu"), "gpu")
    assert "device" not in {thread.name.partition("_")[0] for thread in threading.enumerate()}


def test_layers_are_the_same_with_one_thread_and_with_many(small_batches, monkeypatch):
    made = []
    for threads in (1, 4):
        monkeypatch.setattr(work, "THREADS", {"cpu": 1, "gpu": threads})
        run = gpu_run(make_project(), 3)
        list(work.batches(register_worker("gpu"), "gpu"))
        made.append(sorted(Layer.objects.filter(item__run=run).values_list("image__sha256", "key", "sha256")))
    assert made[0] == made[1] != []
