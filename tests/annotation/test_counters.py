"""Tallies against the truth counted by hand, whatever was done to the queue and by which way."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from annotation.models import DefectTally, LayerTally, Slot, SlotTally, Verdict, VerdictTally
from annotation.services.claims import claim, release
from annotation.services.counters import rebuild_counters
from annotation.services.verdicts import undo
from engine.models import Layer, Project
from engine.refusals import Refusal
from tests.annotation.judging import judge, make_annotators, make_layers
from tests.factories import make_producer

pytestmark = pytest.mark.django_db


def truth() -> dict[str, Counter[Any]]:
    found: dict[str, Counter[Any]] = {name: Counter() for name in ("verdicts", "defects", "slots", "layers")}
    for verdict in Verdict.objects.filter(undone_at=None):
        key = (verdict.project_id, verdict.created_at.replace(minute=0, second=0, microsecond=0), verdict.annotator_id)
        found["verdicts"][*key, verdict.decision, "all"] += 1
        found["verdicts"][*key, verdict.decision, "counted"] += verdict.is_counted
        found["verdicts"][*key, verdict.decision, "ms"] += verdict.active_ms
        for kind in {defect["kind"] for defect in verdict.defects}:
            found["defects"][*key, kind] += 1
    for slot in Slot.objects.all():
        found["slots"][slot.project_id, slot.purpose, slot.status] += 1
    for layer in Layer.objects.all():
        found["layers"][layer.project_id, layer.producer_id, layer.kind, layer.label, layer.status] += 1
    return {name: +counts for name, counts in found.items()}


def tallies() -> dict[str, Counter[Any]]:
    found: dict[str, Counter[Any]] = {name: Counter() for name in ("verdicts", "defects", "slots", "layers")}
    for row in VerdictTally.objects.all():
        key = (row.project_id, row.hour, row.annotator_id, row.decision)
        for name, value in (("all", row.verdicts), ("counted", row.counted), ("ms", row.active_ms)):
            found["verdicts"][*key, name] += value
    for row in DefectTally.objects.all():
        found["defects"][row.project_id, row.hour, row.annotator_id, row.kind] += row.verdicts
    for row in SlotTally.objects.all():
        found["slots"][row.project_id, row.purpose, row.status] += row.slots
    for row in LayerTally.objects.all():
        found["layers"][row.project_id, row.producer_id, row.kind, row.label, row.status] += row.layers
    negative = [(name, key) for name, counts in found.items() for key, count in counts.items() if count < 0]
    assert negative == []
    return {name: +counts for name, counts in found.items()}


@pytest.fixture
def worked(project: Project) -> Project:
    """A few hundred acts of four people in random order: verdicts of all kinds, undos, leases given back."""
    Project.objects.update(needed_judgements=2)
    project.refresh_from_db()
    make_layers(project, 6)
    make_layers(project, 6, make_producer("another"))
    people = make_annotators(project, "anna", "ben", "cleo", "dan")
    rng = random.Random(5)
    for _ in range(150):
        person = rng.choice(people)
        try:
            act(person, project, rng)
        except Refusal:
            continue
    assert Verdict.objects.filter(undone_at=None).count() > 15
    return project


def act(person: Any, project: Project, rng: random.Random) -> None:
    mine = list(Verdict.objects.filter(annotator=person, undone_at=None))
    if mine and rng.random() < 0.15:
        undo(user=person, verdict=rng.choice(mine))
        return
    for slot in claim(user=person, project=project, count=rng.choice([1, 1, 3])):
        kinds = rng.choices(["halo", "hole", "bleed"], k=rng.randrange(4))
        if rng.random() < 0.2:
            release(user=person, slot_id=slot.pk)
        else:
            said = rng.choice(["accept", "accept", "reject", "unsure"])
            judge(
                person, slot, said, defects=[{"kind": k, "x": 1, "y": 2} for k in kinds], active_ms=rng.randrange(9000)
            )


def test_services_keep_the_tallies_equal_to_the_truth(worked: Project) -> None:
    assert tallies() == truth()


def test_bulk_statements_keep_them_too(worked: Project) -> None:
    Verdict.objects.update(created_at=F("created_at") - timedelta(hours=5))
    Slot.objects.filter(status="open").update(status="retired")
    Layer.objects.filter(status="rejected").delete()
    assert tallies() == truth()


def test_a_change_that_counts_nowhere_writes_no_tally(worked: Project) -> None:
    before = list(SlotTally.objects.order_by("pk").values())
    Slot.objects.update(priority=3)
    assert list(SlotTally.objects.order_by("pk").values()) == before


def test_rebuilding_finds_the_truth_again(worked: Project) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE annotation_slottally SET slots = slots + 7")
        cursor.execute("DELETE FROM annotation_verdicttally")
        cursor.execute("UPDATE annotation_layertally SET layers = 1")
        cursor.execute("DELETE FROM annotation_defecttally")
    assert tallies() != truth()
    rebuild_counters(worked)
    assert tallies() == truth()


def test_deleting_a_project_leaves_nothing_counted(worked: Project) -> None:
    Verdict.objects.all().delete()
    Slot.objects.all().delete()
    worked.delete()
    assert tallies() == {"verdicts": Counter(), "defects": Counter(), "slots": Counter(), "layers": Counter()}
