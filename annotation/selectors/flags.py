"""Layers that somebody flagged for a curator: the note of the verdict begins with a flag."""

from __future__ import annotations

from django.db.models import QuerySet

from annotation.models import FLAG, Verdict
from engine.models import Project


def flagged_verdicts(project: Project) -> QuerySet[Verdict]:
    """The newest first, without those taken back. A partial index holds exactly these rows."""
    flagged = Verdict.objects.filter(project=project, note__startswith=FLAG, undone_at=None)
    return flagged.select_related("layer__image", "annotator").order_by("-created_at", "-id")
