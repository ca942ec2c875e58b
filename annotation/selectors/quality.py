"""How far a project's people agree: with each other, with themselves, with known answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection

from annotation.agreement import Estimate, alpha, raw_agreement, share
from annotation.alarms import Alarm, alarms
from annotation.selectors.gold import gold_answers
from engine.models import Project

NEWEST = 20_000
"""Agreement is measured on so many of the newest counted verdicts: it is about how people work now."""
FEEDBACK_BLOCK = 5
"""People see their gold accuracy after every so many gold answers, so that no single one is given away."""

REPEATS = """
SELECT again.annotator_id, count(*) FILTER (WHERE again.decision = before.decision), count(*)
FROM annotation_slot slot
JOIN annotation_verdict again ON again.slot_id = slot.id AND again.undone_at IS NULL AND again.extra_reason = ''
CROSS JOIN LATERAL (
    SELECT decision FROM annotation_verdict earlier
    WHERE earlier.layer_id = again.layer_id AND earlier.annotator_id = again.annotator_id
      AND earlier.undone_at IS NULL AND earlier.created_at < again.created_at
    ORDER BY earlier.created_at DESC LIMIT 1
) AS before
WHERE slot.project_id = %s AND slot.purpose = 'mirror'
GROUP BY again.annotator_id
"""
LATEST = """
SELECT person.id, latest.decision, latest.active_ms
FROM unnest(%s::int[]) AS person (id)
CROSS JOIN LATERAL (
    SELECT decision, active_ms, created_at FROM annotation_verdict
    WHERE annotator_id = person.id AND project_id = %s AND undone_at IS NULL ORDER BY created_at DESC LIMIT 100
) AS latest
ORDER BY person.id, latest.created_at
"""


# Only the judgements every layer gets: a third one is asked for where two disagree, so with it the layers in dispute
# would weigh more. One row for each person, own word and pattern of the layer.
ALIKE = """
WITH newest AS MATERIALIZED (
    SELECT layer_id, annotator_id, decision = 'accept' AS accepts, created_at FROM annotation_verdict
    WHERE project_id = %(project)s AND is_counted ORDER BY created_at DESC LIMIT %(newest)s
), turns AS (
    SELECT *, row_number() OVER (PARTITION BY layer_id ORDER BY created_at) AS turn FROM newest
), asked AS (
    SELECT annotator_id, accepts, count(*) FILTER (WHERE accepts) OVER layer AS accepted, count(*) OVER layer AS judged
    FROM turns WHERE turn <= %(needed)s WINDOW layer AS (PARTITION BY layer_id)
)
SELECT annotator_id, accepts, accepted, judged, count(*) FROM asked GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class PersonQuality:
    """``None`` where there is nothing to measure: no gold answered, nothing repeated, nobody else on a layer."""

    user: Any
    gold: Estimate | None
    repeats: Estimate | None
    with_others: Estimate | None
    alarms: list[Alarm]


@dataclass(frozen=True, slots=True)
class ProjectQuality:
    alpha: Estimate | None
    raw: Estimate | None
    gold: Estimate | None
    people: list[PersonQuality]


def project_quality(project: Project) -> ProjectQuality:
    """Alpha and raw agreement of the newest verdicts, gold accuracy, and the same for each person, the worst first."""
    patterns, others = _agreement(project)
    gold = _shares((answer.annotator_id, answer.is_right) for answer in gold_answers(None, project.pk))
    return ProjectQuality(
        alpha=alpha(patterns),
        raw=raw_agreement(patterns),
        gold=_total(gold.values()),
        people=_people(project, others, gold),
    )


def own_feedback(user: Any, project: Project) -> dict[str, Any]:
    """What a person may know of the own gold answers: how many, how many were right, in whole blocks."""
    answers = gold_answers(user, project.pk, is_first_word=True)
    told = answers[: len(answers) // FEEDBACK_BLOCK * FEEDBACK_BLOCK]
    return {"answers": len(told), "right": sum(answer.is_right for answer in told)}


def _agreement(project: Project) -> tuple[dict[tuple[int, int], int], dict[int, Estimate | None]]:
    """Patterns of the layers, and for each person how often another judgement of the same layer was the same."""
    judgements = Counter[tuple[int, int]]()
    same, of = Counter[int](), Counter[int]()
    with connection.cursor() as cursor:
        cursor.execute(ALIKE, {"project": project.pk, "newest": NEWEST, "needed": project.needed_judgements})
        for person, accepts, accepted, judged, times in cursor.fetchall():
            judgements[accepted, judged] += times
            of[person] += times * (judged - 1)
            same[person] += times * ((accepted if accepts else judged - accepted) - 1)
    patterns = {pattern: count // pattern[1] for pattern, count in judgements.items()}
    return patterns, {person: share(same[person], of[person]) if of[person] else None for person in of}


def _people(project: Project, others: dict[int, Estimate | None], gold: dict[int, Estimate]) -> list[PersonQuality]:
    with connection.cursor() as cursor:
        cursor.execute(REPEATS, [project.pk])
        repeats = {person: share(same, of) for person, same, of in cursor.fetchall()}
    known = gold.keys() | others.keys() | repeats.keys()
    flagged = _alarms(project, known)
    users = get_user_model().objects.in_bulk(known)
    people = [
        PersonQuality(user, gold.get(pk), repeats.get(pk), others.get(pk), flagged.get(pk, []))
        for pk, user in users.items()
    ]
    return sorted(people, key=_rank)


def _rank(person: PersonQuality) -> tuple[float, str]:
    best = person.gold or person.with_others
    return (best.value if best else 2.0, person.user.username)


def _alarms(project: Project, people: Iterable[int]) -> dict[int, list[Alarm]]:
    with connection.cursor() as cursor:
        cursor.execute(LATEST, [list(people), project.pk])
        rows = cursor.fetchall()
    said = Counter(decision for _, decision, _ in rows)
    shares = {decision: count / len(rows) for decision, count in said.items()}
    by_person: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for person, decision, active_ms in rows:
        by_person[person].append((decision, active_ms))
    return {
        person: alarms([ms for _, ms in own], [decision for decision, _ in own], shares)
        for person, own in by_person.items()
    }


def _shares(answers: Iterable[tuple[int, bool]]) -> dict[int, Estimate]:
    right, of = Counter[int](), Counter[int]()
    for person, is_right in answers:
        of[person] += 1
        right[person] += is_right
    return {person: share(right[person], of[person]) for person in of}


def _total(shares: Iterable[Estimate]) -> Estimate | None:
    counts = [(round(each.value * each.n), each.n) for each in shares]
    return share(sum(right for right, _ in counts), sum(n for _, n in counts)) if counts else None
