"""Celery's way in. A message carries no work: it says "look into the database"."""

from __future__ import annotations

import time

from celery import shared_task

from engine.refusals import Refusal
from training.models import CheckpointLayers, Export, Prediction, Snapshot, TrainingRun
from training.services import checkpoint_layers, exports, freezing, predictions, training_runs, training_work
from training.services.doorbell import ring
from training.services.leases import LeaseLost, claim, give_up_on_poison, has_claimable

QUEUE = "cpu"
TURN_S = 60.0
"""After this long a worker lets other tasks have a turn and rings for itself."""


@shared_task(name="training.tasks.work")
def work() -> None:
    """Freeze what waits to be frozen, then write exports until nothing waits or it is another's turn."""
    started = time.monotonic()
    while (snapshot := claim(Snapshot)) is not None:
        try:
            freezing.work_on(snapshot)
        except Refusal as refusal:
            freezing.fail(snapshot, refusal)
        except LeaseLost:
            continue
    while (export := claim(Export)) is not None:
        try:
            for _ in exports.work_on(export):
                if time.monotonic() - started > TURN_S and export.is_live:
                    exports.give_back(export)
                    ring(QUEUE)
                    return
        except LeaseLost:
            continue


@shared_task(name=predictions.TASK)
def predict() -> None:
    """Answer prompts until none waits, with pipelines that stay loaded in this process."""
    started = time.monotonic()
    while (prediction := claim(Prediction)) is not None:
        try:
            predictions.work_on(prediction)
        except LeaseLost:
            continue
        if time.monotonic() - started > TURN_S:
            predictions.ring_for_answers()
            return


@shared_task(name=training_runs.TASK)
def train() -> None:
    """Take training runs to their end, one after the other. The trainer is a process of its own."""
    while (run := claim(TrainingRun)) is not None:
        try:
            training_work.work_on(run)
        except LeaseLost:
            continue


@shared_task(name=checkpoint_layers.TASK)
def make_layers() -> None:
    """Have checkpoints make the layers that wait to be made."""
    while (job := claim(CheckpointLayers)) is not None:
        try:
            checkpoint_layers.work_on(job)
        except LeaseLost:
            continue


@shared_task(name="training.tasks.sweep")
def sweep() -> None:
    """Every few seconds: ring where work waits or was abandoned."""
    give_up_on_poison(Snapshot, Export, Prediction, TrainingRun, CheckpointLayers)
    if has_claimable(Snapshot, Export):
        ring(QUEUE)
    if has_claimable(Prediction):
        predictions.ring_for_answers()
    if has_claimable(CheckpointLayers):
        checkpoint_layers.ring_for_layers()
    if has_claimable(TrainingRun):
        training_runs.ring_for_training()


@shared_task(name="training.tasks.forget_predictions")
def forget_predictions() -> None:
    """Every hour: what nobody looks at any more goes."""
    predictions.forget_old()
