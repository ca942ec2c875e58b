"""One stage of a run done again with other parameters: a run of its own that keeps what the earlier stages made."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction

from engine import recipes
from engine.imaging import decode_png
from engine.models import EngineRun, ItemStatus, Producer, RunItem, StageRun
from engine.models.runs import LIVE_ITEMS
from engine.records import STAGES, Picture, RGBALayer, Scene
from engine.refusals import Refusal
from engine.revision import code_revision
from engine.rewinding import rewind
from engine.scene_file import load
from engine.services.doorbell import ring


def rerun_stage(run: EngineRun, stage: str, params: Mapping[str, Any], user: Any = None) -> EngineRun:
    """Queue a new run that begins at ``stage``, with other parameters there, for every image that had come so far.

    What earlier stages made and measured is taken over; their seconds are not, for they were not spent again. Raises
    ``Refusal``: 400 ``unknown_stage``, ``unknown_parameter``, ``wrong_type``; 409 ``nothing_to_do``, ``same_recipe``.
    """
    recipe = _changed(recipes.Recipe.from_json(run.recipe), stage, params)
    first = STAGES.index(stage)
    came_so_far = run.items.filter(stages_done__gte=first).exclude(scene_file="")
    if first:
        before = StageRun.objects.filter(run=run, stage=STAGES[first - 1], outcome=StageRun.Outcome.KEPT)
        came_so_far = came_so_far.filter(pk__in=before.values("item"))
    busy = RunItem.objects.filter(recipe_digest=recipe.digest, status__in=LIVE_ITEMS)
    origins = list(came_so_far.filter(status__in=_OVER).exclude(image__in=busy.values("image")))
    if not origins:
        raise Refusal("nothing_to_do", f"No image of this run that is done came as far as {stage}.", 409)
    with transaction.atomic():
        producer, _ = Producer.objects.get_or_create(
            name=f"{recipe.name}@{recipe.digest[:8]}",
            defaults={"kind": Producer.Kind.RECIPE, "digest": recipe.digest},
        )
        new = EngineRun.objects.create(
            project=run.project,
            producer=producer,
            recipe=recipe.to_json(),
            recipe_name=recipe.name,
            seed=run.seed,
            code_revision=code_revision(),
            started_by=user,
            derived_from=run,
            from_stage=stage,
        )
        items = RunItem.objects.bulk_create(
            RunItem(
                run=new,
                image_id=origin.image_id,
                recipe_digest=recipe.digest,
                queue=recipe.queue,
                stages_done=first,
            )
            for origin in origins
        )
        _take_over(new, dict(zip((origin.pk for origin in origins), items, strict=True)), STAGES[:first])
        transaction.on_commit(partial(ring, recipe.queue))
    return new


_OVER = (ItemStatus.FINISHED, ItemStatus.DROPPED, ItemStatus.FAILED)


def _changed(recipe: recipes.Recipe, stage: str, params: Mapping[str, Any]) -> recipes.Recipe:
    if stage not in STAGES:
        raise Refusal("unknown_stage", f"There is no stage '{stage}'; have: {', '.join(STAGES)}.")
    number = STAGES.index(stage)
    spec = recipe.stages[number]
    for name, value in params.items():
        if name not in spec.params:
            raise Refusal("unknown_parameter", f"{spec.backend} has no '{name}'; have: {', '.join(spec.params)}.")
        if not _is_like(value, spec.params[name]):
            raise Refusal("wrong_type", f"'{name}' is {_kind(spec.params[name])}, not {_kind(value)}.")
    changed = replace(spec, params={**spec.params, **params})
    if changed == spec:
        raise Refusal("same_recipe", "Nothing is changed: the same parameters make the same layers.", 409)
    return replace(recipe, stages=(*recipe.stages[:number], changed, *recipe.stages[number + 1 :]))


def _is_like(new: Any, old: Any) -> bool:
    """Numbers for numbers, objects for objects; what may be left out (null) may be an object, too."""
    if old is None or new is None:
        return new is None or isinstance(new, dict) or old is None
    return _kind(new) == _kind(old)


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a text", dict: "an object"}
    return kinds.get(type(value), "nothing" if value is None else "a list")


def _take_over(run: EngineRun, items: Mapping[uuid.UUID, RunItem], stages: Sequence[str]) -> None:
    kept = list(StageRun.objects.filter(item__in=items, stage__in=stages))
    for row in kept:
        row.pk, row.item, row.run = None, items[row.item_id], run
        row.seconds, row.device_s, row.tokens = 0.0, 0.0, 0
        row._state.adding = True
    StageRun.objects.bulk_create(kept)


@dataclass(frozen=True, slots=True)
class Origin:
    """What an image's new run begins with, read from the database; ``scene`` reads the files."""

    stage: str
    scene_file: str
    given_up: Mapping[str, Sequence[str]]
    layer_files: Mapping[str, tuple[str, str]]
    """Instance key to the files of the layer and of its visible mask."""

    def scene(self, image_hwc: Picture) -> Scene:
        with default_storage.open(self.scene_file) as file:
            scene = load(file.read(), image_hwc)
        layers = {
            key: RGBALayer(_pixels(rgba), _pixels(visible) > 127) for key, (rgba, visible) in self.layer_files.items()
        }
        return rewind(scene, self.stage, self.given_up, layers)


def _pixels(name: str) -> Any:
    with default_storage.open(name) as file:
        return decode_png(file.read())


def origins_of(items: Sequence[RunItem]) -> dict[uuid.UUID, Origin]:
    """For items of one derived run that no stage of their own has finished yet; three queries."""
    run = items[0].run
    if run.derived_from_id is None or run.from_stage == STAGES[0]:
        return {}
    fresh = {item.image_id: item for item in items if not item.scene_file}
    parents = RunItem.objects.filter(run=run.derived_from_id, image__in=fresh).prefetch_related("stage_runs", "layers")
    needs_layers = STAGES.index(run.from_stage) > STAGES.index("postprocess")
    return {
        fresh[parent.image_id].pk: Origin(
            stage=run.from_stage,
            scene_file=parent.scene_file,
            given_up={row.stage: list(row.dropped_layers) for row in parent.stage_runs.all()},
            layer_files={
                layer.key: (str(layer.rgba.name), str(layer.visible_mask.name))
                for layer in parent.layers.all()
                if layer.author_id is None
            }
            if needs_layers
            else {},
        )
        for parent in parents
    }
