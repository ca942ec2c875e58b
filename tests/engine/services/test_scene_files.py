"""Scenes of images that are done do not stay for ever."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from engine.models import ItemStatus, RunItem, RunStatus
from engine.services.scene_files import forget_old_scenes
from tests.engine.runs import make_run

pytestmark = pytest.mark.django_db


def with_scenes(run, status=ItemStatus.FINISHED, days=8):
    finished_at = None if status == ItemStatus.RUNNING else timezone.now() - timedelta(days=days)
    held = {"lease": run.pk, "lease_expires_at": timezone.now()} if status == ItemStatus.RUNNING else {}
    for item in run.items.all():
        name = default_storage.save(f"scenes/{item.pk}.npz", ContentFile(b"scene"))
        RunItem.objects.filter(pk=item.pk).update(scene_file=name, status=status, finished_at=finished_at, **held)
    return run


def scenes_of(run):
    names = run.items.exclude(scene_file="").values_list("scene_file", flat=True)
    return sum(default_storage.exists(name) for name in names)


def test_scenes_of_images_done_a_week_ago_are_deleted(project):
    run = with_scenes(make_run(project, status=RunStatus.FINISHED))
    names = list(run.items.values_list("scene_file", flat=True))
    assert forget_old_scenes() == 2
    assert not any(default_storage.exists(name) for name in names)
    assert set(run.items.values_list("scene_file", flat=True)) == {""}
    assert forget_old_scenes() == 0


def test_scenes_of_yesterday_and_of_work_under_way_stay(project):
    yesterday = with_scenes(make_run(project, status=RunStatus.FINISHED), days=1)
    running = with_scenes(make_run(project), status=ItemStatus.RUNNING)
    assert forget_old_scenes() == 0
    assert scenes_of(yesterday) == scenes_of(running) == 2


@pytest.mark.parametrize("status", [ItemStatus.FAILED, ItemStatus.CANCELLED])
def test_what_may_be_retried_keeps_its_scene(project, status):
    """A retry goes on after the last finished stage, and would find an empty scene there."""
    run = with_scenes(make_run(project), status=status)
    assert forget_old_scenes() == 0
    assert scenes_of(run) == 2


def test_a_scene_stays_until_the_image_of_a_derived_run_that_begins_with_it_is_done(project):
    run = with_scenes(make_run(project, status=RunStatus.FINISHED))
    heir = make_run(project, pictures=0, derived_from=run, from_stage="prompts", status=RunStatus.FINISHED)
    facts = {"recipe_digest": "other", "queue": "cpu", "status": ItemStatus.FAILED}
    item = RunItem.objects.create(run=heir, image=run.items.first().image, **facts)
    assert forget_old_scenes() == 1
    RunItem.objects.filter(pk=item.pk).update(status=ItemStatus.FINISHED)
    assert forget_old_scenes() == 1
