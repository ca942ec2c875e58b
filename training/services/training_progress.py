"""What a trainer writes into its folder becomes rows: numbers, sample grids, how far it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.services.files import store
from training.models import TrainingMetric, TrainingRun, TrainingSample
from training.trainer_process import log_tail

METRICS, SAMPLES, CONFIG = "metrics.jsonl", "samples", "config.json"
ABOUT = ("kind", "stage", "stage_number", "step")


class ProgressReader:
    """Reads on where it stopped. A step that is taken again after a resume gives its row again."""

    def __init__(self, run: TrainingRun, out: Path) -> None:
        self.run, self.out = run, out
        self._offset = 0
        self._sampled = set(run.samples.values_list("step", flat=True))
        self._stages: list[int] = []

    def read(self) -> dict[str, Any]:
        """Save what is new; returns changes of the run's row: ``step``, ``steps``, ``log``, where they are known."""
        changes: dict[str, Any] = {"log": log_tail(self.out)}
        if not self._stages:
            self._stages = _stages(self.out / CONFIG)
        if not self._stages:
            return changes
        changes["steps"] = sum(self._stages)
        rows = self._new_rows()
        if rows:
            TrainingMetric.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["run", "kind", "step"], update_fields=["stage", "numbers"]
            )
            changes["step"] = max(row.step for row in rows)
        self._save_samples()
        return changes

    def _new_rows(self) -> list[TrainingMetric]:
        path = self.out / METRICS
        if not path.exists():
            return []
        if path.stat().st_size < self._offset:  # a resumed trainer dropped the rows that come again
            self._offset = 0
        found: dict[tuple[str, int], TrainingMetric] = {}
        with path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                row = json.loads(line)
                step = sum(self._stages[: row["stage_number"]]) + row["step"]
                numbers = {name: value for name, value in row.items() if name not in ABOUT}
                found[row["kind"], step] = TrainingMetric(
                    run=self.run, kind=row["kind"], step=step, stage=row["stage"], numbers=numbers
                )
        return list(found.values())

    def _save_samples(self) -> None:
        for path in sorted((self.out / SAMPLES).glob("[0-9]*.png")):
            step = int(path.stem)
            if step not in self._sampled:
                name = store("samples", path.read_bytes(), "png")
                TrainingSample.objects.get_or_create(run=self.run, step=step, defaults={"picture": name})
                self._sampled.add(step)


def _stages(config: Path) -> list[int]:
    """Steps of each stage as the trainer's configuration has them; empty before it is written."""
    try:
        data = json.loads(config.read_text())
    except (OSError, ValueError):
        return []
    stages: list[int] = [stage["steps"] for stage in data["stages"]] if "stages" in data else [data["steps"]]
    return stages
