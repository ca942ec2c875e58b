"""Maintained counts for dashboards: triggers of the database keep them in the transaction that changes the truth.

So they are right whoever writes, a service or a bulk statement. References are not enforced: a count of something
that was deleted is zero, and does no harm. Keys of rows that many people change at once have a ``shard``, the
connection's, so that nobody waits for another's commit; readers sum over shards.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from engine.models import Producer, Project


def _reference(to: Any) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(to, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)


class VerdictTally(models.Model):
    """What one person decided in one hour (UTC); verdicts taken back are left out."""

    project = _reference(Project)
    hour = models.DateTimeField()
    annotator = _reference(settings.AUTH_USER_MODEL)
    decision = models.CharField(max_length=6)
    verdicts = models.IntegerField(help_text="Extras and answers to probes too.")
    counted = models.IntegerField(help_text="Those that fill a slot.")
    active_ms = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "hour", "annotator", "decision"], name="one_verdict_tally")
        ]

    def __str__(self) -> str:
        return f"{self.verdicts} {self.decision} by {self.annotator_id} at {self.hour}"


class DefectTally(models.Model):
    """In how many of a person's verdicts of an hour a kind of defect was named."""

    project = _reference(Project)
    hour = models.DateTimeField()
    annotator = _reference(settings.AUTH_USER_MODEL)
    kind = models.CharField(max_length=20)
    verdicts = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "hour", "annotator", "kind"], name="one_defect_tally")
        ]

    def __str__(self) -> str:
        return f"{self.verdicts} {self.kind} by {self.annotator_id} at {self.hour}"


class LayerTally(models.Model):
    """How many layers are in a status."""

    project = _reference(Project)
    producer = _reference(Producer)
    kind = models.CharField(max_length=12)
    label = models.CharField(max_length=120)
    status = models.CharField(max_length=10)
    shard = models.SmallIntegerField()
    layers = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "producer", "kind", "label", "status", "shard"], name="one_layer_tally"
            )
        ]

    def __str__(self) -> str:
        return f"{self.layers} {self.status} {self.label}"


class SlotTally(models.Model):
    """How many slots are in a status."""

    project = _reference(Project)
    purpose = models.CharField(max_length=9)
    status = models.CharField(max_length=7)
    shard = models.SmallIntegerField()
    slots = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "purpose", "status", "shard"], name="one_slot_tally")]

    def __str__(self) -> str:
        return f"{self.slots} {self.status}"
