"""Layers and the prompts that refer to them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from engine.models.images import SourceImage
from engine.models.projects import Project
from engine.models.runs import Producer, RunItem
from engine.records import LayerKind, PromptKind


class LayerStatus(models.TextChoices):
    """``dropped`` by the post-filter (kept as a negative); ``ready`` for people; then what they decided.

    ``superseded``: a person's repair stands in its place. It is history, shown in no stack and judged no more.
    """

    DROPPED = "dropped"
    READY = "ready"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


OUT_OF_SIGHT = (LayerStatus.DROPPED, LayerStatus.SUPERSEDED)
"""Layers that belong to no stack."""


class Layer(models.Model):
    """One RGBA layer of one source image: same size and position, straight alpha."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="layers")
    image = models.ForeignKey(SourceImage, on_delete=models.CASCADE, related_name="layers")
    producer = models.ForeignKey(Producer, on_delete=models.PROTECT, related_name="layers")
    item = models.ForeignKey(RunItem, null=True, blank=True, on_delete=models.CASCADE, related_name="layers")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Who repaired it by hand, and so is never asked to judge it.",
    )
    replaces = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="replacements",
        db_index=False,
        help_text="The superseded layer that this one is a repair of.",
    )
    origin = models.ForeignKey(
        Producer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Of a repair: who made the stack that it lies in.",
    )
    key = models.CharField(max_length=8, help_text="Instance key in its scene.")
    depth = models.PositiveSmallIntegerField(help_text="0 is the foremost; the background is last.")
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in LayerKind])
    label = models.CharField(max_length=120)
    status = models.CharField(max_length=10, choices=LayerStatus)
    drop_reason = models.CharField(max_length=120, blank=True)
    sha256 = models.CharField(max_length=64, help_text="Of the RGBA PNG.")
    rgba = models.FileField(max_length=200)
    visible_mask = models.FileField(max_length=200)
    thumbnail = models.FileField(max_length=200)
    box = models.JSONField(help_text="[x0, y0, x1, y1] of alpha above 0.")
    area_share = models.FloatField(help_text="Amodal pixels over all pixels.")
    hidden_share = models.FloatField(help_text="Hidden pixels over amodal pixels.")
    soft_share = models.FloatField(help_text="Pixels with 0 < alpha < 1 over those with alpha > 0.")
    scores = models.JSONField(default=dict, help_text="The post-filter's.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["image", "depth"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "key"],
                condition=~models.Q(status=LayerStatus.SUPERSEDED),
                name="one_layer_per_item_and_instance",
            ),
            models.CheckConstraint(
                condition=models.Q(status=LayerStatus.DROPPED) | models.Q(drop_reason=""),
                name="only_dropped_layers_have_a_drop_reason",
            ),
            models.UniqueConstraint(
                fields=["replaces"], condition=models.Q(replaces__isnull=False), name="one_replacement_per_layer"
            ),
            models.CheckConstraint(
                condition=models.Q(replaces=None) | models.Q(author__isnull=False), name="repaired_layer_has_an_author"
            ),
            models.CheckConstraint(condition=models.Q(status__in=LayerStatus.values), name="layer_status_is_known"),
        ]
        indexes = [
            models.Index(fields=["project", "status", "created_at", "id"]),
            models.Index(fields=["image", "depth"]),
            models.Index(
                fields=["project", "author"], condition=models.Q(author__isnull=False), name="repaired_layers"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} of {self.image}"


class Prompt(models.Model):
    """One way to refer to a layer; coordinates are pixels of the source image."""

    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="prompts")
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in PromptKind])
    points = models.JSONField(default=list, help_text="[[x, y], ...]")
    box = models.JSONField(null=True, help_text="[x0, y0, x1, y1]")
    mask = models.JSONField(null=True, help_text="COCO's uncompressed run lengths.")
    text = models.CharField(max_length=400, blank=True)
    is_ambiguous = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}" if self.text else self.kind
