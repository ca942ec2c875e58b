"""Runs of the data engine. The whole state of every job is here; the broker only rings."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from engine.models.images import SourceImage
from engine.models.projects import Project
from engine.records import STAGES


class Producer(models.Model):
    """Who made a layer: a recipe, a checkpoint, a person, or an import."""

    class Kind(models.TextChoices):
        RECIPE = "recipe"
        CHECKPOINT = "checkpoint"
        PERSON = "person"
        IMPORTED = "imported"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=120, unique=True)
    digest = models.CharField(max_length=64, blank=True, help_text="Of the recipe or checkpoint.")
    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="producer",
        help_text="Whose repairs these are. The name never tells.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Worker(models.Model):
    """A worker process and when it was last heard of."""

    name = models.CharField(max_length=160, unique=True)
    queue = models.CharField(max_length=20)
    device = models.CharField(max_length=60, default="cpu")
    memory_mb = models.PositiveIntegerField(default=0)
    device_used_mb = models.PositiveIntegerField(default=0)
    device_free_mb = models.PositiveIntegerField(default=0)
    resident = models.JSONField(default=list, help_text="Networks in its device's memory: [name, MB].")
    doing = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RunStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class EngineRun(models.Model):
    """One recipe over some images of a project, with all that is needed to do it again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    producer = models.ForeignKey(Producer, on_delete=models.PROTECT, related_name="runs")
    recipe = models.JSONField(help_text="engine.recipes.Recipe.to_json")
    recipe_name = models.CharField(max_length=60)
    seed = models.PositiveBigIntegerField(default=0)
    code_revision = models.CharField(max_length=60)
    derived_from = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="derived",
        help_text="Whose earlier stages.",
    )
    from_stage = models.CharField(max_length=20, blank=True, help_text="The first stage that was done anew.")
    status = models.CharField(max_length=12, choices=RunStatus, default=RunStatus.QUEUED)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["project", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.recipe_name} on {self.project}"


class ItemStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    DROPPED = "dropped"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE_ITEMS = (ItemStatus.QUEUED, ItemStatus.RUNNING)


class RunItem(models.Model):
    """One image of a run: claimed by a worker for a while, taken stage by stage.

    ``lease`` is a fencing token, new with every claim: a worker writes only while it still holds it.
    ``scene_file`` is the scene as the last finished stage left it; a rerun starts from there. Of an image that is done
    it has no finished layers, which are in the store.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(EngineRun, on_delete=models.CASCADE, related_name="items")
    image = models.ForeignKey(SourceImage, on_delete=models.CASCADE, related_name="run_items")
    recipe_digest = models.CharField(max_length=64)
    queue = models.CharField(max_length=20)
    status = models.CharField(max_length=12, choices=ItemStatus, default=ItemStatus.QUEUED)
    stages_done = models.PositiveSmallIntegerField(default=0)
    scene_file = models.CharField(max_length=200, blank=True)
    lease = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.ForeignKey(Worker, null=True, on_delete=models.SET_NULL, related_name="items")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was dropped or failed.")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "image"], name="one_item_per_run_and_image"),
            models.UniqueConstraint(
                fields=["image", "recipe_digest"],
                condition=models.Q(status__in=LIVE_ITEMS),
                name="one_live_run_per_image_and_recipe",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=ItemStatus.RUNNING)
                | models.Q(lease__isnull=False, lease_expires_at__isnull=False),
                name="running_item_has_a_lease",
            ),
        ]
        indexes = [
            models.Index(fields=["queue", "created_at"], condition=models.Q(status__in=LIVE_ITEMS), name="live_items"),
            models.Index(fields=["run", "status"]),
        ]

    def __str__(self) -> str:
        return f"{self.image} in {self.run}"


class StageRun(models.Model):
    """What one stage did to one image of a run."""

    class Outcome(models.TextChoices):
        KEPT = "kept"
        DROPPED = "dropped"
        FAILED = "failed"

    item = models.ForeignKey(RunItem, on_delete=models.CASCADE, related_name="stage_runs")
    run = models.ForeignKey(EngineRun, on_delete=models.CASCADE, related_name="stage_runs")
    stage = models.CharField(max_length=20, choices=[(stage, stage) for stage in STAGES])
    backend = models.CharField(max_length=40)
    outcome = models.CharField(max_length=10, choices=Outcome)
    reason = models.CharField(max_length=500, blank=True)
    seconds = models.FloatField()
    device_s = models.FloatField(default=0.0, help_text="Of them, inside networks.")
    tokens = models.PositiveIntegerField(default=0, help_text="Read and written by language networks.")
    layers_in = models.PositiveSmallIntegerField(default=0)
    layers_out = models.PositiveSmallIntegerField(default=0)
    numbers = models.JSONField(default=dict)
    dropped_layers = models.JSONField(default=dict, help_text="Instance key to reason.")
    preview = models.FileField(max_length=200, blank=True, help_text="What the stage made, as a small picture.")
    finished_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "stage"], name="one_report_per_item_and_stage")]
        indexes = [models.Index(fields=["run", "stage", "outcome"])]

    def __str__(self) -> str:
        return f"{self.stage}: {self.outcome}"
