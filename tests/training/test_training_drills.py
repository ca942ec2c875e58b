"""Whatever is killed in the middle of a training run: it ends where an unbroken one does, or with a code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from django.conf import settings as django_settings
from django.db import connection

from engine.models import Project
from tests.services import database_url
from tests.training.training import expire, frozen_stacks, short_run
from training.models import Checkpoint, JobStatus, Snapshot, TrainingRun
from training.services.leases import claim
from training.services.training_runs import cancel_training_run, resume_training_run
from training.services.training_work import folder_of_run
from training.tasks import train

PATIENCE_S = 240
STEPS = 7


@pytest.fixture
def snapshot(transactional_db: None, project: Project) -> Snapshot:
    return frozen_stacks(project, pictures=3)


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def trainers(run: TrainingRun) -> list[psutil.Process]:
    """Processes that train in the run's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if "training.reflayer.train" in process.cmdline() and str(run.pk) in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]


def steps_written(run: TrainingRun) -> int:
    path = folder_of_run(run) / "run" / "metrics.jsonl"
    return sum('"train"' in line for line in path.read_text().splitlines()) if path.exists() else 0


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """Another thread, as another person or the kernel would."""

    def acting() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=acting)
    thread.start()
    yield
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_trainer_worker_and_run_are_killed_and_nobody_can_tell_from_the_weights(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    params = {"steps": STEPS, "validation_samples": 1, "sample_every": 100}
    calm, broken = (short_run(snapshot, params=params) for _ in range(2))
    cancel_training_run(broken)
    train()
    calm.refresh_from_db()
    assert calm.status == JobStatus.FINISHED

    def kill_the_trainer() -> None:
        wait_for(lambda: steps_written(broken) >= 2)
        for process in trainers(broken):
            process.kill()
        wait_for(lambda: steps_written(broken) >= 4)
        cancel_training_run(broken)

    assert resume_training_run(broken)
    with meanwhile(kill_the_trainer):
        train()
    broken.refresh_from_db()
    assert broken.status == JobStatus.CANCELLED
    assert 2 <= broken.step < STEPS
    assert not trainers(broken), "a cancelled run's trainer is gone"

    assert resume_training_run(broken)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "rld_platform.settings",
        "DATABASE_URL": database_url(),
        "RLD_HOME": str(tmp_path),
    }
    started_again = steps_written(broken)
    worker = subprocess.Popen([sys.executable, "-m", "tests.training.training_worker"], env=environment)
    wait_for(lambda: steps_written(broken) > max(4, started_again))
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    wait_for(lambda: not trainers(broken))
    broken.refresh_from_db()
    assert broken.status == JobStatus.RUNNING
    assert claim(TrainingRun) is None, "nobody takes it while its lease lasts"
    expire(broken)
    train()
    broken.refresh_from_db()
    assert (broken.status, broken.step) == (JobStatus.FINISHED, STEPS)
    assert broken.checkpoint.digest == calm.checkpoint.digest
    steps = [list(run.series.filter(kind="train").values_list("step", flat=True)) for run in (calm, broken)]
    assert steps[0] == steps[1] == list(range(1, STEPS + 1))
    losses = [
        [row.numbers["loss"] for row in run.series.filter(kind="train").order_by("step")] for run in (calm, broken)
    ]
    assert losses[0] == losses[1]


def test_a_loss_that_is_not_finite_and_a_full_disk_end_with_a_code_and_touch_no_checkpoint(snapshot: Snapshot) -> None:
    wild = short_run(snapshot, params={"steps": 40, "rate": 1.0, "warmup_steps": 1, "save_every": 1000})
    full = short_run(snapshot)
    out = folder_of_run(full) / "run"
    out.mkdir(parents=True)
    (out / "state.pt.part").symlink_to("/dev/full")
    TrainingRun.objects.filter(pk=wild.pk).update(params={**wild.params, "rate": 1e30})
    before = {path: path.stat().st_mtime_ns for path in django_settings.CHECKPOINT_FOLDERS[0].rglob("*")}
    train()
    for run, code in ((wild, "non_finite"), (full, "out_of_disk")):
        run.refresh_from_db()
        assert run.status == JobStatus.FAILED
        assert run.error_code.startswith(code), run.reason
        assert run.checkpoint is None
    assert not Checkpoint.objects.filter(project=snapshot.project).exists()
    assert not django_settings.TRAINED_FOLDER.exists()
    assert {path: path.stat().st_mtime_ns for path in django_settings.CHECKPOINT_FOLDERS[0].rglob("*")} == before

    (out / "state.pt.part").unlink()
    assert resume_training_run(full)
    train()
    full.refresh_from_db()
    assert full.status == JobStatus.FINISHED
