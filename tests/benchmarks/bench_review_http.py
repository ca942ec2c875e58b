"""The review loop over HTTP: claim and verdict, 20 annotators, 4 web processes, one layer a claim, 20,000 open slots.

Web server, database and load share this machine. The load generator is a process of its own. Where
``LABEL_STUDIO_PYTHON`` names the interpreter of an environment with label-studio and gunicorn, Label Studio does the
same in the same run: 20 people, 4 web processes, 20,000 open tasks, its "next task" and "submit" calls.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from annotation.models import Verdict
from tests.benchmarks.label_studio import label_studio
from tests.benchmarks.servers import free_port, running
from tests.services import database_url

ANNOTATORS, PROCESSES, PICTURES = 20, 4, 6_667
SECONDS = int(os.environ.get("BENCH_SECONDS", "20"))


@contextmanager
def web_server(home: Path) -> Iterator[str]:
    """Gunicorn as ``make run`` starts it, on the test database; its address."""
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "RLD_HOME": str(home),
        "LOG_LEVEL": "WARNING",
        "PORT": str(port),
        "WEB_CONCURRENCY": str(PROCESSES),
    }
    with running([sys.executable, "-m", "rld_platform.serve", "web"], port, "/healthz", env=environment) as url:
        yield url


def load(product: str, url: str, project: str, tokens: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.review_load", product, url, project, str(tokens), str(SECONDS)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def report(bench: Callable[..., None], name: str, result: dict[str, Any]) -> None:
    busy = f"{ANNOTATORS} annotators, {PROCESSES} web processes, load average {os.getloadavg()[0]:.1f}"
    bench(f"{name}, decisions", result["decisions_per_s"], "1/s", busy)
    for call, label in (("claims", "next item"), ("verdicts", "verdict")):
        for share in (50, 95, 99):
            bench(f"{name}, {label}, p{share}", result[call][f"p{share}_ms"], "ms")


@pytest.mark.django_db(transaction=True)
def test_decisions_per_second_over_http(bench: Callable[..., None], tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    seed = ["seed_scale", "--project", "scale", "--images", str(PICTURES), "--annotators", str(ANNOTATORS)]
    call_command(*seed, "--tokens", str(tokens), stdout=sys.stderr)
    with web_server(tmp_path) as url:
        ours = load("ours", url, "scale", tokens)
    report(bench, "HTTP loop", ours)
    assert ours["failures"] == []
    assert Verdict.objects.filter(is_counted=True).count() >= ours["verdicts"]["count"]
    if "LABEL_STUDIO_PYTHON" not in os.environ:
        return
    with label_studio(os.environ["LABEL_STUDIO_PYTHON"], tmp_path, ANNOTATORS, PROCESSES) as (
        url,
        project,
        their_tokens,
    ):
        theirs = load("label-studio", url, project, their_tokens)
    report(bench, "Label Studio", theirs)
    bench("decisions, ours over Label Studio's", ours["decisions_per_s"] / theirs["decisions_per_s"], "x")
    assert theirs["failures"] == []
    assert ours["decisions_per_s"] >= 10 * theirs["decisions_per_s"]
