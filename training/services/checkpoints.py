"""Checkpoints as rows: registering a folder of weights, and finding the folder of a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from engine.models import Producer, Project
from engine.refusals import Refusal
from training import predictors
from training.checkpoint_folder import digest_of, put_in_place, size_of
from training.models import Checkpoint, Snapshot


def checkpoint_named(name: str) -> Checkpoint:
    """The checkpoint in the folder of this name; a folder that no row knows yet (the shipped one) gets its row.

    Raises ``Refusal`` 400 ``unknown_checkpoint`` that lists what there is.
    """
    found = Checkpoint.objects.select_related("producer").filter(name=name).first()
    predictor = predictors.find(name, settings.CHECKPOINT_FOLDERS)
    if predictor.folder is None:
        raise Refusal("unknown_checkpoint", f"{name} is a recipe of the engine, not a checkpoint.")
    return found or _new(predictor.folder, name)


def register_checkpoint(
    *,
    folder: Path,
    name: str,
    project: Project,
    parent: Checkpoint | None,
    snapshot: Snapshot | None,
    recipe: str,
    metrics: dict[str, Any],
) -> Checkpoint:
    """Put a trainer's folder where checkpoints lie and make its row and its producer; all or nothing.

    A name is given once: registering the same again gives the same row, and other weights never take a name that is
    given. Raises ``Refusal`` 409 ``name_taken``.
    """
    digest = digest_of(folder)
    known = Checkpoint.objects.filter(name=name).first()
    if known is not None:
        if known.digest != digest:
            raise Refusal("name_taken", f"There is a checkpoint {name} with other weights.", 409)
        return known
    place = settings.TRAINED_FOLDER / name
    put_in_place(folder, place)
    facts = {"project": project, "parent": parent, "snapshot": snapshot, "recipe": recipe, "metrics": metrics}
    return _new(place, name, **facts)


def folder_of(checkpoint: Checkpoint) -> Path:
    """Raises ``Refusal`` 409 ``checkpoint_missing`` when its files are not on this machine."""
    folder = predictors.known(settings.CHECKPOINT_FOLDERS).get(checkpoint.name)
    if folder is None or folder.folder is None:
        raise Refusal("checkpoint_missing", f"The files of {checkpoint} are not there.", 409)
    return folder.folder


def _new(folder: Path, name: str, **facts: Any) -> Checkpoint:
    digest = digest_of(folder)
    with transaction.atomic():
        producer, _ = Producer.objects.get_or_create(
            name=f"{name}@{digest[:8]}", defaults={"kind": Producer.Kind.CHECKPOINT, "digest": digest}
        )
        # Somebody else may register the same folder at this moment: one row, by its name.
        checkpoint, _ = Checkpoint.objects.get_or_create(
            name=name, defaults={"digest": digest, "size": size_of(folder), "producer": producer, **facts}
        )
    return checkpoint
