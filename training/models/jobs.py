"""What snapshots and exports share: work that one worker at a time holds by a lease."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class JobStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


class Job(models.Model):
    """``lease`` is a fencing token, new with every claim: a worker writes only while it still holds it."""

    status = models.CharField(max_length=9, choices=JobStatus, default=JobStatus.QUEUED)
    lease = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Claims since the last progress.")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it failed.")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=~Q(status=JobStatus.RUNNING) | Q(lease__isnull=False, lease_expires_at__isnull=False),
                name="running_%(class)s_has_a_lease",
            ),
            models.CheckConstraint(condition=Q(status__in=JobStatus.values), name="%(class)s_status_is_known"),
        ]

    @property
    def is_live(self) -> bool:
        return self.status in LIVE
