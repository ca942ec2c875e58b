"""Blind votes: claimed like slots, written once, counted at most once, never lost."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now

from annotation.models import (
    AuditVerb,
    Comparison,
    GoldItem,
    QueuePolicy,
    SlotPurpose,
    SlotStatus,
    Vote,
    VoteExtraReason,
)
from annotation.sampling import Mix, probes
from annotation.selectors.policies import Standing, policy_and_standing
from annotation.services.audit import note
from annotation.services.comparisons import gold_comparison, make_comparisons, mirror_comparison
from annotation.services.leases import lease_end
from engine.models import Project
from engine.refusals import Refusal

MOST_AT_ONCE = 10
SESSION = timedelta(minutes=30)
BEGINNING, MORE_GOLD = 5, 3.0
"""The first five votes of a session are gold three times as often."""

# Live leases of the person come first; then what is free, past rows that somebody else is claiming in this moment.
# Nobody is asked twice about two layers, and nobody about an own repair. See annotation.services.claims.
CLAIM = """
WITH mode AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
), mine AS (
    SELECT id FROM annotation_comparison
    WHERE holder_id = %(user)s AND status = 'leased' AND project_id = %(project)s
      AND available_at > statement_timestamp()
    ORDER BY random_key
    LIMIT %(count)s
    FOR NO KEY UPDATE SKIP LOCKED
), fresh AS (
    SELECT comparison.id FROM annotation_comparison comparison
    WHERE comparison.project_id = %(project)s AND comparison.status IN ('open', 'leased')
      AND comparison.purpose = 'judgement' AND comparison.available_at <= statement_timestamp()
      AND NOT EXISTS (
        SELECT FROM annotation_vote vote
        WHERE vote.annotator_id = %(user)s AND vote.pair = comparison.pair AND vote.undone_at IS NULL
        OFFSET 0
      )
      AND NOT EXISTS (
        SELECT FROM annotation_comparison other
        WHERE other.pair = comparison.pair AND other.id <> comparison.id AND other.status IN ('open', 'leased')
          AND (other.holder_id = %(user)s
               OR other.id < comparison.id AND other.available_at <= statement_timestamp())
        OFFSET 0
      )
      AND NOT EXISTS (
        SELECT FROM engine_layer layer
        WHERE layer.id IN (comparison.left_id, comparison.right_id)
          AND (layer.author_id = %(user)s OR layer.status IN ('dropped', 'superseded'))
        OFFSET 0
      )
    ORDER BY comparison.random_key
    LIMIT %(count)s
    FOR NO KEY UPDATE OF comparison SKIP LOCKED
), chosen AS MATERIALIZED (
    SELECT id, is_fresh
    FROM (SELECT id, false AS is_fresh FROM mine UNION ALL SELECT id, true FROM fresh) AS candidates, mode
    LIMIT %(count)s
)
UPDATE annotation_comparison comparison
SET status = 'leased', holder_id = %(user)s,
    available_at = statement_timestamp() + make_interval(secs => %(lease_s)s)
