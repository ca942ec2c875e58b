"""Two folders as pairs: ``<name>.png`` on both sides, and what the truth knows beside its own.

In the truth folder ``<name>.png`` is the RGBA layer, ``<name>.visible.png`` its visible mask (8-bit grey, 255 =
visible), ``<name>.background.png`` (RGB, optional) what lies behind it. An optional ``samples.json`` maps names to
``{"kind", "category", "prompt", "photo"}``, texts all, to slice by and to group the pairs of one photograph. In the
prediction folder only ``<name>.png`` counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from engine.records import LayerKind, Mask, Picture
from evaluation.metrics.pairs import LayerPair

VISIBLE, BACKGROUND, SAMPLES = ".visible", ".background", "samples.json"
FACTS = {"kind", "category", "prompt", "photo"}


class BadFolder(ValueError):
    """Folders that do not pair. Codes: ``no_such_folder``, ``no_pairs``, ``missing_truth``, ``missing_prediction``,
    ``missing_visible``, ``bad_samples``, ``not_an_image``, ``wrong_mode``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True)
class PairedFolders:
    """What was found; pictures are read one pair at a time."""

    predicted: Path
    truth: Path
    names: tuple[str, ...]
    """Sorted."""
    empty: frozenset[str] = frozenset()
    """Those without a prediction, which count as empty layers."""
    facts: dict[str, dict[str, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[LayerPair]:
        """Raises ``BadFolder`` for unreadable files and ``BadPair`` for pictures that do not belong together."""
        for name in self.names:
            truth = _read(self.truth / f"{name}.png", "RGBA")
            facts = dict(self.facts.get(name, {}))
            photo = facts.pop("photo", "")
            background = self.truth / f"{name}{BACKGROUND}.png"
            yield LayerPair(
                name=name,
                truth_hwc=truth,
                predicted_hwc=(
                    np.zeros_like(truth) if name in self.empty else _read(self.predicted / f"{name}.png", "RGBA")
                ),
                visible_hw=_mask(self.truth / f"{name}{VISIBLE}.png"),
                background_hwc=_read(background, "RGB") if background.is_file() else None,
                photo=photo,
                facts=facts,
            )


def pair_up(predicted: Path, truth: Path, missing_is_empty: bool = False) -> PairedFolders:
    """Pair by file name. With ``missing_is_empty`` a layer that was not predicted counts as an empty one.

    Raises ``BadFolder``: every layer needs a truth and its visible mask, every truth a prediction.
    """
    for folder in (predicted, truth):
        if not folder.is_dir():
            raise BadFolder("no_such_folder", f"{folder} is not a folder")
    truths, guesses = _layers(truth), _layers(predicted)
    if not truths:
        raise BadFolder("no_pairs", f"{truth} has no truth: no <name>.png")
    _require(sorted(guesses - truths), "missing_truth", f"{truth} has no truth for")
    absent = sorted(truths - guesses)
    if not missing_is_empty:
        _require(absent, "missing_prediction", f"{predicted} has no layer (and --missing empty was not said) for")
    unseen = sorted(name for name in truths if not (truth / f"{name}{VISIBLE}.png").is_file())
    _require(unseen, "missing_visible", f"{truth} has no <name>{VISIBLE}.png for")
    return PairedFolders(predicted, truth, tuple(sorted(truths)), frozenset(absent), _facts(truth, truths))


def _require(names: list[str], code: str, sentence: str) -> None:
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise BadFolder(code, f"{sentence} {', '.join(names[:3])}{more}")


def _layers(folder: Path) -> set[str]:
    names = {path.name.removesuffix(".png") for path in folder.glob("*.png")}
    return {name for name in names if not name.endswith((VISIBLE, BACKGROUND))}


def _facts(truth: Path, names: set[str]) -> dict[str, dict[str, str]]:
    path = truth / SAMPLES
    if not path.is_file():
        return {}
    try:
        given = json.loads(path.read_text())
    except ValueError as error:
        raise BadFolder("bad_samples", f"{path} is no JSON: {error}") from error
    if not isinstance(given, dict) or not all(isinstance(facts, dict) for facts in given.values()):
        raise BadFolder("bad_samples", f"{path} must map names to objects")
    _require(sorted(set(given) - names), "bad_samples", f"{path} names layers that are not there:")
    for name, facts in given.items():
        wrong = set(facts) - FACTS or {key for key, value in facts.items() if not isinstance(value, str)}
        if wrong or facts.get("kind", LayerKind.FOREGROUND) not in set(LayerKind):
            detail = f"{path}: {name} may have the texts {', '.join(sorted(FACTS))}; kind is foreground or background"
            raise BadFolder("bad_samples", detail)
    return given


def _read(path: Path, mode: str) -> Picture:
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            if picture.mode != mode:
                raise BadFolder("wrong_mode", f"{path} is {picture.mode}, not 8-bit {mode}")
            return np.asarray(picture, np.uint8)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadFolder("not_an_image", f"{path} is no PNG that can be read: {error}") from error


def _mask(path: Path) -> Mask:
    return _read(path, "L") > 127
