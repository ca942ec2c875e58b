"""How well people vote, from probes they cannot tell from other pairs. For admins only."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from engine.models import Project

# A mirror repeat agrees with the vote it repeats when the same layer is chosen, which is on the other side now; ties
# and both bad are one answer. Only the last answer to a comparison counts.
VOTERS = """
SELECT users.username, users.id,
  count(*) FILTER (WHERE vote.is_counted),
  count(*) FILTER (WHERE comparison.purpose = 'gold'),
  count(*) FILTER (WHERE comparison.purpose = 'gold' AND (
    vote.choice = comparison.expected OR comparison.expected = 'tie' AND vote.choice = 'both_bad')),
  count(*) FILTER (WHERE first.choice IS NOT NULL),
  count(*) FILTER (WHERE first.choice IS NOT NULL AND (
    (vote.choice, first.choice) IN (('left', 'right'), ('right', 'left'))
    OR vote.choice IN ('tie', 'both_bad') AND first.choice IN ('tie', 'both_bad'))),
  count(*) FILTER (WHERE vote.is_counted AND vote.choice = 'left'),
  count(*) FILTER (WHERE vote.is_counted AND vote.choice IN ('left', 'right')),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY vote.active_ms)
FROM annotation_vote vote
JOIN annotation_comparison comparison ON comparison.id = vote.comparison_id
JOIN auth_user users ON users.id = vote.annotator_id
LEFT JOIN annotation_vote first
  ON first.comparison_id = comparison.repeats_id AND first.annotator_id = vote.annotator_id AND first.undone_at IS NULL
  AND first.extra_reason = ''
WHERE vote.project_id = %(project)s AND vote.undone_at IS NULL AND vote.extra_reason = ''
GROUP BY users.id, users.username
ORDER BY 3 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class Voter:
    """One person in one project. ``repeats_same``: mirror repeats answered as the first time."""

    username: str
    user_id: int
    votes: int
    gold: int
    gold_right: int
    repeats: int
    repeats_same: int
    left: int
    decided: int
    median_ms: float

    @property
    def left_share(self) -> float | None:
        """Of votes for a side."""
        return self.left / self.decided if self.decided else None


def voters_of(project: Project) -> list[Voter]:
    """Everybody who voted, the busiest first."""
    with connection.cursor() as cursor:
        cursor.execute(VOTERS, {"project": project.pk})
        return [Voter(*row) for row in cursor.fetchall()]
