"""The command that counts a project again."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotation.models import SlotTally
from engine.models import Project
from rld_platform.scale import copy_pictures, pattern_of

pytestmark = pytest.mark.django_db


def test_lost_tallies_come_back(project: Project) -> None:
    pattern, producer, _ = pattern_of(project)
    copy_pictures(pattern, producer, 2)
    project.slots.create(layer=project.layers.first(), position=1, random_key=0, available_at="2026-01-01T00:00Z")
    SlotTally.objects.all().delete()
    out = StringIO()
    call_command("rebuild_counters", "--project", project.slug, "--json", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue()) == {"projects": [str(project.pk)]}
    assert SlotTally.objects.get().slots == 1


def test_an_unknown_project_ends_with_2() -> None:
    with pytest.raises(CommandError) as refused:
        call_command("rebuild_counters", "--project", "nothing")
    assert refused.value.returncode == 2
