from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction

from engine.models import EngineRun, ItemStatus, Layer, RunItem, RunStatus, StageRun
from engine.records import STAGES
from engine.refusals import Refusal
from engine.services import runs
from engine.services import work as module
from engine.services.leases import MAX_ATTEMPTS, claim_items, register_worker
from engine.services.work import work
from tests.engine.scenes import composite_image
from tests.factories import make_image, make_project


@pytest.fixture
def worker(db):
    return register_worker("cpu")


def expire(item):
    RunItem.objects.filter(pk=item.pk).update(lease_expires_at="2020-01-01T00:00:00Z")


def test_a_run_takes_an_image_through_all_six_stages_to_layers(project, worker):
    composite_image(project)
    run = runs.start_run(project=project)
    assert work(worker, "cpu") == 1
    run.refresh_from_db()
    assert run.status == RunStatus.FINISHED
    assert list(run.stage_runs.order_by("id").values_list("stage", flat=True)) == list(STAGES)
    layers = Layer.objects.filter(item__run=run)
    assert {layer.kind for layer in layers} == {"foreground", "background"}
    assert all(layer.prompts.exists() for layer in layers.filter(status="ready"))
    assert run.stage_runs.exclude(preview="").count() == len(STAGES)


def test_one_scene_file_stays_without_the_layers_that_are_in_the_store(project, worker, settings):
    composite_image(project)
    run = runs.start_run(project=project)
    work(worker, "cpu")
    (path,) = [path for path in (settings.MEDIA_ROOT / "scenes").rglob("*") if path.is_file()]
    assert path == settings.MEDIA_ROOT / run.items.get().scene_file
    with np.load(path) as file:
        assert not [name for name in file.files if "layer" in name]


def test_a_second_start_finds_nothing_to_do(project):
    make_image(project)
    runs.start_run(project=project)
    with pytest.raises(Refusal) as refusal:
        runs.start_run(project=project)
    assert refusal.value.code == "nothing_to_do"
    assert EngineRun.objects.count() == 1


def test_another_recipe_on_the_same_image_is_another_run(project):
    make_image(project)
    runs.start_run(project=project)
    assert runs.start_run(project=project, recipe_name="cpu_auto").items.count() == 1


def test_images_of_another_project_are_refused(project):
    other = make_image(make_project())
    with pytest.raises(Refusal, match="not in the project"):
        runs.start_run(project=project, images=[other.id])


def test_the_database_refuses_two_live_items_of_one_image_and_recipe(project):
    image = make_image(project)
    run = runs.start_run(project=project)
    item = run.items.get()
    other = EngineRun.objects.create(project=project, producer=run.producer, recipe=run.recipe, code_revision="x")
    with pytest.raises(IntegrityError, match="one_live_run_per_image_and_recipe"), transaction.atomic():
        RunItem.objects.create(run=other, image=image, recipe_digest=item.recipe_digest, queue="cpu")


@pytest.mark.django_db(transaction=True)
def test_starts_at_the_same_moment_queue_every_image_once():
    project = make_project()
    images = {make_image(project, seed=number).id for number in range(1, 13)}

    def start(_):
        try:
            return runs.start_run(project=project).id
        except Refusal:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(8)))
    assert sorted(RunItem.objects.values_list("image_id", flat=True)) == sorted(images)


def test_a_waiting_image_is_given_to_one_worker_only(project, worker):
    make_image(project)
    runs.start_run(project=project)
    assert len(claim_items(worker, "cpu", 5)) == 1
    assert claim_items(worker, "cpu", 5) == []


def test_no_more_are_given_than_asked_for_when_the_planner_takes_the_queue_for_empty(project, worker):
    """It then chose the images anew for every row that it met, and took them all."""
    make_image(project, seed=1)
    runs.start_run(project=project)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE engine_runitem")
    for seed in range(2, 9):
        make_image(project, seed=seed)
    runs.start_run(project=project)
    assert len(claim_items(worker, "cpu", 2)) == 2


def test_an_image_whose_lease_ended_is_given_again(project, worker):
    make_image(project)
    runs.start_run(project=project)
    (first,) = claim_items(worker, "cpu", 1)
    expire(first)
    (second,) = claim_items(worker, "cpu", 1)
    assert second.pk == first.pk
    assert second.lease != first.lease
    assert second.attempts == 2


def test_who_lost_the_lease_writes_nothing(project, worker, monkeypatch):
    """Two workers on one image: the slow one comes back when the other has it, and must not add a second layer."""
    composite_image(project)
    runs.start_run(project=project)
    (slow,) = claim_items(worker, "cpu", 1)
    expire(slow)
    assert work(worker, "cpu") == 1
    layers = Layer.objects.count()
    with monkeypatch.context() as late:
        late.setattr(module, "claim_items", lambda *args: [slow])
        work(worker, "cpu")
    assert Layer.objects.count() == layers
    assert StageRun.objects.count() == len(STAGES)