FROM chosen WHERE comparison.id = chosen.id
RETURNING comparison.*, chosen.is_fresh
"""

GIVEN_BACK = Case(When(purpose=SlotPurpose.JUDGEMENT, then=Value(SlotStatus.OPEN)), default=Value(SlotStatus.RETIRED))


def claim_comparisons(*, user: Any, project: Project, count: int = 1) -> list[Comparison]:
    """Up to ``count`` (at most ``MOST_AT_ONCE``) comparisons, leased to this person; new ones are made when few wait.

    Empty when no two producers have layers of one thing that the person has not voted on. Where the project has a
    policy, gold pairs and mirror repeats take the place of some. The caller has checked the role.

    Raises ``Refusal`` 403: ``paused``, ``daily_cap_reached``, ``not_qualified``.
    """
    policy, standing = policy_and_standing(user, project)
    if policy is not None:
        _require_qualified(policy, standing)
    count = _allowed(user, project, standing, max(1, min(count, MOST_AT_ONCE)))
    found = _claim(user, project, count)
    if len(found) < count and make_comparisons(project, user):
        found = _claim(user, project, count)
    if policy is not None:
        found = _with_probes(user, project, policy, found)
    return sorted(found, key=lambda comparison: comparison.random_key)


def record_vote(
    *,
    user: Any,
    comparison: Comparison,
    choice: str,
    client_id: str,
    active_ms: int = 0,
    views: Mapping[str, Any] | None = None,
    criteria: Mapping[str, str] | None = None,
) -> tuple[Vote, bool]:
    """Store a vote. ``True`` beside it when it is new; the same ``client_id`` again answers as the first time.

    A lease that ended is no obstacle while nobody else took the comparison. Raises ``Refusal`` 409:
    ``client_id_reused`` for other content under a known id; ``lease_lost`` or ``already_voted`` when the vote was
    stored as an extra that does not count.
    """
    says = {"comparison_id": comparison.pk, "choice": choice, "criteria": dict(criteria or {})}
    is_new = True
    try:
        with transaction.atomic():
            new = Vote(client_id=client_id, active_ms=active_ms, views=dict(views or {}), **says)
            vote = _record(user, comparison, new)
    except IntegrityError:
        known = Vote.objects.filter(annotator=user, client_id=client_id).first()
        if known is None:
            raise
        vote, is_new = known, False
    if any(getattr(vote, name) != value for name, value in says.items()):
        raise Refusal("client_id_reused", "This client_id belongs to another vote of yours.", 409)
    if vote.extra_reason:
        label = VoteExtraReason(vote.extra_reason).label
        raise Refusal(vote.extra_reason, f"{label} Your vote is kept but does not count.", 409)
    return vote, is_new


def undo_vote(*, user: Any, vote: Vote) -> Comparison:
    """Take one's own vote back: it stays as history and the comparison is leased to the person again.

    Again on the same vote: the same answer while the person holds the comparison. Raises ``Refusal`` 409:
    ``not_undoable`` for an extra, ``slot_taken`` when somebody else holds the comparison.
    """
    if vote.extra_reason:
        raise Refusal("not_undoable", "This vote did not count, so there is nothing to take back.", 409)
    with transaction.atomic():
        Comparison.objects.select_for_update(no_key=True).get(pk=vote.comparison_id)
        vote.refresh_from_db()
        if vote.undone_at is None:
            filled = Comparison.objects.filter(pk=vote.comparison_id, status=SlotStatus.FILLED)
            if filled.update(status=SlotStatus.LEASED, holder=user, available_at=lease_end()):
                Vote.objects.filter(pk=vote.pk).update(is_counted=False, undone_at=Now())
                said = vote.choice
                note(AuditVerb.VOTE_UNDONE, project_id=vote.project_id, actor=user, vote=str(vote.pk), choice=said)
        held = Comparison.objects.filter(pk=vote.comparison_id, holder=user, status=SlotStatus.LEASED).first()
        if held is None:
            raise Refusal("slot_taken", "Somebody else votes on this now; your vote stays.", 409)
    return held


def keep_comparison(*, user: Any, comparison_id: uuid.UUID) -> datetime:
    """Prolong the person's lease; its new end. Raises ``Refusal`` 409 ``lease_lost``."""
    held = Comparison.objects.filter(pk=comparison_id, status=SlotStatus.LEASED, holder=user)
    if not held.update(available_at=lease_end()):
        raise Refusal("lease_lost", "This comparison is not yours any more.", 409)
    return held.values_list("available_at", flat=True).get()


def release_comparison(*, user: Any, comparison_id: uuid.UUID) -> bool:
    """Give it back to the queue; ``False`` when the person did not hold it. A probe is over then."""
    held = Comparison.objects.filter(pk=comparison_id, status=SlotStatus.LEASED, holder=user)
    return held.update(status=GIVEN_BACK, holder=None, available_at=Now()) == 1


