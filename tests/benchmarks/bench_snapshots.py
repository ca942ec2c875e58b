"""What freezing and exporting a large project costs; ``BENCH_SNAPSHOT_PICTURES`` sets how large (3 layers each).

``BENCH_SNAPSHOT_EXPORT=0`` leaves the export out: 333,400 pictures are a million layers, of which only rows are made.

Rows of the manifest are as in real projects, with prompts and two verdicts a layer; the picture files are 128 px
and shared, so it is rows that are measured, and small files.
"""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection

from engine.models import Layer, LayerStatus, Project
from tests.factories import make_project
from tests.services import database_url
from training.models import Snapshot
from training.near_duplicates import groups_of
from training.rules import Rules
from training.selectors.candidates import preview
from training.services.freezing import freeze_snapshot

PICTURES = int(os.environ.get("BENCH_SNAPSHOT_PICTURES", "33400"))
IS_EXPORTED = os.environ.get("BENCH_SNAPSHOT_EXPORT", "1") == "1"


@pytest.fixture
def project(transactional_db: None, bench: Callable[..., None]) -> Project:
    made = make_project("scale", needed_judgements=2)
    size = ["--images", str(PICTURES), "--annotators", "20", "--verdicts", str(PICTURES * 8)]
    call_command("seed_scale", "--project", "scale", *size, stdout=sys.stderr)
    with connection.cursor() as cursor:
        look = "('x' || left(md5(id::text), 16))::bit(64)::bigint"
        cursor.execute(f"UPDATE engine_sourceimage SET perceptual_hash = {look}")
        cursor.execute("ANALYZE engine_sourceimage")
    Layer.objects.update(status=LayerStatus.ACCEPTED)
    return made


def export(snapshot: Snapshot, out: Path, home: Path, kill_at: int | None = None) -> tuple[float, float]:
    """The command as a process of its own, killed when so many shards are there; seconds and peak MB."""
    environment = {**os.environ, "DATABASE_URL": database_url(), "RLD_HOME": str(home)}
    command = ["manage.py", "export_snapshot", str(snapshot.pk), "--format", "webdataset", "--out", str(out)]
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], env=environment, stdout=sys.stderr)
    while kill_at is not None and process.poll() is None:
        if len(list(out.glob("*.tar"))) >= kill_at:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.02)
    process.wait()
    assert process.returncode == (0 if kill_at is None else -signal.SIGKILL)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def test_freezing_and_exporting_a_large_project(project: Project, bench: Callable[..., None], tmp_path: Path) -> None:
    layers = Layer.objects.count()
    start = time.perf_counter()
    shown = preview(project, Rules())
    bench("preview of a snapshot", time.perf_counter() - start, "s", f"{shown.layers:,} layers")
    start, processor = time.perf_counter(), time.process_time()
    snapshot = freeze_snapshot(project=project, name="large", rules=Rules())
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    note = f"{layers:,} layers, {os.path.getsize(snapshot.manifest.path) / 2**20:.0f} MiB manifest"
    bench("freeze_snapshot", seconds, "s", f"{note}; {seconds / layers * 1e6:.0f} s per million")
    bench("freeze_snapshot, this process", processor, "s", f"of processor time; load {os.getloadavg()[0]:.1f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bench("freeze_snapshot, peak resident memory", peak, "MB", "of the whole process")
    assert snapshot.rows == layers
    if not IS_EXPORTED:
        return

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    seconds, peak = export(snapshot, whole, tmp_path)
    size = sum(path.stat().st_size for path in whole.iterdir())
    bench("export, WebDataset", seconds, "s", f"{layers:,} layers, {size / 2**20:.0f} MiB")
    bench("export, peak resident memory", peak, "MB", "of the whole process")
    export(snapshot, broken, tmp_path, kill_at=len(list(whole.glob("*.tar"))) // 2)
    export(snapshot, broken, tmp_path)
    assert digests(broken) == digests(whole)
    bench("export after kill -9", len(digests(whole)), "files", "all equal to the byte")


def test_grouping_pictures_that_look_the_same(bench: Callable[..., None]) -> None:
    rng: Any = np.random.default_rng(0)
    hashes = rng.integers(-(2**63), 2**63 - 1, 10 * PICTURES).tolist()
    start = time.perf_counter()
    groups = groups_of(hashes)
    bench("near-duplicate groups", time.perf_counter() - start, "s", f"{len(hashes):,} pictures")
    assert len(set(groups)) > 0.99 * len(hashes)
