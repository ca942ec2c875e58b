"""Leaderboards. They are made anew from all votes, never updated vote by vote, and every one is kept."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from engine.models import Producer, Project
from engine.records import LayerKind

BOARDS = [(kind.value, kind.value) for kind in LayerKind]


class Refit(models.Model):
    """One fit of one board. ``problem`` says why there are no ratings, as a code of ``NotRatable``."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="refits", db_index=False)
    board = models.CharField(max_length=12, choices=BOARDS)
    votes = models.PositiveIntegerField(help_text="That counted when it was made.")
    fitted_votes = models.PositiveIntegerField(help_text="Without those of flagged voters and unlinked producers.")
    changed_at = models.DateTimeField(help_text="The last change of a vote that this fit knows of.")
    problem = models.CharField(max_length=20, blank=True)
    tie = models.FloatField(null=True, help_text="Davidson's nu.")
    flips = models.PositiveIntegerField(null=True, help_text="So many dropped votes change the first place.")
    bias = models.JSONField(default=dict, help_text="evaluation.rating_bias.Bias of the side and the edit probes.")
    gaps = models.JSONField(default=list, help_text="Variance in logits between neighbours: [[better, worse, v], ...].")
    excluded = models.JSONField(default=list, help_text="Flagged voters: [{annotator, habit, evidence, votes}, ...].")
    wins = models.JSONField(default=dict, help_text="{producers, won, votes}: matrices, the row against the column.")
    seconds = models.FloatField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project", "board", "-id"])]

    def __str__(self) -> str:
        return f"{self.board} board of {self.project_id}, {self.votes} votes"


class Rating(models.Model):
    """One producer in one refit, on the Elo-looking scale. Empty while it is not linked to the others by wins."""

    refit = models.ForeignKey(Refit, on_delete=models.CASCADE, related_name="ratings")
    producer = models.ForeignKey(Producer, on_delete=models.PROTECT, related_name="ratings")
    votes = models.PositiveIntegerField()
    rating = models.FloatField(null=True)
    ci_low = models.FloatField(null=True, help_text="95 %, resampling photos.")
    ci_high = models.FloatField(null=True)
    people_low = models.FloatField(null=True, help_text="95 %, resampling annotators.")
    people_high = models.FloatField(null=True)
    rank_low = models.PositiveSmallIntegerField(null=True)
    rank_high = models.PositiveSmallIntegerField(null=True)
    reweighted = models.FloatField(null=True, help_text="Rating with votes weighted by inverse propensity, as a check.")
    online_elo = models.FloatField(null=True, help_text="Mean of classic Elo over shuffles: the figure papers show.")
    online_low = models.FloatField(null=True, help_text="Range over orders of the votes; no confidence interval.")
    online_high = models.FloatField(null=True)

    class Meta:
        ordering = ["refit", models.F("rating").desc(nulls_last=True), "producer"]
        constraints = [
            models.UniqueConstraint(fields=["refit", "producer"], name="one_rating_per_refit_and_producer"),
            models.CheckConstraint(
                condition=Q(rating=None, ci_low=None, ci_high=None, rank_low=None, rank_high=None)
                | Q(rating__isnull=False, ci_low__isnull=False, ci_high__isnull=False, rank_low__gte=1),
                name="rating_comes_with_its_interval",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.producer_id}: {self.rating}"
