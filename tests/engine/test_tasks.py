"""Workers as processes: real Celery on the filesystem broker, and on Redis where there is one."""

import pytest

from engine.models import ItemStatus, Layer, RunItem, RunStatus, StageRun, Worker
from engine.records import STAGES
from engine.services import runs
from tests.engine.scenes import composite_image
from tests.factories import make_project
from tests.services import REDIS_URL, missing
from tests.workers import kill, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def is_over(run):
    run.refresh_from_db()
    return run.status == RunStatus.FINISHED


def test_a_worker_finds_the_work_without_any_message(start_worker):
    """The run is started while nobody listens: the sweeper finds it in the database."""
    project = make_project()
    composite_image(project)
    run = runs.start_run(project=project)
    start_worker()
    wait_until(lambda: is_over(run), "the run is finished")
    assert Worker.objects.filter(queue="cpu").exists()


def test_a_worker_killed_in_the_middle_of_a_stage_loses_nothing_and_repeats_no_layer(start_worker):
    project = make_project()
    for seed in (7, 8):
        composite_image(project, seed, size_px=1024)  # large enough to be caught in the middle
    run = runs.start_run(project=project)
    first = start_worker()
    wait_until(lambda: run.items.filter(status=ItemStatus.RUNNING, stages_done__gte=1).exists(), "work began")
    kill(first)
    held = set(run.items.filter(status=ItemStatus.RUNNING).values_list("pk", flat=True))
    reports = dict(StageRun.objects.filter(run=run).values_list("pk", "finished_at"))
    assert held
    start_worker()
    wait_until(lambda: is_over(run), "the run is finished after the lease")
    assert set(run.items.values_list("status", flat=True)) == {ItemStatus.FINISHED}
    assert RunItem.objects.filter(pk__in=held, attempts=2).count() == len(held)
    assert StageRun.objects.filter(run=run).count() == 2 * len(STAGES)
    assert dict(StageRun.objects.filter(pk__in=reports).values_list("pk", "finished_at")) == reports
    keys = list(Layer.objects.values_list("item", "key"))
    assert len(keys) == len(set(keys)) > 2


def test_a_gpu_worker_shows_itself_before_any_work_and_takes_the_queue_of_gpus(start_worker):
    """One process with the solo pool, as on a machine with a GPU; here its device is the CPU. Another one sweeps."""
    start_worker("gpu", RLD_DEVICE="cpu")
    wait_until(lambda: Worker.objects.filter(queue="gpu").exists(), "the worker shows itself")
    shown = Worker.objects.get(queue="gpu")
    assert (shown.device, shown.resident) == ("cpu", [])
    assert min(shown.memory_mb, shown.device_free_mb) > 0
    project = make_project()
    composite_image(project)
    run = runs.start_run(project=project)
    run.items.update(queue="gpu")
    start_worker()
    wait_until(lambda: not run.items.filter(status__in=("queued", "running")).exists(), "the picture is done")
    assert run.items.get().worker_id == shown.pk
    heard_at = Worker.objects.get(pk=shown.pk).heartbeat_at
    wait_until(lambda: Worker.objects.get(pk=shown.pk).heartbeat_at > heard_at, "it is heard while it waits")


@pytest.mark.redis
def test_the_same_over_redis(start_worker):
    import redis

    try:
        redis.Redis.from_url(REDIS_URL).ping()
    except redis.ConnectionError:
        missing("no Redis server answers at the address in TEST_REDIS_URL (default 127.0.0.1:6379)")
    project = make_project()
    composite_image(project)
    run = runs.start_run(project=project)
    start_worker(CELERY_BROKER_URL=REDIS_URL)
    wait_until(lambda: is_over(run), "the run is finished")
