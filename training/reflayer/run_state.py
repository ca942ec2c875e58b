"""The state of a run in the middle of a stage: trained tensors, their average, the optimiser's moments, the step.

All safetensors and JSON. Batches, noise and learning rate are functions of the step, so nothing else is needed to go
on to the bit. A state is a folder that appears whole, by rename; the two latest are kept.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from training.reflayer.ema import EMA, trained_tensors

KEPT = 2
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


class NonFiniteWeights(RuntimeError):
    """The network holds NaN or infinity; nothing was written."""

    code = "non_finite_weights"


@dataclass(frozen=True, slots=True)
class Position:
    """``step`` optimiser steps of stage ``stage`` (its place in the configuration) are done."""

    stage: int
    step: int


def refuse_non_finite(tensors: dict[str, Tensor]) -> None:
    bad = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if bad:
        raise NonFiniteWeights(f"{bad[0]} and {len(bad) - 1} more tensors are not finite; nothing was written")


def save(folder: Path, position: Position, module: nn.Module, ema: EMA, optimiser: torch.optim.AdamW) -> None:
    """Raises ``NonFiniteWeights`` before anything is touched."""
    trained = trained_tensors(module)
    weights = {name: p.detach().cpu().contiguous() for name, p in trained.items()}
    refuse_non_finite(weights)
    moments = {
        f"{name}|{moment}": optimiser.state[parameter][moment].cpu().contiguous()
        for name, parameter in trained.items()
        for moment in _MOMENTS
        if parameter in optimiser.state
    }
    unfinished = folder / f".{uuid.uuid4().hex}"
    unfinished.mkdir(parents=True)
    save_file(weights, unfinished / "trained.safetensors")
    save_file({name: tensor.cpu() for name, tensor in ema.average.items()}, unfinished / "ema.safetensors")
    save_file(moments, unfinished / "optimiser.safetensors")
    (unfinished / "position.json").write_text(json.dumps(asdict(position)))
    final = folder / f"{position.stage:02}-{position.step:08}"
    if final.exists():
        shutil.rmtree(final)
    os.replace(unfinished, final)
    for old in _states(folder)[:-KEPT]:
        shutil.rmtree(old)


def _states(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[0-9]*-[0-9]*") if path.is_dir()) if folder.is_dir() else []


def latest(folder: Path) -> tuple[Position, Path] | None:
    states = _states(folder)
    if not states:
        return None
    return Position(**json.loads((states[-1] / "position.json").read_text())), states[-1]


@torch.no_grad()
def load(state: Path, module: nn.Module, ema: EMA, optimiser: torch.optim.AdamW) -> None:
    """Put a state into a module of the same configuration. Raises ``KeyError`` when they do not fit."""
    weights = load_file(state / "trained.safetensors")
    moments = load_file(state / "optimiser.safetensors")
    for name, parameter in trained_tensors(module).items():
        parameter.copy_(weights[name])
        if f"{name}|step" in moments:
            optimiser.state[parameter] = {
                "step": moments[f"{name}|step"],
                **{key: moments[f"{name}|{key}"].to(parameter.device) for key in _MOMENTS[1:]},
            }
    ema.load(load_file(state / "ema.safetensors"))
