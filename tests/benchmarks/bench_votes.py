"""What it costs to claim comparisons in an arena of nine producers, and to refit its board from many votes."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import numpy as np
import pytest
from django.db import connection

from annotation.services.votes import claim_comparisons, record_vote
from engine.models import Project, Role
from tests.factories import join, make_image, make_producer, make_project, make_user

PRODUCERS, PHOTOS, CLAIMS = 9, 2000, 40
FILL = """
WITH photo AS (
    INSERT INTO engine_sourceimage (id, project_id, sha256, perceptual_hash, original_name, original_format, original,
        picture, thumbnail, width, height, given_prompts, facts, credit, licence, created_at)
    SELECT gen_random_uuid(), %(project)s, md5(number::text), number, number::text, 'PNG', '', '', '', 64, 48,
        '[]', '{}', '', '', now()
    FROM generate_series(1, %(photos)s) AS number
    RETURNING id
)
INSERT INTO engine_layer (id, project_id, image_id, producer_id, key, depth, kind, label, status, drop_reason, sha256,
    rgba, visible_mask, thumbnail, box, area_share, hidden_share, soft_share, scores, created_at)
SELECT gen_random_uuid(), %(project)s, photo.id, producer, '00', 0, 'foreground', 'ball', 'ready', '', '',
    'a', 'b', 'c', '[10, 10, 50, 40]', 0.5, 0, 0, '{}', now()
FROM photo CROSS JOIN unnest(%(producers)s::uuid[]) AS producer
"""


def fill() -> Project:
    """So many photos, on each a layer of the same ball by every producer."""
    project = make_project()
    make_image(project)
    producers = [make_producer(f"network {number}").pk for number in range(PRODUCERS)]
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"project": project.pk, "photos": PHOTOS, "producers": producers})
        cursor.execute("ANALYZE engine_layer")
    return project


@pytest.mark.django_db
def test_claims_of_comparisons(bench: Callable[..., None]) -> None:
    project, voter = fill(), make_user("voter")
    join(voter, project, Role.ANNOTATOR)
    seconds = []
    for _ in range(CLAIMS):
        start = time.perf_counter()
        found = claim_comparisons(user=voter, project=project, count=3)
        seconds.append(time.perf_counter() - start)
        assert len(found) == 3
        for comparison in found:
            record_vote(user=voter, comparison=comparison, choice="left", client_id=str(uuid.uuid4()))
    note = f"{PRODUCERS} producers, {PHOTOS:,} photos; 12 are made at a time"
    bench("claim of 3 comparisons, mean", 1e3 * float(np.mean(seconds)), "ms", note)
    bench("claim of 3 comparisons, slowest", 1e3 * float(np.max(seconds)), "ms", "makes 12 new ones")
