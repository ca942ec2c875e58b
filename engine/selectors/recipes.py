"""Recipes as people choose among them: what each does, stage by stage. Reads only tables of the code."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import recipes, registry


@dataclass(frozen=True, slots=True)
class StageChoice:
    stage: str
    backend: str
    summary: str
    licence: str
    queue: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecipeSummary:
    """``summary`` is the docstring of the recipe: the one place where it is described."""

    name: str
    summary: str
    queue: str
    digest: str
    stages: tuple[StageChoice, ...]


def recipe_summaries() -> list[RecipeSummary]:
    return [_summary(name) for name in recipes.RECIPES]


def recipe_stages(recipe: Mapping[str, Any]) -> tuple[StageChoice, ...]:
    """The stages of a stored recipe (``EngineRun.recipe``); a backend that is gone keeps its name only."""
    return tuple(_choice(**stage) for stage in recipe["stages"])


def _summary(name: str) -> RecipeSummary:
    make, recipe = recipes.RECIPES[name], recipes.find(name)
    return RecipeSummary(
        name=name,
        summary=inspect.cleandoc(make.__doc__ or "").replace("\n", " ").replace("``", ""),
        queue=recipe.queue,
        digest=recipe.digest,
        stages=recipe_stages(recipe.to_json()),
    )


def _choice(stage: str, backend: str, params: Mapping[str, Any]) -> StageChoice:
    try:
        row = registry.find(stage, backend)
    except registry.UnknownBackend:
        return StageChoice(stage, backend, "", "", "", params)
    return StageChoice(stage, backend, row.summary, row.licence, row.queue, params)
