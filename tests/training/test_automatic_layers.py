"""Layers nobody judged: which a run may see, chosen once, and found again from the layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from annotation.models import GoldItem
from engine.models import LayerStatus, Project
from tests.factories import make_image, make_layer
from tests.training.frozen import unlike
from tests.training.training import frozen_stacks
from training import manifest
from training.models import TrainingRun
from training.selectors.training_runs import runs_with_layer
from training.services.automatic_layers import write_automatic_layers
from training.services.checkpoint_layers import start_checkpoint_layers, things_of, unseen_images
from training.services.checkpoints import checkpoint_named
from training.services.leases import claim
from training.services.training_runs import start_training_run


@pytest.fixture
def run(project: Project) -> TrainingRun:
    snapshot = frozen_stacks(project, pictures=6)
    started = start_training_run(snapshot=snapshot, weights={"automatic": 0.3})
    found = claim(TrainingRun, started.pk)
    assert found is not None
    return found


def ready_layer(project: Project, number: int):
    image = make_image(project, seed=number, width=48, height=36)
    image.perceptual_hash = unlike(number)
    image.save()
    return make_layer(image)


def test_reserved_and_kept_apart_photos_are_never_among_them(run: TrainingRun, tmp_path: Path) -> None:
    project = run.project
    free, gold = ready_layer(project, 100), ready_layer(project, 101)
    GoldItem.objects.create(project=project, layer=make_layer(gold.image, depth=5), is_acceptable=True, origin="truth")
    judged = ready_layer(project, 102)
    judged.status = LayerStatus.REJECTED
    judged.save()
    kept_apart = run.snapshot.items.filter(split="validation").first()
    make_layer(kept_apart.layer.image, depth=7)
    trained = make_layer(run.snapshot.items.filter(split="train").first().layer.image, depth=7)
    assert write_automatic_layers(run, tmp_path / "automatic")
    chosen = set(run.automatic.values_list("pk", flat=True))
    assert chosen == {free.pk, trained.pk}
    header, rows = manifest.read(tmp_path / "automatic")
    assert {row.origin["layer"] for row in rows} == {str(pk) for pk in chosen}
    assert {row.split for row in rows} == {"train"}
    assert header.digest == run.automatic_digest
    assert list(manifest.verify(tmp_path / "automatic"))

    ready_layer(project, 103)
    assert write_automatic_layers(run, tmp_path / "again")
    assert set(run.automatic.values_list("pk", flat=True)) == chosen, "chosen once"
    TrainingRun.objects.filter(pk=run.pk).update(started_at=run.created_at)
    assert list(runs_with_layer(free)) == [run]
    assert list(runs_with_layer(judged)) == []
    (validated,) = run.snapshot.items.filter(split="train")[:1]
    assert list(runs_with_layer(validated.layer)) == [run]


def test_without_any_the_run_goes_on_without(run: TrainingRun, tmp_path: Path) -> None:
    assert not write_automatic_layers(run, tmp_path / "automatic")
    assert not (tmp_path / "automatic").exists()


def test_layers_to_compare_are_of_photos_it_has_not_learned_from_and_each_thing_once(run: TrainingRun) -> None:
    shipped = checkpoint_named("reflayer-tiny")
    assert len(unseen_images(shipped, run.project)) == 6
    shipped.snapshot = run.snapshot
    trained = set(run.snapshot.items.filter(split="train").values_list("image_id", flat=True))
    assert trained
    assert not trained & set(unseen_images(shipped, run.project))
    image = run.snapshot.items.first().layer.image
    before = [layer.pk for layer in things_of(image)]
    make_layer(image, depth=0)
    assert [layer.pk for layer in things_of(image)] == before, "the same thing, made again and not accepted"
    job = start_checkpoint_layers(shipped, run.project)
    assert start_checkpoint_layers(shipped, run.project) == job
