"""Layers as a folder: ``<image sha256>/<layer>.png``, ``manifest.jsonl`` (one line a layer) and ``report.json``."""

from __future__ import annotations

import json
import os
import re
import statistics
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.imaging import encode_png, mask_to_rle, sha256
from engine.measures import measure
from engine.recipes import Recipe
from engine.records import STAGES, Instance, Prompt, Scene
from engine.runner import Outcome, StageReport


def write_scene(out: Path, scene: Scene, name: str) -> list[dict[str, Any]]:
    """Write the layers of one scene and return their manifest rows; dropped layers get a row and a file too."""
    rows = []
    folder = out / scene.image_sha256
    for depth, instance in enumerate(scene.instances):
        if instance.layer is None:
            continue
        stem = f"{instance.key}-{re.sub(r'[^a-z0-9]+', '-', instance.label.lower()).strip('-')[:40] or 'layer'}"
        png = encode_png(instance.layer.rgba_hwc)
        write_atomically(folder / f"{stem}.png", png)
        write_atomically(folder / f"{stem}.visible.png", encode_png(instance.layer.visible_hw))
        rows.append(
            {
                "image": name,
                "image_sha256": scene.image_sha256,
                "width": scene.size_wh[0],
                "height": scene.size_wh[1],
                "file": f"{scene.image_sha256}/{stem}.png",
                "visible_mask": f"{scene.image_sha256}/{stem}.visible.png",
                "sha256": sha256(png),
                "depth": depth,
                **_facts(instance),
            }
        )
    return rows


def _facts(instance: Instance) -> dict[str, Any]:
    assert instance.layer is not None
    return {
        "key": instance.key,
        "kind": instance.kind.value,
        "label": instance.label,
        "status": "ready" if instance.is_kept else "dropped",
        "drop_reason": instance.drop_reason,
        **asdict(measure(instance.layer)),
        "scores": instance.scores,
        "prompts": [prompt_to_json(prompt) for prompt in instance.prompts],
    }


def prompt_to_json(prompt: Prompt) -> dict[str, Any]:
    return {
        "kind": prompt.kind.value,
        "points": [list(point) for point in prompt.points],
        "box": None if prompt.box is None else list(prompt.box),
        "mask": None if prompt.mask_hw is None else mask_to_rle(prompt.mask_hw),
        "text": prompt.text,
        "is_ambiguous": prompt.is_ambiguous,
    }


def stage_table(reports: Sequence[StageReport]) -> list[dict[str, Any]]:
    """Per stage in order: images in and kept, failures, median and total seconds, drop reasons of images and layers."""
    table = []
    for stage in STAGES:
        rows = [report for report in reports if report.stage == stage]
        seconds = [report.seconds for report in rows]
        table.append(
            {
                "stage": stage,
                "backend": rows[0].backend if rows else "",
                "in": len(rows),
                "kept": sum(report.outcome is Outcome.KEPT for report in rows),
                "failed": sum(report.outcome is Outcome.FAILED for report in rows),
                "layers_in": sum(report.layers_in for report in rows),
                "layers_out": sum(report.layers_out for report in rows),
                "seconds_median": round(statistics.median(seconds), 4) if seconds else 0.0,
                "seconds_total": round(sum(seconds), 4),
                "device_seconds": round(sum(report.cost.device_s for report in rows), 4),
                "tokens": sum(report.cost.tokens for report in rows),
                "drop_reasons": dict(Counter(r.reason for r in rows if r.outcome is not Outcome.KEPT)),
                "layer_drop_reasons": dict(Counter(why for r in rows for why in r.dropped_layers.values())),
            }
        )
    return table


def write_report(
    out: Path,
    rows: Sequence[dict[str, Any]],
    reports: Sequence[StageReport],
    recipe: Recipe,
    seed: int,
    code_revision: str,
    errors: Sequence[dict[str, str]],
) -> dict[str, Any]:
    """Write ``manifest.jsonl`` and ``report.json``; returns the report."""
    report = {
        "recipe": recipe.to_json(),
        "recipe_digest": recipe.digest,
        "seed": seed,
        "code_revision": code_revision,
        "images": len({row.image_sha256 for row in reports}),
        "layers": len(rows),
        "layers_ready": sum(row["status"] == "ready" for row in rows),
        "errors": list(errors),
        "stages": stage_table(reports),
    }
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    write_atomically(out / "manifest.jsonl", lines.encode())
    write_atomically(out / "report.json", json.dumps(report, indent=2).encode())
    return report


def write_atomically(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    temporary.write_bytes(data)
    os.replace(temporary, path)
