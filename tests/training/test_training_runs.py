"""Training runs end right: with a checkpoint that can be used, or with a code and nothing touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from annotation.models import Comparison, GoldItem
from engine.models import Layer, LayerStatus, Producer, Project
from tests.training.training import frozen_stacks, short_run
from training import predictors
from training.checkpoint_folder import digest_of
from training.models import Checkpoint, CheckpointLayers, JobStatus, Snapshot
from training.selectors.training_runs import reserved_pictures_of
from training.services.checkpoints import folder_of
from training.services.reservations import Look, reserve_looks
from training.tasks import make_layers, train


@pytest.fixture
def snapshot(transactional_db: None, project: Project) -> Snapshot:
    return frozen_stacks(project)


def test_a_run_makes_a_checkpoint_that_answers_prompts_and_meets_others_in_the_arena(snapshot: Snapshot) -> None:
    run = short_run(snapshot)
    train()
    run.refresh_from_db()
    assert (run.status, run.reason) == (JobStatus.FINISHED, "")
    assert (run.step, run.steps) == (3, 3)
    checkpoint = Checkpoint.objects.get(run=run)
    assert checkpoint.name == "street-and-studio-1"
    assert checkpoint.parent.name == predictors.DEFAULT
    assert checkpoint.snapshot == snapshot
    assert 0 <= checkpoint.metrics["iou_composites"] <= 1
    assert predictors.find(checkpoint.name, django_settings.CHECKPOINT_FOLDERS).is_small
    assert digest_of(folder_of(checkpoint)) == checkpoint.digest != checkpoint.parent.digest
    assert checkpoint.producer.kind == Producer.Kind.CHECKPOINT
    series = list(run.series.filter(kind="train").values_list("step", flat=True))
    assert series == [1, 2, 3]
    assert list(run.samples.values_list("step", flat=True)) == [0, 2, 3]
    assert list(run.series.filter(kind="validation").values_list("step", flat=True)) == [0, 3]
    assert not (django_settings.TRAINING_FOLDER / str(run.pk)).exists()

    make_layers()
    job = CheckpointLayers.objects.get(checkpoint=checkpoint)
    assert (job.status, job.images_done) == (JobStatus.FINISHED, len(job.images))
    made = Layer.objects.filter(producer=checkpoint.producer)
    assert made.count() == job.layers_made > 0
    assert set(made.values_list("status", flat=True)) == {LayerStatus.READY}
    trained = set(snapshot.items.filter(split="train").values_list("image_id", flat=True))
    assert not trained & set(made.values_list("image_id", flat=True))


def make_gold(layer: Layer) -> None:
    GoldItem.objects.create(project=layer.project, layer=layer, is_acceptable=True, origin="truth")


def ask_for_votes(layer: Layer) -> None:
    other = layer.image.layers.exclude(pk=layer.pk).first()
    Comparison.objects.create(
        project=layer.project, image=layer.image, board="foreground", left=layer, right=other, pair=layer.pk,
        available_at=timezone.now(), random_key=0.5,
    )  # fmt: skip


def measure_on_a_twin(layer: Layer) -> None:
    look = Look("twin.png", "0" * 64, layer.image.perceptual_hash ^ 0b11)
    reserve_looks(project=layer.project, purpose="benchmark", reserved_for="held out", looks=[look])


@pytest.mark.parametrize(
    ("reserve", "why"),
    [
        (make_gold, "(gold)"),
        (ask_for_votes, "(vote)"),
        (measure_on_a_twin, "looks like twin.png (benchmark held out)"),
    ],
)
def test_a_picture_that_became_reserved_after_the_freeze_is_named_and_never_trained_on(
    snapshot: Snapshot, reserve: Callable[[Layer], None], why: str
) -> None:
    run = short_run(snapshot)
    layer = Layer.objects.get(pk=snapshot.items.filter(split="train").values("layer")[:1])
    reserve(layer)
    train()
    run.refresh_from_db()
    assert (run.status, run.error_code) == (JobStatus.FAILED, "reserved_pictures")
    assert layer.image.original_name in run.reason
    assert why in run.reason
    assert not (django_settings.TRAINING_FOLDER / str(run.pk)).exists()


def test_a_picture_kept_for_validation_may_become_gold(snapshot: Snapshot) -> None:
    run = short_run(snapshot)
    make_gold(Layer.objects.get(pk=snapshot.items.exclude(split="train").values("layer")[:1]))
    assert reserved_pictures_of(run) == []