def test_an_image_that_takes_down_its_workers_is_found_among_many(project, worker):
    """Its worker dies whenever it is held; the others of its batch are not given up with it."""
    for seed in range(1, 17):
        make_image(project, seed=seed)
    run = runs.start_run(project=project)
    poison = run.items.order_by("created_at")[5]
    while items := claim_items(worker, "cpu", 16):
        held = run.items.filter(pk__in=[item.pk for item in items])
        if poison in items:
            held.update(lease_expires_at="2020-01-01T00:00:00Z")
        else:
            held.update(status=ItemStatus.FINISHED, lease=None, lease_expires_at=None)
    assert runs.give_up_on_poison(MAX_ATTEMPTS) == 1
    assert list(run.items.filter(status=ItemStatus.FAILED)) == [poison]
    assert run.items.filter(status=ItemStatus.FINISHED).count() == 15


def test_an_image_that_takes_down_its_workers_is_given_up(project, worker):
    make_image(project)
    run = runs.start_run(project=project)
    for _ in range(MAX_ATTEMPTS):
        (item,) = claim_items(worker, "cpu", 1)
        expire(item)
    assert claim_items(worker, "cpu", 1) == []
    assert runs.give_up_on_poison(MAX_ATTEMPTS) == 1
    assert runs.finish_runs() == 1
    item.refresh_from_db()
    run.refresh_from_db()
    assert (item.status, run.status) == (ItemStatus.FAILED, RunStatus.FINISHED)
    assert item.reason.startswith("worker_lost")


def test_a_cancelled_run_stops_at_the_next_stage(project, worker, monkeypatch):
    composite_image(project)
    run = runs.start_run(project=project)

    def cancelling(item, report, made, save=module.save):
        save(item, report, made)
        if report.stage == "scene":
            runs.cancel_run(run.id)

    monkeypatch.setattr(module, "save", cancelling)
    work(worker, "cpu")
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    assert list(run.stage_runs.values_list("stage", flat=True)) == ["prefilter", "scene"]
    assert not Layer.objects.exists()


def test_a_finished_run_cannot_be_cancelled(project, worker):
    composite_image(project)
    run = runs.start_run(project=project)
    work(worker, "cpu")
    assert runs.cancel_run(run.id) is False


def test_retry_goes_on_after_the_last_finished_stage(project, worker, monkeypatch):
    composite_image(project)
    run = runs.start_run(project=project)
    from engine.stages.postprocess import closed_form

    with monkeypatch.context() as broken:
        broken.setattr(closed_form.ClosedForm, "__call__", lambda self, scenes: 1 / 0)
        work(worker, "cpu")
    item = run.items.get()
    assert (item.status, item.stages_done) == (ItemStatus.FAILED, 3)
    assert "ZeroDivisionError" in run.stage_runs.get(stage="postprocess").reason
    before = dict(run.stage_runs.filter(stage="scene").values_list("stage", "finished_at"))
    assert runs.retry_run(run.id) == 1
    work(worker, "cpu")
    item.refresh_from_db()
    assert item.status == ItemStatus.FINISHED
    assert dict(run.stage_runs.filter(stage="scene").values_list("stage", "finished_at")) == before
    assert run.stage_runs.get(stage="postprocess").outcome == "kept"


def test_weights_that_are_missing_fail_the_pictures_with_the_command_that_gets_them(project, worker, monkeypatch):
    composite_image(project)
    monkeypatch.setenv("RLD_WEIGHTS", "/nowhere")
    run = runs.start_run(project=project, recipe_name="permissive")
    work(worker, "gpu")
    item = run.items.get()
    assert (item.status, item.stages_done) == (ItemStatus.FAILED, 1)
    assert item.reason.startswith("missing_weights: ")
    assert "manage.py fetch_weights rf_detr_seg_large" in item.reason


def test_seconds_tokens_and_device_time_stand_with_every_stage(project, worker, monkeypatch):
    """A stage that computes for a while and asks a language network, as backends with networks do."""
    from engine.accounts import METER
    from engine.stages.prompts.templates import Templates
    from engine.stages.roles import Answer

    class Asking(Templates):
        def __call__(self, scenes):
            with METER.device("cpu"):
                METER.answers([Answer("", tokens=21)])
                return super().__call__(scenes)

    composite_image(project)
    run = runs.start_run(project=project)
    monkeypatch.setattr("engine.stages.prompts.templates.Templates", Asking)
    work(worker, "cpu")
    row = run.stage_runs.get(stage="prompts")
    assert row.tokens == 21
    assert 0 < row.device_s <= row.seconds
    assert set(run.stage_runs.exclude(stage="prompts").values_list("tokens", flat=True)) == {0}
