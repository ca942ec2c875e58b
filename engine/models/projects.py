"""A project: photographs, the recipe that makes layers of them, and how many people judge each layer."""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Project(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=140, unique=True)
    instructions = models.TextField(blank=True, help_text="What annotators read before they judge.")
    needed_judgements = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(9)]
    )
    recipe = models.CharField(max_length=60, default="cpu")
    checkpoint = models.CharField(
        max_length=100, blank=True, help_text="Promoted: what recipes with a RefLayer stage use instead of their own."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(needed_judgements__gte=1, needed_judgements__lte=9),
                name="project_needs_1_to_9_judgements",
            )
        ]

    def __str__(self) -> str:
        return self.name
