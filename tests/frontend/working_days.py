"""A project in which six people have worked for nine days, made by statements over many rows; its pictures are real."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection

from annotation.services.slots import open_slots
from engine.models import Project, Role
from rld_platform.scale import copy_pictures, judge_layers, pattern_of
from tests.factories import join

PEOPLE = {"Mira Okafor": 6, "Jonas Lind": 5, "Aiko Tanaka": 5, "Priya Nair": 4, "Tomás Ruiz": 3, "Elif Demir": 2}
"""Name to a share of the work."""

# Working hours, a dip at noon, a quarter of the work in the last nine hours.
RESHAPE = """
SELECT setseed(0.4);
UPDATE annotation_verdict SET created_at = CASE WHEN random() < 0.25
    THEN date_trunc('hour', now()) - interval '1 hour' * (9 * sqrt(random())) ELSE
    date_trunc('day', now()) - interval '1 day' * ceil(8.5 * random())
    + interval '1 hour' * (8 + 9 * (CASE WHEN random() < 0.5 THEN 0.45 * random() ELSE 0.6 + 0.4 * random() END)) END;
"""


def fill(project: Project, pictures: int = 500, judged: int = 1200) -> list[Any]:
    """Three layers a picture; returns the people."""
    pattern, producer, _ = pattern_of(project)
    copy_pictures(pattern, producer, pictures - 1)
    open_slots(project)
    people = []
    for name in PEOPLE:
        first, last = name.split()
        user = get_user_model().objects.create(username=first.lower(), first_name=first, last_name=last)
        join(user, project, Role.ANNOTATOR)
        people.append(user)
    weighted = [user for user, share in zip(people, PEOPLE.values(), strict=True) for _ in range(share)]
    judge_layers(project, weighted, judged)
    with connection.cursor() as cursor:
        cursor.execute(RESHAPE)
    return people
