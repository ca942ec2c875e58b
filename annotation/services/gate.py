"""Whether a person may take a layer now, and how many."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from annotation.models import QueuePolicy, Slot, SlotPurpose, SlotStatus, Verdict
from annotation.selectors.gold import gold_answers
from annotation.selectors.policies import Standing
from annotation.services.leases import lease_end
from annotation.services.probes import make_gold_probes
from engine.models import Project
from engine.refusals import Refusal


def allowed(user: Any, project: Project, standing: Standing, count: int) -> int:
    """How many layers the person may hold, at most ``count``. Raises ``Refusal`` 403 for none at all."""
    if standing.is_paused:
        raise Refusal("paused", "An admin of this project has paused your queue.", 403)
    if standing.daily_cap is None:
        return count
    today = Verdict.objects.filter(
        annotator=user, project=project, created_at__gt=Now() - timedelta(hours=24), undone_at=None
    )
    left = standing.daily_cap - today.count()
    if left <= 0:
        raise Refusal(
            "daily_cap_reached", f"You have judged your {standing.daily_cap} layers of the last 24 hours.", 403
        )
    return min(count, left)


def claim_test(user: Any, policy: QueuePolicy, standing: Standing, count: int) -> list[Slot] | None:
    """The next gold items of the person's qualification; ``None`` in a project that has no gold items to test with.

    Raises ``Refusal`` 403 ``not_qualified`` after a failed test.
    """
    left = policy.qualification_items - len(gold_answers(user, policy.project_id, since=standing.tested_from))
    if left <= 0:
        raise Refusal("not_qualified", "Your test answers were not sure enough yet. Ask the project's admin.", 403)
    held = Slot.objects.filter(
        holder=user, project=policy.project_id, status=SlotStatus.LEASED, purpose=SlotPurpose.GOLD
    ).exclude(available_at__lte=Now())
    held.update(available_at=lease_end())
    slots = list(held[:count])
    wanted = min(count, left) - len(slots)
    if wanted > 0:
        slots += make_gold_probes(user, policy, wanted)
    return slots or None
