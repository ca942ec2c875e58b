"""The files of a reflayer-tiny checkpoint, in diffusers' layout.

``model_index.json`` names the pipeline's class and its part; ``mask_network/config.json`` and
``mask_network/diffusion_pytorch_model.safetensors`` are the network, in half precision to stay small in a repository;
it answers in float32. Every file appears whole or not at all, and weights that are not finite are never written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from training.reflayer.tiny.mask_network import MaskNetwork, MaskNetworkConfig

CLASS_NAME = "RefLayerTinyPipeline"
INDEX = "model_index.json"
CONFIG = "mask_network/config.json"
WEIGHTS = "mask_network/diffusion_pytorch_model.safetensors"
TRAINING_DATA = "training_data.json"
"""A list of parts, each with ``photographs`` and ``objects`` (sha256 by file name) and shape ``families``."""


class BrokenCheckpoint(ValueError):
    """The folder is not a reflayer-tiny checkpoint, or its files do not fit together."""

    code = "broken_checkpoint"


class NonFiniteWeights(ValueError):
    """The network holds NaN or infinity; nothing was written."""

    code = "non_finite_weights"


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Each file whole, and none of them when one cannot be written, as on a full disk."""
    unfinished = {folder / name: folder / f"{name}.part" for name in files}
    try:
        for (path, part), data in zip(unfinished.items(), files.values(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
        for path, part in unfinished.items():
            os.replace(part, path)
    finally:
        for part in unfinished.values():
            part.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """What a checkpoint has seen: sha256 of files, and names of shape families."""

    digests: frozenset[str]
    families: frozenset[str]


def trained_on(folder: Path) -> TrainedOn:
    """From the checkpoint's list. Raises ``BrokenCheckpoint`` when it is not there: nothing could be held out."""
    parts = training_parts(folder)
    digests = {digest for part in parts for kind in ("photographs", "objects") for digest in part[kind].values()}
    return TrainedOn(frozenset(digests), frozenset(family for part in parts for family in part["families"]))


def training_parts(folder: Path) -> list[dict[str, Any]]:
    """The checkpoint's list as ``save_training_data`` wrote it. Raises ``BrokenCheckpoint`` without one."""
    parts = _read_json(folder, TRAINING_DATA).get("parts")
    if not isinstance(parts, list):
        raise BrokenCheckpoint(f"{folder / TRAINING_DATA} has no list of parts")
    return parts


def save_training_data(folder: Path, parts: Sequence[Mapping[str, object]]) -> None:
    """Write the list that ``trained_on`` reads."""
    _write(folder, {TRAINING_DATA: (json.dumps({"parts": parts}, indent=1, sort_keys=True) + "\n").encode()})


def save_network(network: MaskNetwork, folder: Path) -> None:
    """Write a checkpoint, or change nothing. Raises ``NonFiniteWeights`` before anything is touched."""
    tensors = {name: tensor.detach().half().contiguous().cpu() for name, tensor in network.state_dict().items()}
    bad = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if bad:
        raise NonFiniteWeights(f"{bad[0]} and {len(bad) - 1} more tensors are not finite; nothing was written")
    index = {"_class_name": CLASS_NAME, "mask_network": ["training.reflayer.tiny.mask_network", "MaskNetwork"]}
    config = {"_class_name": "MaskNetwork", **asdict(network.config)}
    files = {
        INDEX: (json.dumps(index, indent=2) + "\n").encode(),
        CONFIG: (json.dumps(config, indent=2) + "\n").encode(),
        WEIGHTS: save(tensors, {"format": "pt"}),
    }
    _write(folder, files)


def load_network(folder: Path) -> MaskNetwork:
    """The network of a checkpoint, ready to answer. Raises ``BrokenCheckpoint`` that says which file is wrong."""
    index = _read_json(folder, INDEX)
    if index.get("_class_name") != CLASS_NAME:
        raise BrokenCheckpoint(f"{folder} holds a {index.get('_class_name')}, not a {CLASS_NAME}")
    facts = {name: value for name, value in _read_json(folder, CONFIG).items() if not name.startswith("_")}
    try:
        config = MaskNetworkConfig(**{**facts, "widths": tuple(facts["widths"])})
        network = MaskNetwork(config)
        network.load_state_dict({name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()})
    except (KeyError, TypeError, RuntimeError, SafetensorError, OSError) as error:
        raise BrokenCheckpoint(f"{folder / WEIGHTS}: {str(error).splitlines()[0]}") from error
    if not all(torch.isfinite(tensor).all() for tensor in network.state_dict().values()):
        raise BrokenCheckpoint(f"{folder / WEIGHTS} holds numbers that are not finite")
    return network.eval()


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    try:
        data = json.loads((folder / name).read_text())
    except (OSError, ValueError) as error:
        raise BrokenCheckpoint(f"{folder} is not a checkpoint of reflayer-tiny: {name}: {error}") from error
    if not isinstance(data, dict):
        raise BrokenCheckpoint(f"{folder / name} is not a JSON object")
    return data
