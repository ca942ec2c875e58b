"""Layers that somebody flagged for a curator: the note of the verdict begins with a flag."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet

from annotation.models import FLAG, Verdict
from engine.models import Project, Role
from engine.refusals import Refusal
from engine.selectors.access import require_role


def flagged_verdicts(project: Project, is_seen: bool = False) -> QuerySet[Verdict]:
    """Those that wait for a look, or those a reviewer has dealt with; the newest first, without those taken back. A
    partial index holds exactly the flagged rows."""
    flagged = Verdict.objects.filter(project=project, note__startswith=FLAG, undone_at=None)
    chosen = flagged.filter(seen_flag__isnull=not is_seen)
    return chosen.select_related("layer__image", "annotator", "seen_flag__reviewer").order_by("-created_at", "-id")


def flag_for(reviewer: Any, verdict_id: uuid.UUID) -> Verdict:
    """Raises ``Refusal``: 404 for strangers and for verdicts without a flag, 403 for people below reviewer."""
    found = Verdict.objects.select_related("project").filter(pk=verdict_id, note__startswith=FLAG).first()
    if found is None:
        raise Refusal("not_found", "There is no such flag.", 404)
    require_role(reviewer, found.project, Role.REVIEWER)
    return found
