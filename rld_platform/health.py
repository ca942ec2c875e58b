"""For load balancers and monitoring: alive, ready, and Prometheus metrics."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from engine.models import Layer, RunItem, Worker
from rld_platform.celery import app

log = logging.getLogger(__name__)


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return True
    except DatabaseError:
        log.exception("the database does not answer")
        return False


def _broker_answers() -> bool:
    try:
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
        return True
    except Exception:
        # Each transport raises its own errors; any of them means that the doorbell does not ring.
        log.exception("the broker does not answer")
        return False


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when database and broker answer and a worker was heard of lately; 503 and what is missing otherwise."""
    parts = {"database": _database_answers(), "broker": _broker_answers(), "worker": False}
    if parts["database"]:
        since = timezone.now() - timedelta(seconds=settings.LEASE_S)
        parts["worker"] = Worker.objects.filter(heartbeat_at__gte=since).exists()
    is_ready = all(parts.values())
    return JsonResponse({"ready": is_ready, **parts}, status=200 if is_ready else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Read from the database at each scrape, so every web process answers the same."""
    registry = CollectorRegistry()
    items = Gauge("rld_run_items", "Images of engine runs by status", ["status"], registry=registry)
    for status, count in RunItem.objects.values_list("status").annotate(Count("id")):
        items.labels(status).set(count)
    layers = Gauge("rld_layers", "Layers by status", ["status"], registry=registry)
    for status, count in Layer.objects.values_list("status").annotate(Count("id")):
        layers.labels(status).set(count)
    silence = Gauge("rld_worker_silence_seconds", "Seconds since a worker was heard of", ["worker"], registry=registry)
    used = Gauge("rld_worker_device_used_mb", "Memory in use on a worker's device", ["worker"], registry=registry)
    free = Gauge("rld_worker_device_free_mb", "Memory free on a worker's device", ["worker"], registry=registry)
    networks = Gauge(
        "rld_worker_networks", "Networks in the memory of a worker's device", ["worker"], registry=registry
    )
    for worker in Worker.objects.all():
        silence.labels(worker.name).set((timezone.now() - worker.heartbeat_at).total_seconds())
        used.labels(worker.name).set(worker.device_used_mb)
        free.labels(worker.name).set(worker.device_free_mb)
        networks.labels(worker.name).set(len(worker.resident))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
