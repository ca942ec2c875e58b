"""What a claim costs in the database, with few and with many open slots, 64 annotators taking turns."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from annotation.services.claims import claim
from annotation.services.slots import open_slots
from annotation.services.verdicts import record_verdict
from engine.models import Project
from tests.factories import make_image, make_producer, make_project

ANNOTATORS, TURNS = 64, 10
FILL = """
INSERT INTO engine_layer (id, project_id, image_id, producer_id, key, depth, kind, label, status, drop_reason, sha256,
    rgba, visible_mask, thumbnail, box, area_share, hidden_share, soft_share, scores, created_at)
SELECT gen_random_uuid(), %(project)s, %(image)s, %(producer)s, '00', 0, 'foreground', 'ball', 'ready', '', '',
    '', '', '', '[0, 0, 1, 1]', 0.5, 0, 0, '{}', now()
FROM generate_series(1, %(layers)s)
"""


def fill(layers: int) -> Project:
    """A project of so many ready layers, two judgements each, with all slots open."""
    project = make_project(needed_judgements=2)
    image = make_image(project)
    with connection.cursor() as cursor:
        cursor.execute(
            FILL, {"project": project.pk, "image": image.pk, "producer": make_producer().pk, "layers": layers}
        )
    return project


def seconds_per_claim(project: Project, people: list[Any]) -> np.ndarray:
    """Each claim is followed by a verdict that is not timed, so the head of the queue wears as in real use."""
    seconds = []
    for turn in range(TURNS):
        for person in people:
            start = time.perf_counter()
            [slot] = claim(user=person, project=project, count=1)
            seconds.append(time.perf_counter() - start)
            record_verdict(user=person, slot=slot, decision="accept", client_id=str(uuid.uuid4()), active_ms=turn)
    return np.array(seconds)


@pytest.mark.django_db(transaction=True)
def test_claim_cost_does_not_grow_with_the_queue(bench: Callable[..., None]) -> None:
    people = get_user_model().objects.bulk_create(
        get_user_model()(username=f"annotator-{number}") for number in range(ANNOTATORS)
    )
    medians = []
    for slots in (10_000, 1_000_000):
        project = fill(slots // 2)
        start = time.perf_counter()
        assert open_slots(project) == slots
        bench(f"open {slots:,} slots", time.perf_counter() - start, "s")
        start = time.perf_counter()
        assert open_slots(project) == 0
        bench(f"pull that finds nothing new, {slots:,} slots", time.perf_counter() - start, "s")
        seconds = seconds_per_claim(project, people)
        medians.append(np.median(seconds))
        bench(f"claim, {slots:,} open slots, median", 1e3 * medians[-1], "ms", f"{ANNOTATORS} annotators in turn")
        bench(f"claim, {slots:,} open slots, p95", 1e3 * np.quantile(seconds, 0.95), "ms")
    bench("claim, 1,000,000 over 10,000 open slots", medians[1] / medians[0], "ratio")
