"""Prompts that a person asks a checkpoint about, outside any dataset: the playground and the API."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from engine.models import SourceImage
from training.models.jobs import LIVE, Job, JobStatus


class Prediction(Job):
    """One question and its answer. It is no layer of the project: nobody judges it and no snapshot takes it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey(SourceImage, on_delete=models.CASCADE, related_name="predictions")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="predictions", db_index=False
    )
    checkpoint = models.CharField(max_length=100, help_text="Its folder's name; cpu is the engine's recipe.")
    prompt = models.JSONField(help_text="training.prompt_json")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the RGBA PNG.")
    rgba = models.FileField(max_length=200, blank=True)
    visible_mask = models.FileField(max_length=200, blank=True)
    box = models.JSONField(null=True, help_text="[x0, y0, x1, y1] of alpha above 0.")
    area_share = models.FloatField(null=True, help_text="Amodal pixels over all pixels.")
    hidden_share = models.FloatField(null=True, help_text="Hidden pixels over amodal pixels.")
    soft_share = models.FloatField(null=True, help_text="Pixels with 0 < alpha < 1 over those with alpha > 0.")
    seconds = models.FloatField(null=True, help_text="The answer itself, the network being loaded.")

    class Meta(Job.Meta):
        ordering = ["-created_at", "-id"]
        constraints = [
            *Job.Meta.constraints,
            models.CheckConstraint(
                condition=~Q(status=JobStatus.FINISHED) | ~Q(rgba=""), name="finished_prediction_has_a_layer"
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(status__in=LIVE), name="live_predictions"),
            models.Index(fields=["asked_by", "-created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.checkpoint} on {self.image}"
