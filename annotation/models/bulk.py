"""Acts over many layers that go on behind the request, with how far each is."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from engine.models import Project


class BulkVerb(models.TextChoices):
    """``recall``: what the person said. ``requeue``: what everybody said of the layers that the person judged, or of
    the listed ones."""

    RECALL = "recall"
    REQUEUE = "requeue"


class BulkStatus(models.TextChoices):
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class BulkAct(models.Model):
    """Verdicts that are taken back in chunks of layers, in the order of the layers' ids.

    Each chunk moves ``after`` in its own transaction, so a killed worker costs nothing and a second one does no harm.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="bulk_acts", db_index=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    verb = models.CharField(max_length=7, choices=BulkVerb)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    since = models.DateTimeField(null=True, blank=True, help_text="Only what the person said from then on.")
    listed = models.JSONField(default=list, blank=True, help_text="Ids of the layers, where no person is named.")
    status = models.CharField(max_length=9, choices=BulkStatus, default=BulkStatus.RUNNING)
    layers = models.PositiveIntegerField(help_text="To go through.")
    done = models.PositiveIntegerField(default=0, help_text="Layers gone through.")
    count = models.PositiveIntegerField(default=0, help_text="Verdicts taken back.")
    after = models.UUIDField(null=True, blank=True, help_text="The last layer of the last chunk.")
    created_at = models.DateTimeField(help_text="Verdicts given later are left alone.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False) | Q(verb=BulkVerb.REQUEUE), name="recall_names_a_person"
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-created_at"]),
            models.Index(fields=["created_at"], condition=Q(status=BulkStatus.RUNNING), name="running_bulk_acts"),
        ]

    def __str__(self) -> str:
        return f"{self.verb}: {self.done} of {self.layers}"
