"""Checkpoints of a project, and votes between them, for tests of gates."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings

from annotation.services.votes import claim_comparisons, record_vote
from engine.models import Project, Role
from evaluation.models import EvaluationRun
from evaluation.services.evaluations import work_on
from tests.factories import join, make_user
from training.models import Checkpoint, CheckpointLayers
from training.reflayer.tiny.pipeline import SHIPPED
from training.services.checkpoint_layers import work_on as make_layers
from training.services.checkpoints import register_checkpoint
from training.services.leases import claim


def new_checkpoint(project: Project, name: str = "street-1") -> Checkpoint:
    """The shipped weights under another name: another producer."""
    folder = Path(settings.TRAINING_FOLDER) / name
    shutil.copytree(SHIPPED, folder)
    return register_checkpoint(
        folder=folder, name=name, project=project, parent=None, snapshot=None, recipe="tiny_cpu", metrics={}
    )


def work_off() -> None:
    """As a worker does: all evaluations, then all layers that checkpoints were asked for."""
    while (run := claim(EvaluationRun)) is not None:
        work_on(run)
    while (job := claim(CheckpointLayers)) is not None:
        make_layers(job)


def vote_for(project: Project, winner: Checkpoint, votes: int, voter: str = "voter") -> int:
    """One person votes for a checkpoint's layers, as long as there is something to vote on; how often."""
    user = make_user(voter)
    join(user, project, Role.ANNOTATOR)
    given = 0
    while given < votes and (shown := claim_comparisons(user=user, project=project)):
        is_left = shown[0].left.producer_id == winner.producer_id
        record_vote(user=user, comparison=shown[0], choice="left" if is_left else "right", client_id=f"{voter}-{given}")
        given += 1
    return given
