"""Runs as people look at them: how far, the funnel, who works on it, the pictures and layers behind each number."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import BooleanField, Count, F, Func, JSONField, Q, QuerySet, Value
from django.utils import timezone

from engine.models import EngineRun, ItemStatus, Layer, LayerStatus, Project, Role, RunStatus, StageRun, Worker
from engine.models.runs import LIVE_ITEMS
from engine.records import STAGES, LayerKind
from engine.refusals import Refusal
from engine.selectors.access import projects_of, require_role
from engine.selectors.funnel import StageSummary, funnel

LIVE_RUNS = (RunStatus.QUEUED, RunStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker that had pictures of this run, or one that could take some. ``silent_s`` since its last heartbeat.

    ``pictures`` are in its hands now, ``done`` are those it brought to an end.
    """

    worker: Worker
    silent_s: float
    pictures: int
    done: int

    @property
    def name(self) -> str:
        return self.worker.name

    @property
    def device(self) -> str:
        return self.worker.device

    @property
    def doing(self) -> str:
        return self.worker.doing

    @property
    def is_silent(self) -> bool:
        return self.silent_s > settings.LEASE_S


@dataclass(frozen=True, slots=True)
class RunReport:
    """The whole state of a run at one moment; seven queries, however many pictures.

    ``waiting``: pictures queued for or inside each stage. ``done_share`` 0..1 counts stages, so that it moves
    while the first picture is still under way. ``layers``: ``(kind, status)`` to count, without people's repairs of
    them: a layer that had to be mended was not accepted as the recipe made it.
    """

    run: EngineRun
    stages: list[StageSummary]
    items: dict[str, int]
    waiting: dict[str, int]
    done_share: float
    layers: dict[tuple[str, str], int]
    workers: list[WorkerState]

    @property
    def pictures(self) -> int:
        return sum(self.items.values())

    @property
    def is_live(self) -> bool:
        return self.run.status in LIVE_RUNS

    @property
    def silent_workers(self) -> list[WorkerState]:
        """Those that hold pictures of this run and are not heard any more."""
        return [worker for worker in self.workers if worker.is_silent and worker.pictures]

    @property
    def lacks_workers(self) -> bool:
        """Work is waiting and nobody who could do it is heard."""
        return self.is_live and all(worker.is_silent for worker in self.workers)

    @property
    def layers_by_status(self) -> dict[str, int]:
        counts = dict.fromkeys(LayerStatus.values, 0)
        for (_, status), count in self.layers.items():
            counts[status] += count
        return counts

    def accepted_share(self, kind: LayerKind) -> float | None:
        """Accepted over judged layers of this kind; ``None`` before the first verdict."""
        accepted = self.layers.get((kind, LayerStatus.ACCEPTED), 0)
        refused = sum(self.layers.get((kind, status), 0) for status in (LayerStatus.REJECTED, LayerStatus.SUPERSEDED))
        judged = accepted + refused
        return accepted / judged if judged else None


def runs_of(user: Any, project: Project | None = None) -> QuerySet[EngineRun]:
    """Runs this person may see, newest first, with how many pictures each has and how many are done."""
    runs = EngineRun.objects.filter(project__in=projects_of(user)).select_related("project", "started_by")
    if project is not None:
        runs = runs.filter(project=project)
    ended = Q(items__isnull=False) & ~Q(items__status__in=LIVE_ITEMS)
    return runs.annotate(pictures=Count("items"), ended=Count("items", filter=ended)).order_by("-created_at", "-id")


def run_for(user: Any, run_id: Any, at_least: str = Role.VIEWER) -> EngineRun:
    """The run. Raises ``Refusal``: 404 for strangers and unknown ids, 403 for too low a role."""
    run = (
        EngineRun.objects.select_related("project", "producer", "started_by", "derived_from").filter(id=run_id).first()
    )
    if run is None:
        raise Refusal("not_found", "There is no such run.", 404)
    require_role(user, run.project, at_least)
    return run


def run_report(run: EngineRun) -> RunReport:
    """What has happened so far, right at any moment of a live run."""
    steps = list(run.items.values_list("status", "stages_done").annotate(count=Count("pk")).order_by())
    items: Counter[str] = Counter()
    waiting = dict.fromkeys(STAGES, 0)
    done = 0
    for status, stages_done, count in steps:
        items[status] += count
        is_live = status in LIVE_ITEMS
        done += count * (stages_done if is_live else len(STAGES))
        if is_live and stages_done < len(STAGES):
            waiting[STAGES[stages_done]] += count
    made = Layer.objects.filter(item__run=run, author=None)
    layers = made.values_list("kind", "status").annotate(count=Count("pk")).order_by()
    return RunReport(
        run=run,
        stages=funnel(run.stage_runs.all()),
        items={status: items[status] for status in ItemStatus.values},
        waiting=waiting,
        done_share=done / (len(STAGES) * sum(items.values())) if items else 0.0,
        layers={(kind, status): count for kind, status, count in layers},
        workers=_workers(run),
    )


def _workers(run: EngineRun) -> list[WorkerState]:
    """Workers that took pictures of the run, and while it is live all that are heard and could take more.

    One that swept last says ``default``: the same processes listen to both.
    """
    now = timezone.now()
    in_work = Q(status=ItemStatus.RUNNING)
    taken = run.items.exclude(worker=None).order_by().values_list("worker")
    counts = {
        worker: (pictures, done)
        for worker, pictures, done in taken.annotate(
            pictures=Count("pk", filter=in_work), done=Count("pk", filter=~in_work)
        )
    }
    wanted = Q(pk__in=counts)
    if run.status in LIVE_RUNS:
        heard = Q(heartbeat_at__gte=now - timedelta(seconds=settings.LEASE_S))
        wanted |= heard & (Q(queue="default") | Q(queue__in=run.items.order_by().values("queue").distinct()))
    return [
        WorkerState(
            worker,
            (now - worker.heartbeat_at).total_seconds(),
            *counts.get(worker.pk, (0, 0)),
        )
        for worker in Worker.objects.filter(wanted)
    ]


def run_pictures(run: EngineRun, stage: str, outcome: str = "", reason: str = "") -> QuerySet[StageRun]:
    """What one stage did to each picture, troubled ones first.

    ``outcome`` is one of ``StageRun.Outcome``, or ``layers`` for pictures of which the stage gave up single layers;
    ``reason`` narrows to one reason of a picture or, with ``layers``, of a layer.
    """
    rows = run.stage_runs.filter(stage=stage).select_related("item__image")
    if outcome == "layers":
        rows = rows.exclude(dropped_layers={})
        if reason:
            rows = rows.filter(_has_layer_reason(reason))
    else:
        rows = rows.filter(**{"outcome": outcome} if outcome else {}, **{"reason": reason} if reason else {})
    return rows.order_by(Func(F("outcome"), template="%(expressions)s = 'kept'"), "item__image__created_at", "pk")


def _has_layer_reason(reason: str) -> Func:
    return Func(
        F("dropped_layers"),
        Value("$.* ? (@ == $reason)"),
        Value({"reason": reason}, JSONField()),
        template="jsonb_path_exists(%(expressions)s)",
        output_field=BooleanField(),
    )


def dropped_layers_of(stage_runs: list[StageRun]) -> dict[tuple[Any, str], Layer]:
    """``(item id, instance key)`` to the stored layer, for layers these stage runs gave up; one query."""
    items = [row.item_id for row in stage_runs if row.dropped_layers]
    layers = Layer.objects.filter(item__in=items, status=LayerStatus.DROPPED)
    return {(layer.item_id, layer.key): layer for layer in layers}
