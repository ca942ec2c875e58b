"""Large projects for benchmarks: one real picture with its true layers, and copies of its rows made by the database.

The copies share the picture's files, so every page works on them; only rows grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import connection, models, transaction

from annotation.models import DefectKind
from engine import records
from engine.composites.generator import Composite, compose
from engine.imaging import encode_png
from engine.models import EngineRun, Layer, Producer, Project, Prompt, RunItem, SourceImage
from engine.records import Instance, LayerKind, PromptKind, RGBALayer, Scene
from engine.services.images import import_image
from engine.services.layers import prepare_layers, publish_layers

SEED, SIZE_PX = 9, 128
"""A composite with two objects, one in front of the other, so each picture has three layers."""

COPY = """
WITH images AS (
    INSERT INTO engine_sourceimage ({image_columns})
    SELECT {image_values} FROM engine_sourceimage image CROSS JOIN generate_series(1, %(count)s) AS number
    WHERE image.id = %(pattern)s
    RETURNING id
), layers AS MATERIALIZED (
    SELECT gen_random_uuid() AS new_id, images.id AS new_image, layer.*
    FROM images CROSS JOIN engine_layer layer WHERE layer.image_id = %(pattern)s AND layer.producer_id = %(producer)s
), copied AS (
    INSERT INTO engine_layer ({layer_columns}) SELECT {layer_values} FROM layers layer
)
INSERT INTO engine_prompt ({prompt_columns})
SELECT {prompt_values} FROM layers layer JOIN engine_prompt prompt ON prompt.layer_id = layer.id
"""

JUDGE = """
WITH chosen AS MATERIALIZED (
    SELECT id, random() < 0.73 AS is_good, now() - random() * interval '43 days' AS moment,
           (random() * 1e6)::int AS first, floor(8 * power(random(), 2))::int AS defect
    FROM engine_layer WHERE project_id = %(project)s AND status = 'ready' LIMIT %(layers)s
), settled AS (
    UPDATE engine_layer layer SET status = CASE WHEN is_good THEN 'accepted' ELSE 'rejected' END
    FROM chosen WHERE layer.id = chosen.id
), filled AS (
    UPDATE annotation_slot slot SET status = 'filled' FROM chosen WHERE slot.layer_id = chosen.id
    RETURNING slot.id, slot.layer_id, slot.position, is_good, moment, first, defect
)
INSERT INTO annotation_verdict (id, project_id, layer_id, slot_id, annotator_id, decision, defects, note, client_id,
    active_ms, is_counted, extra_reason, created_at)
SELECT gen_random_uuid(), %(project)s, layer_id, filled.id,
    (%(people)s::int[])[1 + (first + position) %% cardinality(%(people)s::int[])],
    CASE WHEN is_good THEN 'accept' ELSE 'reject' END,
    CASE WHEN is_good THEN '[]'::jsonb ELSE jsonb_build_array(jsonb_build_object(
        'kind', (%(defects)s::text[])[1 + defect %% cardinality(%(defects)s::text[])], 'x', null, 'y', null)) END,
    '', gen_random_uuid()::text, (exp(8.6 + 0.5 * (random() + random() + random() - 1.5)))::int, true, '', moment
FROM filled
"""


def pattern_of(project: Project) -> tuple[SourceImage, Producer, bool]:
    """The picture that is copied, with its true layers and their prompts; ``True`` beside it when it is new."""
    composite = compose(SEED, SIZE_PX)
    imported = import_image(project=project, data=encode_png(composite.source_hwc), name="scale.png")
    image = imported.image
    producer, _ = Producer.objects.get_or_create(
        name="composites with known truth", defaults={"kind": Producer.Kind.IMPORTED}
    )
    if not Layer.objects.filter(image=image, producer=producer).exists():
        # An item gives the rows their project, picture and producer; it is not stored, as no engine ran.
        item = RunItem(run=EngineRun(project=project, producer=producer), image=image)
        layers, prompts = prepare_layers(item, _truth(composite))
        for layer in layers:
            layer.item = None
        with transaction.atomic():
            publish_layers(layers, prompts)
    return image, producer, imported.is_new


def copy_pictures(pattern: SourceImage, producer: Producer, count: int) -> None:
    """Make ``count`` pictures more, with layers and prompts, in one statement."""
    image = {"id": "gen_random_uuid()", "sha256": "encode(sha256(gen_random_uuid()::text::bytea), 'hex')"}
    layer = {"id": "layer.new_id", "image_id": "layer.new_image"}
    statement = COPY.format(
        image_columns=_columns(SourceImage),
        image_values=_values(SourceImage, "image", **image, original_name="'scale-' || number || '.png'"),
        layer_columns=_columns(Layer),
        layer_values=_values(Layer, "layer", **layer),
        prompt_columns=_columns(Prompt, without="id"),
        prompt_values=_values(Prompt, "prompt", without="id", layer_id="layer.new_id"),
    )
    _execute(statement, pattern=pattern.pk, producer=producer.pk, count=count)


def judge_layers(project: Project, people: Sequence[Any], layers: int) -> int:
    """Settle so many ready layers, all slots of each filled, spread over 43 days; returns the verdicts made.

    The people of a layer agree: these rows are for counting and charts, not for measuring agreement.
    """
    return _execute(
        JUDGE,
        project=project.pk,
        people=[person.pk for person in people],
        layers=layers,
        defects=DefectKind.values,
    )


def _truth(composite: Composite) -> Scene:
    """The composite's layers as the data engine would hand them over."""
    scene = Scene("", composite.source_hwc, seed=composite.seed)
    for number, true in enumerate(composite.layers):
        prompts = [
            records.Prompt(PromptKind.BOX, box=true.visible_box),
            records.Prompt(PromptKind.TEXT, text=f"the {true.label}"),
        ]
        scene.instances.append(_instance(f"{number:02d}", true.label, LayerKind.FOREGROUND, true.layer, prompts))
    opaque = np.full(composite.background_hwc.shape[:2], 255, np.uint8)
    visible = ~np.any([true.layer.visible_hw for true in composite.layers], axis=0)
    behind = RGBALayer(np.dstack([composite.background_hwc, opaque]), visible)
    prompts = [records.Prompt(PromptKind.BACKGROUND, text="background")]
    scene.instances.append(_instance("bg", "background", LayerKind.BACKGROUND, behind, prompts))
    return scene


def _instance(key: str, label: str, kind: LayerKind, layer: RGBALayer, prompts: list[records.Prompt]) -> Instance:
    box = (0.0, 0.0, float(SIZE_PX), float(SIZE_PX))
    return Instance(key, label, kind, 1.0, "given", box, layer.visible_hw, layer=layer, prompts=prompts)


def _columns(model: type[models.Model], without: str = "") -> str:
    return ", ".join(_names(model, without))


def _values(model: type[models.Model], table: str, without: str = "", **changed: str) -> str:
    """The columns of ``table`` as they are, but for the changed ones."""
    return ", ".join(changed.get(name, f"{table}.{name}") for name in _names(model, without))


def _names(model: type[models.Model], without: str) -> list[str]:
    names = (field.column for field in model._meta.concrete_fields)
    return [name for name in names if name is not None and name != without]


def _execute(statement: str, **parameters: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount
