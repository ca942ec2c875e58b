"""What a worker does with a training run it holds: write the dataset, run the trainer, read its progress, register."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from engine.models import Project
from engine.refusals import Refusal
from training.models import JobStatus, TrainingRun
from training.run_process import is_disk_full
from training.selectors.training_runs import reserved_pictures_of
from training.services.automatic_layers import write_automatic_layers
from training.services.checkpoint_layers import start_checkpoint_layers
from training.services.checkpoints import folder_of, register_checkpoint
from training.services.exports import export_here
from training.services.leases import MAX_ATTEMPTS, LeaseLost, ended_as, heartbeat, write
from training.services.reservations import refuse_reserved
from training.services.training_progress import CONFIG, ProgressReader
from training.services.training_runs import mix_of, ring_for_training
from training.trainer_process import TrainerProcess, cuda_devices, trainer_command

POLL_S = 0.5
"""How often the trainer's progress is read, and how long it lives after a cancel."""
DATASET, AUTOMATIC, RUN = "dataset", "automatic", "run"


def work_on(run: TrainingRun) -> None:
    """Take a claimed run to its end; what goes wrong ends it with a code, and never touches another checkpoint.

    What became gold, or part of a benchmark or of votes, since the freeze ends it with ``reserved_pictures``.
    A trainer that was killed leaves the run queued, to go on from its last saved state; after ``MAX_ATTEMPTS`` claims
    without a step in between it is failed. Raises ``LeaseLost`` when it was cancelled or another worker has it.
    """
    with heartbeat(run):
        write(run, started_at=run.started_at or timezone.now())
        try:
            refuse_reserved(reserved_pictures_of(run), "Freeze again, without them.")
            _train(run)
        except Refusal as refusal:
            write(run, **ended_as(JobStatus.FAILED, reason=f"{refusal.code}: {refusal}"[:500]))
        except OSError as error:
            if not is_disk_full(error):
                raise
            write(run, **ended_as(JobStatus.FAILED, reason=f"out_of_disk: {error}"[:500]))


def folder_of_run(run: TrainingRun) -> Path:
    folder: Path = settings.TRAINING_FOLDER / str(run.pk)
    return folder


def name_for(run: TrainingRun) -> str:
    """Of the checkpoint that it makes: the project and the run's number, which no other run has."""
    slug = run.project.slug
    return f"{slug if len(slug) <= 80 else f'{slug[:71]}-{run.project_id.hex[:8]}'}-{run.number}"


def _train(run: TrainingRun) -> None:
    folder = folder_of_run(run)
    out = folder / RUN
    arguments = _arguments(run, folder, out)
    progress = ProgressReader(run, out)
    trainer = TrainerProcess(trainer_command(arguments, cuda_devices()), out, settings.BASE_DIR)
    trained_s, started = run.trained_s, time.monotonic()
    try:
        while trainer.code is None:
            trainer.wait(POLL_S)
            _save(run, progress, trained_s + time.monotonic() - started)
        _save(run, progress, trained_s + time.monotonic() - started)
    finally:
        trainer.kill()
    _finish(run, trainer, out, folder)


def _save(run: TrainingRun, progress: ProgressReader, trained_s: float) -> None:
    changes = progress.read()
    if changes.get("step", 0) > run.step:
        changes["attempts"] = 0
    write(run, trained_s=trained_s, **changes)


def _arguments(run: TrainingRun, folder: Path, out: Path) -> list[str]:
    """Written anew for each claim; files that are there are not written again."""
    if (out / CONFIG).exists():
        _write_data(run, folder)
        return ["--out", str(out), "--resume", "--ends-with-parent"]
    has_automatic = _write_data(run, folder)
    arguments = ["--config", run.recipe, "--out", str(out), "--ends-with-parent"]
    arguments += ["--mix", mix_of(run).to_option()]
    if run.weights["validated"] > 0:
        arguments += ["--dataset", str(folder / DATASET)]
    if has_automatic:
        arguments += ["--automatic", str(folder / AUTOMATIC)]
    if run.parent is not None:
        arguments += ["--base", str(folder_of(run.parent))]
    params = dict(run.params)
    for name in ("steps", "seed"):
        if name in params:
            arguments += [f"--{name}", str(params.pop(name))]
    return [*arguments, "--params", json.dumps(params)]


def _write_data(run: TrainingRun, folder: Path) -> bool:
    """The snapshot as a dataset folder, part by part; whether there are automatic layers beside it."""
    if run.weights["validated"] > 0:
        for _ in export_here(snapshot=run.snapshot, format="folder", out=folder / DATASET):
            write(run, log="writing the dataset")
    return run.weights["automatic"] > 0 and write_automatic_layers(run, folder / AUTOMATIC)


def _finish(run: TrainingRun, trainer: TrainerProcess, out: Path, folder: Path) -> None:
    code = trainer.code
    if code == 0:
        _register(run, out, trainer.document().get("metrics", {}))
        shutil.rmtree(folder, ignore_errors=True)
    elif code is not None and code > 0:
        write(run, **ended_as(JobStatus.FAILED, reason=_why(trainer.log(), code)))
    elif run.attempts < MAX_ATTEMPTS:
        with transaction.atomic():
            write(run, status=JobStatus.QUEUED, lease=None, lease_expires_at=None)
            transaction.on_commit(ring_for_training)
    else:
        why = "trainer_lost: the trainer was killed again and again without a step in between"
        write(run, **ended_as(JobStatus.FAILED, reason=why))


def _register(run: TrainingRun, out: Path, metrics: dict[str, Any]) -> None:
    """The checkpoint and the run's end, both or neither."""
    if not TrainingRun.objects.filter(pk=run.pk, lease=run.lease).exists():
        raise LeaseLost
    with transaction.atomic():
        checkpoint = register_checkpoint(
            folder=out / "checkpoint",
            name=name_for(run),
            project=Project.objects.get(pk=run.project_id),
            parent=run.parent,
            snapshot=run.snapshot,
            recipe=run.recipe,
            metrics=metrics,
        )
        write(run, **ended_as(JobStatus.FINISHED, checkpoint=checkpoint, step=run.steps))
        start_checkpoint_layers(checkpoint, run.project)


def _why(log: str, code: int) -> str:
    """The trainer's last line if it is ``code: sentence``, as for everything it foresees; else what Python said."""
    last = next((line for line in reversed(log.strip().splitlines()) if line.strip()), "")
    head = last.partition(": ")[0]
    is_code = head.isidentifier() and head.islower()
    return (last if is_code else f"trainer_failed: exit code {code}, {last}")[:500]
