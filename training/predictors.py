"""Who can answer a prompt: checkpoints in folders, and the engine's ``cpu`` recipe for comparison.

Read from the folders' ``model_index.json`` alone, so that the web process can list them without torch.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.records import Prompt, PromptKind
from engine.refusals import Refusal

DEFAULT = "reflayer-tiny"
CPU = "cpu"
READS_TEXT = {"RefLayerPipeline": True, "RefLayerTinyPipeline": False}
"""The pipelines that ``training.reflayer.loading`` knows."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Predictor:
    """``folder`` is ``None`` for the engine. ``size`` is what its files weigh, in bytes."""

    name: str
    folder: Path | None = None
    pipeline: str = ""
    size: int = 0

    @property
    def reads_text(self) -> bool:
        return READS_TEXT.get(self.pipeline, False)

    @property
    def is_small(self) -> bool:
        return self.pipeline == "RefLayerTinyPipeline"

    def check(self, prompt: Prompt) -> None:
        """Raises ``Refusal`` 400 ``text_only`` when it cannot know where to look."""
        has_place = bool(prompt.points) or prompt.box is not None or prompt.mask_hw is not None
        if not has_place and prompt.kind is not PromptKind.BACKGROUND and not self.reads_text:
            raise Refusal("text_only", f"{self.name} reads no text: give a point, a box or a mask as well.")


def known(folders: Iterable[Path]) -> dict[str, Predictor]:
    """By name: every checkpoint lying in one of the folders, the earlier folder first, then the engine."""
    found: dict[str, Predictor] = {}
    for root in folders:
        for folder in sorted(root.iterdir()) if root.is_dir() else ():
            pipeline = _pipeline_of(folder)
            if pipeline and NAME.fullmatch(folder.name):
                size = sum(path.stat().st_size for path in folder.glob("*/*.safetensors"))
                found.setdefault(folder.name, Predictor(folder.name, folder, pipeline, size))
    found[CPU] = Predictor(CPU)
    return found


def find(name: str, folders: Iterable[Path]) -> Predictor:
    """Raises ``Refusal`` 400 ``unknown_checkpoint`` that lists what there is."""
    return choose(name, known(folders))


def choose(name: str, predictors: Mapping[str, Predictor]) -> Predictor:
    """The same among those that are given."""
    if name not in predictors:
        raise Refusal("unknown_checkpoint", f"There is no checkpoint {name}; there are {', '.join(predictors)}.")
    return predictors[name]


def digest_of(folder: Path) -> str:
    """SHA-256 of a checkpoint: of its weights' names and bytes, whatever else lies beside them."""
    every = hashlib.sha256()
    for path in sorted(folder.glob("*/*.safetensors")):
        with path.open("rb") as file:
            every.update(f"{path.relative_to(folder)} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return every.hexdigest()


def _pipeline_of(folder: Path) -> str:
    try:
        index = json.loads((folder / "model_index.json").read_bytes())
        pipeline = index["_class_name"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return pipeline if pipeline in READS_TEXT else ""