def _record(user: Any, comparison: Comparison, vote: Vote) -> Vote:
    """In a transaction. The comparison moves on by compare-and-set; zero rows changed is an answer."""
    vote.project_id, vote.pair, vote.annotator_id = comparison.project_id, comparison.pair, user.pk
    is_probe = comparison.purpose != SlotPurpose.JUDGEMENT
    own = Vote.objects.filter(annotator=user, pair=comparison.pair, is_counted=True)
    if not is_probe and own.exists():
        vote.extra_reason = VoteExtraReason.ALREADY_VOTED
        release_comparison(user=user, comparison_id=comparison.pk)
    else:
        free = Q(status=SlotStatus.RETIRED) if is_probe else Q(status=SlotStatus.OPEN)
        mine = Comparison.objects.filter(free | Q(status=SlotStatus.LEASED, holder=user), pk=comparison.pk)
        if not mine.update(status=SlotStatus.FILLED, holder=None, available_at=Now()):
            vote.extra_reason = VoteExtraReason.LEASE_LOST
    vote.is_counted = not is_probe and not vote.extra_reason
    vote.save(force_insert=True)
    return vote


def _require_qualified(policy: QueuePolicy, standing: Standing) -> None:
    """The test is the review queue's: on its gold layers. A project without any has none to pass."""
    if not policy.qualification_items or standing.qualified_at is not None:
        return
    if GoldItem.objects.filter(project=policy.project_id, is_active=True).exists():
        raise Refusal("not_qualified", "Before you vote, this project tests you on layers in the review queue.", 403)


def _allowed(user: Any, project: Project, standing: Standing, count: int) -> int:
    if standing.is_paused:
        raise Refusal("paused", "An admin of this project has paused your queue.", 403)
    if standing.daily_cap is None:
        return count
    today = Vote.objects.filter(
        annotator=user, project=project, created_at__gt=Now() - timedelta(hours=24), undone_at=None
    )
    left = standing.daily_cap - today.count()
    if left <= 0:
        raise Refusal("daily_cap_reached", f"You have given your {standing.daily_cap} votes of the last 24 hours.", 403)
    return min(count, left)


def _claim(user: Any, project: Project, count: int) -> list[Comparison]:
    params = {"user": user.pk, "project": project.pk, "count": count, "lease_s": settings.REVIEW_LEASE_S}
    return list(Comparison.objects.raw(CLAIM, params))


def _with_probes(user: Any, project: Project, policy: QueuePolicy, found: list[Comparison]) -> list[Comparison]:
    """Some that were claimed anew go back, and a probe for this person takes their place."""
    fresh = [comparison for comparison in found if getattr(comparison, "is_fresh", False)]
    served = Vote.objects.filter(annotator=user, project=project, created_at__gt=Now() - SESSION).count()
    rate = policy.gold_rate * (MORE_GOLD if served < BEGINNING else 1.0)
    plan = probes(Mix(0, min(rate, 0.5), policy.mirror_rate), served, len(fresh))
    changed = dict(zip((comparison.pk for comparison in fresh), plan, strict=True))
    return [_replaced(user, project, policy, comparison, changed.get(comparison.pk)) for comparison in found]


def _replaced(
    user: Any, project: Project, policy: QueuePolicy, comparison: Comparison, purpose: str | None
) -> Comparison:
    if purpose is None:
        return comparison
    gold = purpose == SlotPurpose.GOLD
    probe = gold_comparison(project, user) if gold else mirror_comparison(project, user, policy.mirror_gap)
    if probe is None:
        return comparison
    with transaction.atomic():
        release_comparison(user=user, comparison_id=comparison.pk)
        probe.status, probe.holder, probe.available_at = SlotStatus.LEASED, user, lease_end()
        probe.random_key = comparison.random_key
        probe.save(force_insert=True)
    probe.refresh_from_db(fields=["available_at"])
    return probe
