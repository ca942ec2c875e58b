"""Layers that the engine made and nobody has judged, as a second dataset of a training run."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

from django.db import transaction
from django.db.models import Exists, OuterRef

from engine.folder_output import write_atomically
from engine.models import Layer, LayerStatus, Producer, Prompt
from training.exports.base import Sample, write_file
from training.manifest import HEADER, ROWS, RowSum, header_bytes
from training.models import SnapshotItem, TrainingRun
from training.rules import rules_from_json
from training.selectors.candidates import pictures_of
from training.services.frozen_files import loader
from training.services.frozen_rows import lines_of, name_judges
from training.services.leases import write

MOST = 5000
"""Layers, the newest: automatic ones are many, and a run sees only some of them."""


def write_automatic_layers(run: TrainingRun, folder: Path) -> bool:
    """Write the run's automatic layers, chosen once, as a dataset folder; ``False`` when there are none.

    Never taken: layers of reserved pictures, and of pictures that the snapshot keeps for validation or tests.
    """
    if run.automatic_digest and (folder / HEADER).exists():
        return True
    if not run.automatic_digest:
        _choose(run)
    layers = run.automatic.all().order_by()
    if not layers.exists():
        return False
    rules = rules_from_json({**run.snapshot.rules, "validation": 0.0, "test": 0.0})
    name_judges(run.project)
    pictures = pictures_of(run.project, layers, rules)
    total, load = RowSum("automatic layers", {"run": str(run.pk)}, run.code_revision), loader()
    lines = []
    for line in chain.from_iterable(some.texts for some in lines_of(run.project, rules, pictures, layers)):
        row = json.loads(line)
        sample: Sample = load(row)
        for kind, data in (("source", sample.source), ("layer", sample.layer), ("visible", sample.visible)):
            write_file(folder, row[kind]["path"], data)
        lines.append(line)
        total.add(row, line)
    header = total.header()
    if not header.rows:
        return False
    write_atomically(folder / ROWS, b"".join(line + b"\n" for line in lines))
    write_atomically(folder / HEADER, header_bytes(header))
    write(run, automatic_digest=header.digest)
    return True


def _choose(run: TrainingRun) -> None:
    kept_apart = SnapshotItem.objects.filter(snapshot=run.snapshot).exclude(split="train").values("image_id")
    ready = Layer.objects.filter(project=run.project, status=LayerStatus.READY).exclude(image_id__in=kept_apart)
    made = ready.filter(producer__kind=Producer.Kind.RECIPE, author=None)
    layers = made.filter(Exists(Prompt.objects.filter(layer=OuterRef("pk")))).order_by()
    reserved = pictures_of(run.project, layers, rules_from_json(run.snapshot.rules)).reserved_ids
    free = layers.exclude(image_id__in=reserved).order_by("-created_at", "-pk")
    with transaction.atomic():
        run.automatic.set(free[:MOST])
