"""The rows of a manifest, read from the database picture by picture."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Coalesce

from engine.models import Layer, Project
from training.models import Judge
from training.rules import Rules
from training.selectors.candidates import Pictures, accepted_layers, digest_of

PICTURES_AT_ONCE = 2000
MOMENT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

PROMPTS = """
(SELECT jsonb_agg(jsonb_build_object('kind', kind, 'points', points, 'box', box, 'mask', mask, 'text', text,
        'is_ambiguous', is_ambiguous) ORDER BY id)::text
   FROM engine_prompt WHERE layer_id = engine_layer.id)
"""
VERDICTS = """
(SELECT jsonb_agg(jsonb_build_object('judge', verdict.annotator_id, 'decision', decision, 'defects', defects,
        'is_counted', is_counted, 'at', {MOMENT}) ORDER BY created_at, verdict.id)::text
   FROM annotation_verdict verdict JOIN annotation_slot slot ON slot.id = verdict.slot_id
  WHERE verdict.layer_id = engine_layer.id AND undone_at IS NULL AND slot.purpose = 'judgement')
""".replace("{MOMENT}", MOMENT.format("created_at"))
RULINGS = """
(SELECT jsonb_agg(jsonb_build_object('judge', decided_by_id, 'ruling', ruling, 'at', {MOMENT})
        ORDER BY decided_at, id)::text
   FROM annotation_adjudication WHERE layer_id = engine_layer.id AND ruling <> '')
""".replace("{MOMENT}", MOMENT.format("decided_at"))
CREATED = MOMENT.format("engine_layer.created_at")
TEXTS = {"created_text": CREATED, "prompt_list": PROMPTS, "verdict_list": VERDICTS, "ruling_list": RULINGS}
COLUMNS = {
    "layer": "layer_text",
    "image": "image_text",
    "run": "run_text",
    "kind": "kind",
    "label": "label",
    "depth": "depth",
    "sha256": "sha256",
    "visible": "visible_mask",
    "picture": "image__picture",
    "width": "image__width",
    "height": "image__height",
    "licence": "image__licence",
    "credit": "image__credit",
    "producer": "producer__name",
    "repaired": "origin__name",
    "author": "author_id",
    "created_at": "created_text",
    "area_share": "area_share",
    "hidden_share": "hidden_share",
    "soft_share": "soft_share",
    "maker": "maker",
    "prompts": "prompt_list",
    "verdicts": "verdict_list",
    "rulings": "ruling_list",
}


def rows_of(
    project: Project, rules: Rules, pictures: Pictures, chosen: QuerySet[Layer] | None = None
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Layer id, image id and manifest row of all chosen layers whose picture is free, in the manifest's order.

    Chosen are the accepted layers that the rules take, or those that are given.

    ``origin`` holds who made the layer and what people said about it; people under their pseudonyms.
    """
    judges = dict(Judge.objects.values_list("user_id", "pseudonym"))
    images = sorted(pictures.group_of.keys() - pictures.reserved_ids, key=attrgetter("int"))
    group_of = {str(image): group for image, group in pictures.group_of.items()}
    # Texts are made by the database: a million objects in between would cost more than the rest.
    layers = (accepted_layers(project, rules) if chosen is None else chosen).annotate(
        layer_text=Cast("pk", TextField()),
        image_text=Cast("image_id", TextField()),
        run_text=Cast("item__run_id", TextField()),
        maker=Cast(Coalesce("item_id", "origin_id", "producer_id"), TextField()),
        **{name: RawSQL(sql, [], output_field=TextField()) for name, sql in TEXTS.items()},  # noqa: S611 - constants
    )
    for start in range(0, len(images), PICTURES_AT_ONCE):
        some, found = images[start : start + PICTURES_AT_ONCE], []
        for values in layers.filter(image_id__in=some).values_list(*COLUMNS.values()).iterator():
            layer = dict(zip(COLUMNS, values, strict=True))
            if layer["prompts"] is not None:
                group = group_of[layer["image"]]
                found.append((layer["layer"], layer["image"], _row(layer, group, pictures.split_of[group], judges)))
        yield from sorted(found, key=lambda entry: entry[2]["id"])


def _row(layer: dict[str, Any], group: str, split: str, judges: Mapping[int, str]) -> dict[str, Any]:
    stack = f"{layer['image']}_{layer['maker'][:8]}"
    source, visible = digest_of(layer["picture"]), digest_of(layer["visible"])
    return {
        "id": f"{stack}_{layer['depth']:05d}_{layer['layer']}",
        "split": split,
        "group": group,
        "stack": stack,
        "depth": layer["depth"],
        "kind": layer["kind"],
        "label": layer["label"],
        "source": {
            "path": f"images/{source}.png",
            "sha256": source,
            "width": layer["width"],
            "height": layer["height"],
        },
        "layer": {"path": f"layers/{layer['sha256']}.png", "sha256": layer["sha256"]},
        "visible": {"path": f"visible/{visible}.png", "sha256": visible},
        "prompts": [_with_floats(prompt) for prompt in json.loads(layer["prompts"])],
        "origin": {
            "layer": layer["layer"],
            "image": layer["image"],
            "run": layer["run"] or "",
            "producer": layer["producer"],
            "repair_of": layer["repaired"] or "",
            "author": judges[layer["author"]] if layer["author"] else "",
            "created_at": layer["created_at"],
            "licence": layer["licence"],
            "credit": layer["credit"],
            "area_share": layer["area_share"],
            "hidden_share": layer["hidden_share"],
            "soft_share": layer["soft_share"],
            "verdicts": _under_pseudonyms(layer["verdicts"], judges),
            "rulings": _under_pseudonyms(layer["rulings"], judges),
        },
    }


def _with_floats(prompt: dict[str, Any]) -> dict[str, Any]:
    """Coordinates as floats, whatever JSON made of them: a manifest that is read and written again stays the same."""
    prompt["points"] = [[float(x), float(y)] for x, y in prompt["points"]]
    if prompt["box"] is not None:
        prompt["box"] = [float(value) for value in prompt["box"]]
    return prompt


def _under_pseudonyms(listed: str | None, judges: Mapping[int, str]) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = json.loads(listed or "[]")
    return [{**entry, "judge": judges[entry["judge"]]} for entry in said]


def name_judges(project: Project) -> None:
    """Give everybody who judged or repaired in the project a pseudonym."""
    people = get_user_model().objects.filter(
        Q(verdicts__project=project)
        | Q(pk__in=Layer.objects.filter(project=project).exclude(author=None).values("author"))
        | Q(pk__in=project.adjudications.exclude(decided_by=None).values("decided_by"))
    )
    missing = people.exclude(pk__in=Judge.objects.values("user")).distinct().values_list("pk", flat=True)
    new = [Judge(user_id=pk, pseudonym=f"judge-{secrets.token_hex(6)}") for pk in missing]
    Judge.objects.bulk_create(new, ignore_conflicts=True)
