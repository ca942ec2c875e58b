"""Who did what to the queue, beside the verdicts themselves. Rows are added only: a trigger forbids the rest."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from engine.models import Layer, Project


class AuditVerb(models.TextChoices):
    NEEDED_CHANGED = "needed_changed"
    POLICY_CHANGED = "policy_changed"
    ASSIGNEE_CHANGED = "assignee_changed"
    QUALIFIED = "qualified"
    GOLD_MADE = "gold_made"
    GOLD_RETIRED = "gold_retired"
    LAYER_SETTLED = "layer_settled"
    VERDICT_UNDONE = "verdict_undone"
    ADJUDICATION_OPENED = "adjudication_opened"
    ADJUDICATED = "adjudicated"
    RETURNED = "returned"
    REWORKED = "reworked"
    RELEASED = "released"
    REASSIGNED = "reassigned"
    REQUEUED = "requeued"
    ASKED_AGAIN = "asked_again"
    RECALLED = "recalled"
    RECALL_LIFTED = "recall_lifted"
    VOTE_UNDONE = "vote_undone"
    VOTER_EXCLUDED = "voter_excluded"
    VOTER_READMITTED = "voter_readmitted"


class AuditEvent(models.Model):
    """One act. It outlives what it speaks of, so its references are not enforced."""

    project = models.ForeignKey(
        Project, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False
    )
    layer = models.ForeignKey(
        Layer, null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
        help_text="Empty when a rule acted.",
    )
    verb = models.CharField(max_length=20, choices=AuditVerb)
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["layer", "id"]), models.Index(fields=["project", "id"])]

    def __str__(self) -> str:
        return f"{self.verb} in {self.project_id}"
