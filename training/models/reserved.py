"""Pictures that nobody may train on, and the names under which judges appear outside."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from engine.models import Project


class ReservedPicture(models.Model):
    """A picture of a benchmark, or of anything else that must stay unseen in training.

    Higher apps write these rows (``training.services.reservations``). It need not be a picture of the project: what
    looks the same as one of these is kept out as well.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="reserved_pictures", db_index=False)
    purpose = models.CharField(max_length=40, help_text="Why, as a word: benchmark.")
    reserved_for = models.CharField(max_length=120, help_text="Name of the benchmark.")
    name = models.CharField(max_length=255, help_text="How people know the picture.")
    sha256 = models.CharField(max_length=64, help_text="Of its upright sRGB PNG.")
    perceptual_hash = models.BigIntegerField(help_text="engine.perceptual_hash")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "sha256", "purpose", "reserved_for"], name="one_reservation_per_picture_and_purpose"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.purpose} {self.reserved_for}"


class Judge(models.Model):
    """A person's name in manifests: random, and the same in all of them. Without this row nobody knows who it was."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    pseudonym = models.CharField(max_length=24, unique=True)

    def __str__(self) -> str:
        return self.pseudonym
