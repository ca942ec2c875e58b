"""One row for each person who judges in a project: how much, how long, and whether the hands look right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection

from annotation.models import Decision
from annotation.selectors.dashboard import Work, leases_held
from engine.models import Project

# The newest verdicts of each person, through the index of a person's verdicts; no count of all.
PACE = """
SELECT person.id, percentile_cont(0.5) WITHIN GROUP (ORDER BY latest.active_ms), max(latest.created_at)
FROM unnest(%(people)s::int[]) AS person (id)
CROSS JOIN LATERAL (
    SELECT active_ms, created_at FROM annotation_verdict
    WHERE annotator_id = person.id AND project_id = %(project)s AND undone_at IS NULL
    ORDER BY created_at DESC LIMIT 100
) AS latest
GROUP BY person.id
"""
AWAY_AFTER = timedelta(minutes=30)


@dataclass(slots=True)
class Person:
    """``median_ms`` is of the last 100 verdicts; ``per_hour`` of active time, ``None`` below one active minute."""

    user: Any
    decisions: int = 0
    counted: int = 0
    active_ms: int = 0
    said: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Decision.values, 0))
    series: list[int] = field(default_factory=list)
    median_ms: float | None = None
    last_at: datetime | None = None
    holds: int = 0

    @property
    def per_hour(self) -> float | None:
        return self.decisions / (self.active_ms / 3_600_000) if self.active_ms >= 60_000 else None

    @property
    def accepted_share(self) -> float | None:
        settled = self.said[Decision.ACCEPT] + self.said[Decision.REJECT]
        return self.said[Decision.ACCEPT] / settled if settled else None

    @property
    def unsure_share(self) -> float | None:
        return self.said[Decision.UNSURE] / self.decisions if self.decisions else None

    def is_away(self, now: datetime) -> bool:
        return self.last_at is None or now - self.last_at > AWAY_AFTER


def people(project: Project, work: Sequence[Work], starts: Sequence[datetime]) -> list[Person]:
    """Those who worked in the range or hold layers, the busiest first; ``series`` has one entry per start."""
    holds = leases_held(project)
    users = get_user_model().objects.in_bulk({row.annotator_id for row in work} | holds.keys())
    found = {pk: Person(user, holds=holds.get(pk, 0), series=[0] * len(starts)) for pk, user in users.items()}
    place = {start: number for number, start in enumerate(starts)}
    for row in work:
        if (person := found.get(row.annotator_id)) is None:
            continue
        person.decisions += row.verdicts
        person.counted += row.counted
        person.active_ms += row.active_ms
        person.said[row.decision] += row.verdicts
        if row.start in place:
            person.series[place[row.start]] += row.verdicts
    with connection.cursor() as cursor:
        cursor.execute(PACE, {"people": list(found), "project": project.pk})
        for pk, median_ms, last_at in cursor.fetchall():
            found[pk].median_ms, found[pk].last_at = median_ms, last_at
    return sorted(found.values(), key=lambda person: (-person.decisions, person.user.username))
