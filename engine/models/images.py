"""A photograph as it was imported, and its upright sRGB rendering that every stage and page works on."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from engine.models.projects import Project


class SourceImage(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="images")
    sha256 = models.CharField(max_length=64, help_text="Of the bytes as imported.")
    perceptual_hash = models.BigIntegerField(help_text="64-bit pHash as a signed integer.")
    duplicate_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="near_duplicates",
        help_text="An earlier picture of the project that looks the same.",
    )
    original_name = models.CharField(max_length=255)
    original_format = models.CharField(max_length=12)
    original = models.FileField(max_length=200, help_text="The bytes as imported.")
    picture = models.FileField(max_length=200, help_text="Upright 8-bit sRGB PNG; pixel coordinates refer to it.")
    thumbnail = models.FileField(max_length=200)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    given_prompts = models.JSONField(default=list, blank=True, help_text="engine.annotation_files.given_to_json")
    facts = models.JSONField(default=dict, blank=True, help_text="How it was decoded: mode, ICC, orientation, alpha.")
    credit = models.CharField(max_length=300, blank=True)
    licence = models.CharField(max_length=120, blank=True)
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "sha256"], name="one_image_per_project_and_digest"),
            models.CheckConstraint(condition=models.Q(width__gt=0, height__gt=0), name="image_has_pixels"),
        ]
        indexes = [models.Index(fields=["project", "created_at", "id"])]

    def __str__(self) -> str:
        return self.original_name
