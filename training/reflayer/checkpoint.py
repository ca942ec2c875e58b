"""Saving a pipeline so that a good checkpoint is never half overwritten, and checking one before it is loaded."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from training.reflayer import card as cards
from training.reflayer.run_state import refuse_non_finite

INDEX = "model_index.json"


class BrokenCheckpoint(ValueError):
    """The folder is no checkpoint of this kind, or its files are damaged; the message says which."""

    code = "broken_checkpoint"


@contextmanager
def quietly() -> Iterator[None]:
    """No bars and no remarks of diffusers and transformers about small files and absent optional parts."""
    import diffusers.utils.logging as of_diffusers
    import transformers.utils.logging as of_transformers

    levels = of_diffusers.get_verbosity(), of_transformers.get_verbosity()
    for logging in (of_diffusers, of_transformers):
        logging.set_verbosity_error()
        logging.disable_progress_bar()
    try:
        yield
    finally:
        for logging, level in zip((of_diffusers, of_transformers), levels, strict=True):
            logging.set_verbosity(level)
            logging.enable_progress_bar()


def save_pipeline(pipeline: Any, folder: Path, card: cards.Card) -> None:
    """Write everything beside ``folder``, then swap. Raises ``NonFiniteWeights`` before anything is touched."""
    parts = {name: part for name, part in pipeline.components.items() if isinstance(part, nn.Module)}
    for name in ("transformer", "injector", "alpha_decoder"):
        refuse_non_finite({f"{name}.{key}": tensor for key, tensor in parts[name].state_dict().items()})
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        with quietly():
            pipeline.save_pretrained(unfinished, safe_serialization=True)
        cards.write(unfinished, card)
        swap(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def swap(unfinished: Path, folder: Path) -> None:
    """Put a finished folder in the place of another: two renames, and the old one goes last."""
    old = folder.with_name(f".{folder.name}.old-{uuid.uuid4().hex}")
    if folder.exists():
        os.replace(folder, old)
    os.replace(unfinished, folder)
    shutil.rmtree(old, ignore_errors=True)


def read_index(folder: Path) -> dict[str, Any]:
    """``model_index.json``. Raises ``BrokenCheckpoint`` when the folder has none."""
    try:
        index = json.loads((folder / INDEX).read_text())
    except (OSError, ValueError) as error:
        raise BrokenCheckpoint(f"{folder} is no checkpoint: {INDEX}: {error}") from error
    if not isinstance(index, dict) or "_class_name" not in index:
        raise BrokenCheckpoint(f"{folder / INDEX} names no pipeline class")
    return index


def weight_names(folder: Path) -> set[str]:
    """Names of all tensors in the safetensors files of one part. Raises ``BrokenCheckpoint`` for a damaged file."""
    names: set[str] = set()
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise BrokenCheckpoint(f"{folder} has no safetensors file")
    for file in files:
        try:
            with safe_open(file, framework="pt") as opened:
                names.update(opened.keys())
        except (SafetensorError, OSError) as error:
            raise BrokenCheckpoint(f"{file} is cut short or damaged: {str(error).splitlines()[0]}") from error
    return names


def check_whole(pipeline: Any, folder: Path) -> None:
    """Raise ``BrokenCheckpoint`` unless every tensor of every network came from a file and is finite.

    Diffusers fills missing tensors with random numbers and a warning.
    """
    for name, part in pipeline.components.items():
        if not isinstance(part, nn.Module):
            continue
        state = part.state_dict()
        if missing := sorted(set(state) - weight_names(folder / name) - _made_anew(part)):
            raise BrokenCheckpoint(f"{folder / name} lacks {missing[0]} and {len(missing) - 1} more tensors")
        bad = [key for key, tensor in state.items() if tensor.is_floating_point() and not torch.isfinite(tensor).all()]
        if bad:
            raise BrokenCheckpoint(f"{folder / name}: {bad[0]} holds numbers that are not finite")


def _made_anew(part: nn.Module) -> set[str]:
    """Shared tensors are stored under one of their names; transformers lists the others."""
    tied = getattr(part, "_tied_weights_keys", None) or {}
    return set(tied) | set(tied.values() if isinstance(tied, dict) else ())
