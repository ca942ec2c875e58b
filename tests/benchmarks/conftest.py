"""Benchmarks are pytest functions in ``bench_*.py``; they measure and report, and pass or fail on nothing timed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Row = dict[str, Any]
ROWS = pytest.StashKey[list[Row]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = []


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    is_benchmark = file_path.name.startswith("bench_") and file_path.suffix == ".py"
    if is_benchmark and not parent.session.isinitpath(file_path):
        return pytest.Module.from_parent(parent, path=file_path)
    return None


@pytest.fixture
def bench(pytestconfig: pytest.Config) -> Callable[..., None]:
    """``bench(name, value, unit, note="")`` adds a row to the table and to ``bench.json``."""

    def add(name: str, value: float, unit: str, note: str = "") -> None:
        pytestconfig.stash[ROWS].append({"name": name, "value": value, "unit": unit, "note": note})

    return add


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if not rows:
        return
    terminalreporter.section("benchmarks")
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        terminalreporter.write_line(f"{row['name']:<{width}}  {row['value']:>10.3g} {row['unit']:<8} {row['note']}")
    (config.rootpath / "bench.json").write_text(json.dumps(rows, indent=1) + "\n")
