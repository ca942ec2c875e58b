"""Training runs: from a snapshot and a parent checkpoint to a new checkpoint, and the rules that start them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from engine.models import Layer, Project
from training.models.checkpoints import Checkpoint
from training.models.jobs import LIVE, Job, JobStatus
from training.models.snapshots import Snapshot


class RetrainPolicy(models.Model):
    """When a project retrains by itself. A trigger that is 0 is off; budgets count runs that it started."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="retrain_policy")
    is_enabled = models.BooleanField(default=False)
    every_layers = models.PositiveIntegerField(
        default=200, help_text="Newly accepted layers since the last run; 0: not by number."
    )
    every_days = models.PositiveSmallIntegerField(default=0, help_text="7 is weekly; 0: not by time.")
    hpa_drop = models.FloatField(
        default=0.0,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="Fall of the HPA score, 0 to 1; 0: not by score.",
    )
    cooldown_hours = models.FloatField(
        default=6.0, validators=[MinValueValidator(0)], help_text="At least so long between two starts."
    )
    budget_runs = models.PositiveSmallIntegerField(default=4, help_text="Runs in 30 days; 0: no limit.")
    budget_minutes = models.PositiveIntegerField(default=0, help_text="Minutes of training in 30 days; 0: no limit.")
    recipe = models.CharField(max_length=60, default="tiny_cpu")
    weights = models.JSONField(default=dict, blank=True, help_text="As training.mixing.Mix.")
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"retraining of {self.project}"


class RunTrigger(models.TextChoices):
    BUTTON = "button"
    API = "api"
    COMMAND = "command"
    POLICY = "policy"
    LOOP = "loop"


class TrainingRun(Job):
    """One run of the trainer. Its folder is ``RLD_HOME/training/<id>``; ``reason`` begins with a failure's code."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="training_runs", db_index=False)
    number = models.PositiveIntegerField(help_text="Counts the project's runs from 1.")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.RESTRICT, related_name="training_runs")
    parent = models.ForeignKey(
        Checkpoint,
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="runs_from",
        help_text="None: scratch.",
    )
    checkpoint = models.OneToOneField(
        Checkpoint, null=True, blank=True, on_delete=models.SET_NULL, related_name="run", help_text="What it made."
    )
    recipe = models.CharField(max_length=60)
    params = models.JSONField(default=dict, help_text="More fields of the trainer's configuration.")
    weights = models.JSONField(help_text="training.mixing.Mix: how often validated, automatic and composite are drawn.")
    automatic = models.ManyToManyField(
        Layer, blank=True, related_name="training_runs", help_text="Layers nobody judged that it also learned from."
    )
    automatic_digest = models.CharField(max_length=64, blank=True, help_text="Of their manifest.")
    step = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=0, help_text="0 until the trainer says it.")
    trained_s = models.FloatField(default=0.0, help_text="Seconds that a trainer ran, all claims together.")
    log = models.TextField(blank=True, help_text="The last lines that the trainer wrote.")
    code_revision = models.CharField(max_length=60)
    trigger = models.CharField(max_length=7, choices=RunTrigger)
    cause = models.CharField(max_length=200, blank=True, help_text="Of a policy: what was due.")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    started_at = models.DateTimeField(null=True, blank=True)

    class Meta(Job.Meta):
        ordering = ["-created_at", "-id"]
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(fields=["project", "number"], name="one_training_run_per_project_and_number"),
            models.CheckConstraint(
                condition=~Q(status=JobStatus.FINISHED) | Q(steps__gt=0, step=models.F("steps")),
                name="finished_training_run_took_all_steps",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-created_at"]),
            models.Index(fields=["created_at"], condition=Q(status__in=LIVE), name="live_training_runs"),
        ]

    def __str__(self) -> str:
        return f"{self.recipe} {self.number} of {self.project}"

    @property
    def error_code(self) -> str:
        return self.reason.partition(":")[0] if self.status == JobStatus.FAILED else ""


class TrainingMetric(models.Model):
    """Numbers of one step, read back from ``metrics.jsonl``; a step that is taken again gives its row again."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="series", db_index=False)
    kind = models.CharField(max_length=10, help_text="train or validation")
    step = models.PositiveIntegerField(help_text="Of the whole run, over all stages.")
    stage = models.CharField(max_length=20)
    numbers = models.JSONField()

    class Meta:
        ordering = ["run", "step"]
        constraints = [models.UniqueConstraint(fields=["run", "kind", "step"], name="one_row_per_run_kind_and_step")]

    def __str__(self) -> str:
        return f"{self.kind} {self.step}"


class TrainingSample(models.Model):
    """A grid of fixed examples as the network answered them at a step."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="samples", db_index=False)
    step = models.PositiveIntegerField()
    picture = models.FileField(max_length=200)

    class Meta:
        ordering = ["run", "step"]
        constraints = [models.UniqueConstraint(fields=["run", "step"], name="one_sample_per_run_and_step")]

    def __str__(self) -> str:
        return f"samples at {self.step}"
