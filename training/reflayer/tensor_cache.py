"""Tensors computed once and kept on disk as safetensors, named by what they were computed with and from.

The folder's name is a fingerprint of weights, configuration, precision and format, so another autoencoder or another
dtype never meets stale tensors (kohya-ss 1413: float16 caches read as bfloat16 gave NaN).
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

FORMAT = 1
SAMPLED_VALUES = 4096
"""A tensor's digest reads about this many evenly spaced values: all of a T5 would take longer than encoding."""

Entry = tuple[dict[str, Tensor], dict[str, str]]
"""Tensors, and texts that belong to them."""


def fingerprint(modules: Mapping[str, nn.Module | None], **facts: Any) -> str:
    """Sixteen hex digits of modules (names, shapes, dtypes, sampled values) and JSON facts."""
    digest = hashlib.sha256(json.dumps({"format": FORMAT, **facts}, sort_keys=True, default=str).encode())
    for name, module in sorted(modules.items()):
        digest.update(name.encode())
        for key, tensor in sorted(module.state_dict().items()) if module is not None else ():
            digest.update(f"{key}{tuple(tensor.shape)}{tensor.dtype}".encode())
            flat = tensor.detach().reshape(-1)
            digest.update(flat[:: max(1, flat.numel() // SAMPLED_VALUES)].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def name_of(*parts: object) -> str:
    """The file name of an entry: a digest of what it was computed from."""
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()


class TensorCache:
    """One folder per fingerprint, one file per entry, written atomically; a damaged file counts as absent."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder / fingerprint

    def path(self, name: str) -> Path:
        return self.folder / name[:2] / f"{name}.safetensors"

    def get(self, name: str) -> Entry | None:
        try:
            with safe_open(self.path(name), framework="pt") as opened:
                return {key: opened.get_tensor(key) for key in opened.keys()}, dict(opened.metadata() or {})  # noqa: SIM118
        except (OSError, SafetensorError):
            return None

    def put(self, name: str, tensors: Mapping[str, Tensor], texts: Mapping[str, str] | None = None) -> None:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        plain = {key: tensor.detach().to("cpu", copy=True).contiguous() for key, tensor in tensors.items()}
        save_file(plain, temporary, metadata=dict(texts or {}))
        os.replace(temporary, path)
