"""The table of backends: which exist for each stage, where their code is, what they need.

Rows are data, so the web process can list and check recipes without importing a backend.
To add one: write the file, add the row, run ``pytest tests/engine/test_backend_contract.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from engine.records import STAGES, Scene


class Backend(Protocol):
    """One method of one stage.

    ``Params`` of a backend is a frozen dataclass beside its class; ``load`` puts weights on the device
    (nothing to do for backends without weights). Calling it returns the same scenes in the same order;
    a scene or instance it gives up gets a ``drop_reason``. It raises only for a defect, never for a picture.
    """

    def load(self, device: str = "cpu", dtype: str = "float32") -> None: ...

    def __call__(self, scenes: list[Scene]) -> list[Scene]: ...


@dataclass(frozen=True, slots=True)
class BackendRow:
    stage: str
    name: str
    path: str
    """``module:Class``; the class takes keyword parameters of JSON values."""
    summary: str
    licence: str = "own code"
    queue: str = "cpu"
    memory_mb: int = 300
    batch_size: int = 1


class UnknownBackend(LookupError):
    code = "unknown_backend"


BACKENDS: tuple[BackendRow, ...] = (
    BackendRow(
        "prefilter",
        "rules",
        "engine.stages.prefilter.rules:Rules",
        "Size, aspect, blur, exposure, entropy, border strips, duplicates",
    ),
    BackendRow(
        "scene",
        "given",
        "engine.stages.scene.given:Given",
        "The boxes, masks and strokes that came with the picture, cut out by GrabCut",
    ),
    BackendRow(
        "scene",
        "classical",
        "engine.stages.scene.classical:Classical",
        "Saliency over superpixels, Haar and HOG proposals, cut out by GrabCut",
    ),
    BackendRow(
        "scene",
        "given_first",
        "engine.stages.scene.given_first:GivenFirst",
        "Given prompts where there are any, classical proposals elsewhere",
    ),
    BackendRow(
        "scene",
        "ensemble",
        "engine.stages.scene.ensemble:Ensemble",
        "Detectors, segmenter and depth network merged: closed set, open vocabulary, language",
        licence="of its networks",
        queue="gpu",
        memory_mb=8000,
        batch_size=8,
    ),
    BackendRow(
        "completion",
        "classical",
        "engine.stages.completion.classical:Classical",
        "Hidden part from the order graph and hull, patch-based fill, background",
    ),
    BackendRow(
        "completion",
        "generative",
        "engine.stages.completion.generative:Generative",
        "Objects painted in clean context and tested, backgrounds in two passes",
        licence="of its networks",
        queue="gpu",
        memory_mb=22000,
        batch_size=8,
    ),
    BackendRow(
        "completion",
        "reflayer",
        "training.reflayer.backend:RefLayer",
        "A trained RefLayer checkpoint, asked with each object's visible mask, and for the background",
        licence="of its checkpoint",
        queue="gpu",
        memory_mb=14000,
    ),
    BackendRow(
        "completion",
        "reflayer_tiny",
        "training.reflayer.backend:RefLayer",
        "The small RefLayer that ships, on a CPU: hidden parts from the visible mask, and the background",
        licence="own weights; training data in its card",
        memory_mb=600,
    ),
    BackendRow(
        "postprocess",
        "closed_form",
        "engine.stages.postprocess.closed_form:ClosedForm",
        "Adaptive trimap, closed-form alpha, multi-level foreground colour",
        licence="MIT (pymatting)",
    ),
    BackendRow(
        "postprocess",
        "matting",
        "engine.stages.postprocess.matting:Matting",
        "Alpha by a matting network, band by material, known backgrounds divided out of the colours",
        licence="of its networks",
        queue="gpu",
        memory_mb=4000,
    ),
    BackendRow(
        "prompts",
        "templates",
        "engine.stages.prompts.templates:Templates",
        "Point, box, mask, text and hybrid prompts from masks and labels",
    ),
    BackendRow(
        "prompts",
        "captioned",
        "engine.stages.prompts.captioned:Captioned",
        "Captions by a language network, each looked for in the picture; the rest as templates",
        licence="of its networks",
        queue="gpu",
        memory_mb=22000,
        batch_size=8,
    ),
    BackendRow(
        "postfilter",
        "scored",
        "engine.stages.postfilter.scored:Scored",
        "Label agreement, likeness of the hidden part, re-detection, a judge; combined as verdicts taught",
        licence="of its networks",
        queue="gpu",
        memory_mb=6000,
        batch_size=8,
    ),
    BackendRow(
        "postfilter",
        "rules",
        "engine.stages.postfilter.rules:Rules",
        "Recomposition error, alpha health, components, border contact, completion size",
    ),
)


def find(stage: str, name: str) -> BackendRow:
    """The row of a backend. Raises ``UnknownBackend`` that lists what exists."""
    if stage not in STAGES:
        raise UnknownBackend(f"unknown stage '{stage}'; have: {', '.join(STAGES)}")
    rows = {row.name: row for row in BACKENDS if row.stage == stage}
    if name not in rows:
        raise UnknownBackend(f"unknown backend '{name}' for {stage}; have: {', '.join(sorted(rows))}")
    return rows[name]


def make(stage: str, name: str, params: Mapping[str, Any] | None = None) -> Backend:
    """Import and construct a backend; the import happens here and nowhere earlier. No weights are read yet."""
    module_name, _, class_name = find(stage, name).path.partition(":")
    backend: Backend = getattr(import_module(module_name), class_name)(**(params or {}))
    return backend


def load(stage: str, name: str, params: Mapping[str, Any] | None = None, device: str = "cpu") -> Backend:
    """Make a backend and put its weights on the device: bfloat16 there, float32 on the CPU."""
    backend = make(stage, name, params)
    backend.load(device, "float32" if device == "cpu" else "bfloat16")
    return backend
