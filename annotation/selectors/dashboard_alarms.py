"""What an admin should look at now. Alarms only tell; nobody is stopped by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max

from annotation.models import VerdictTally
from annotation.selectors.dashboard import QueueState
from engine.models import EngineRun, Layer, LayerStatus, Project, RunStatus, Worker

STALLED_AFTER = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Alarm:
    """``code`` is stable, ``title`` says what is wrong and ``detail`` what follows from it."""

    code: str
    title: str
    detail: str


def alarms(project: Project, queue: QueueState, now: datetime) -> list[Alarm]:
    found = []
    last = VerdictTally.objects.filter(project=project, verdicts__gt=0).aggregate(last=Max("hour"))["last"]
    # A tally's hour is when it begins, so a verdict may be up to an hour younger.
    waits = now - timedelta(hours=1) - last if last is not None else now - (_first_ready_at(project) or now)
    if queue.left and waits > STALLED_AFTER:
        hours = (now - last if last is not None else waits) // timedelta(hours=1)
        title = f"Nobody has judged for {hours} h." if last is not None else f"Layers wait for {hours} h; nobody came."
        found.append(Alarm("stalled_queue", title, f"{queue.left} judgements are still needed."))
    if queue.expired and not queue.leased and queue.expired > queue.open:
        found.append(
            Alarm("expired_leases", f"{queue.expired} leases have ended.", "Their layers wait for somebody to claim.")
        )
    if queue.adjudications:
        layers = "1 layer waits" if queue.adjudications == 1 else f"{queue.adjudications} layers wait"
        found.append(
            Alarm("adjudications", f"{layers} for a reviewer.", "People disagree, are unsure, or see no picture.")
        )
    return found + _worker_alarms(project, now)


def _first_ready_at(project: Project) -> datetime | None:
    ready = Layer.objects.filter(project=project, status=LayerStatus.READY)
    return ready.order_by("created_at").values_list("created_at", flat=True).first()


def _worker_alarms(project: Project, now: datetime) -> list[Alarm]:
    live = EngineRun.objects.filter(project=project, status__in=(RunStatus.QUEUED, RunStatus.RUNNING)).count()
    if not live:
        return []
    heard = now - timedelta(seconds=settings.LEASE_S)
    if Worker.objects.filter(heartbeat_at__gte=heard).exists():
        return []
    runs = "1 run waits" if live == 1 else f"{live} runs wait"
    return [Alarm("no_worker", "No worker is heard.", f"{runs}: start one with make worker.")]
