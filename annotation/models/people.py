"""How a project's queue treats people, and where one person stands in it."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from engine.models import Project

SHARE = [MinValueValidator(0.0), MaxValueValidator(0.5)]


class QueuePolicy(models.Model):
    """Quality rules of one project. Without a row there are no probes and no qualification."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="queue_policy")
    gold_rate = models.FloatField(default=0.05, validators=SHARE, help_text="Share of gold items, for ever.")
    gold_first = models.PositiveSmallIntegerField(default=5, help_text="A session begins with so many gold items.")
    mirror_rate = models.FloatField(default=0.02, validators=SHARE, help_text="Share of hidden repeats.")
    mirror_gap = models.PositiveSmallIntegerField(default=30, help_text="Own verdicts between a layer and its repeat.")
    qualification_items = models.PositiveSmallIntegerField(
        default=0, help_text="Gold items to answer before live work; 0 for none."
    )
    qualification_accuracy = models.FloatField(
        default=0.8, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)], help_text="Share to answer rightly."
    )
    unsure_limit = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1)], help_text="After so many unsure people a reviewer decides."
    )
    is_conflict_adjudicated = models.BooleanField(
        default=False, help_text="An even split goes to a reviewer instead of one more person."
    )
    rework_hours = models.PositiveSmallIntegerField(
        default=48, validators=[MinValueValidator(1)], help_text="How long returned work is kept for its author."
    )

    class Meta:
        verbose_name_plural = "queue policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(gold_rate__gte=0, gold_rate__lte=0.5, mirror_rate__gte=0, mirror_rate__lte=0.5),
                name="at_most_half_of_the_queue_is_a_probe_of_a_kind",
            ),
            models.CheckConstraint(condition=Q(unsure_limit__gte=1), name="unsure_limit_is_at_least_1"),
        ]

    def __str__(self) -> str:
        return f"policy of {self.project_id}"


class Assignee(models.Model):
    """One person in one project's queue. Without a row: no cap, no pause, no session yet."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="assignees")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="assignees")
    is_paused = models.BooleanField(default=False)
    daily_cap = models.PositiveIntegerField(null=True, blank=True, help_text="Decisions in 24 hours; empty for no cap.")
    qualified_at = models.DateTimeField(null=True, blank=True)
    tested_from = models.DateTimeField(
        null=True, blank=True, help_text="Gold answers before this do not qualify; set for another attempt."
    )
    last_served_at = models.DateTimeField(null=True, blank=True)
    served_in_session = models.PositiveIntegerField(default=0, help_text="New layers since the session began.")
    passed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the queue was last walked from its head for this person."
    )
    passed_priority = models.SmallIntegerField(null=True, blank=True, help_text="Of the first slot found then.")
    passed_key = models.FloatField(null=True, blank=True, help_text="The random key of the first slot found then.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_assignee_per_project_and_person")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.project_id}"
