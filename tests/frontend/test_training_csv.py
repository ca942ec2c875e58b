"""The loss of a training run and the composition of a snapshot come as CSV."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from engine.models import Project
from tests.frontend.csv_files import csv_of
from tests.training.frozen import make_stack
from training.models import Snapshot, TrainingMetric
from training.rules import Rules
from training.services.freezing import freeze_snapshot
from training.services.training_runs import start_training_run


@pytest.fixture
def snapshot(project: Project, bob: Any) -> Snapshot:
    for number in range(4):
        make_stack(project, number, (bob,))
    return freeze_snapshot(project=project, name="First", rules=Rules())


def test_every_step_of_a_run_is_in_the_file_with_a_gap_where_the_loss_was_not_finite(
    snapshot: Snapshot, bob: Any, as_bob: Client
) -> None:
    run = start_training_run(snapshot=snapshot, user=bob, weights={"validated": 1})
    for step, loss in ((1, 0.5), (2, None), (3, 0.25)):
        numbers = {"loss": loss, "lr": 2e-4}
        TrainingMetric.objects.create(run=run, kind="train", step=step, stage="fine-tuning", numbers=numbers)
    rows = csv_of(as_bob, f"/training-runs/{run.pk}/?csv=steps")
    assert [(row["step"], row["loss"]) for row in rows] == [("1", "0.5"), ("2", ""), ("3", "0.25")]
    assert csv_of(as_bob, f"/training-runs/{run.pk}/?csv=held-out") == []
    assert "csv=steps" in as_bob.get(f"/training-runs/{run.pk}/").content.decode()


def test_the_composition_counts_every_layer_once_in_every_chart(snapshot: Snapshot, as_bob: Client) -> None:
    rows = csv_of(as_bob, f"/snapshots/{snapshot.pk}/?csv=composition")
    for chart in ("Kind", "Category", "Licence of the photo"):
        assert sum(int(row["Layers"]) for row in rows if row["By"] == chart) == snapshot.rows
    assert as_bob.get(f"/snapshots/{snapshot.pk}/?csv=others").status_code == 404
