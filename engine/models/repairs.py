"""A person's repair of one layer: a draft that saves itself, then a new version of the layer."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from engine.models.layers import Layer


class RepairStatus(models.TextChoices):
    OPEN = "open"
    SUBMITTED = "submitted"


class Repair(models.Model):
    """``marks`` are what the person drew, as ``engine.repair.marks`` reads them; pixels are made from them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="repairs")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="repairs")
    status = models.CharField(max_length=9, choices=RepairStatus, default=RepairStatus.OPEN)
    marks = models.JSONField(default=dict)
    client_id = models.CharField(max_length=64, blank=True, help_text="Of the submission; again is the same answer.")
    result = models.OneToOneField(Layer, null=True, blank=True, on_delete=models.CASCADE, related_name="repair")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["author", "layer"],
                condition=Q(status=RepairStatus.OPEN),
                name="one_open_repair_per_person_and_layer",
            ),
            models.CheckConstraint(
                condition=Q(status=RepairStatus.OPEN, result=None, client_id="")
                | (Q(status=RepairStatus.SUBMITTED, result__isnull=False) & ~Q(client_id="")),
                name="submitted_repair_has_a_result",
            ),
        ]

    def __str__(self) -> str:
        return f"repair of {self.layer_id} by {self.author_id}"
