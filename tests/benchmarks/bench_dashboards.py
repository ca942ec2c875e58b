"""What the dashboard, the statistics and the pages that count cost in a large project.

``BENCH_PICTURES`` sets how large (3 layers each).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from engine.models import Project, Role
from tests.factories import join, make_project

PICTURES = int(os.environ.get("BENCH_PICTURES", "30000"))
ROUNDS = 40
ADDRESSES = {
    "home": "/",
    "projects": "/projects/",
    "project": "/projects/scale/",
    "snapshots": "/projects/scale/snapshots/",
    "benchmarks": "/projects/scale/benchmarks/",
    "dashboard, 24 hours": "/projects/scale/dashboard/",
    "dashboard, 7 days": "/projects/scale/dashboard/?range=week",
    "dashboard, project": "/projects/scale/dashboard/?range=project",
    "people as CSV": "/projects/scale/dashboard/people.csv?range=project",
    "GET /api/stats/throughput/": "/api/stats/throughput/?project=scale",
    "GET /api/stats/queues/": "/api/stats/queues/?project=scale",
}


@pytest.mark.django_db(transaction=True)
def test_dashboards_cost_the_same_in_a_large_project(bench: Callable[..., None]) -> None:
    project = make_project("scale", needed_judgements=2)
    start = time.perf_counter()
    size = ["--images", str(PICTURES), "--annotators", "20", "--verdicts", str(PICTURES * 6)]
    call_command("seed_scale", "--project", "scale", *size, stdout=sys.stderr)
    bench("seed_scale", time.perf_counter() - start, "s", f"{3 * PICTURES:,} layers, {6 * PICTURES:,} verdicts")
    assert Project.objects.get(pk=project.pk).layers.count() == 3 * PICTURES
    admin = get_user_model().objects.create(username="admin")
    join(admin, project, Role.ADMIN)
    client = Client()
    client.force_login(admin)
    note = f"load average {os.getloadavg()[0]:.1f}"
    for name, address in ADDRESSES.items():
        client.get(address)  # agreement is measured anew once a minute; what that costs is told at the end
        seconds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            assert client.get(address).status_code == 200
            seconds.append(time.perf_counter() - start)
        bench(f"{name}, p95", 1e3 * np.quantile(seconds, 0.95), "ms", note)
    cache.clear()
    start = time.perf_counter()
    client.get(ADDRESSES["dashboard, project"])
    bench("dashboard, project, agreement measured anew", 1e3 * (time.perf_counter() - start), "ms", note)
