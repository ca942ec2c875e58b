"""Benchmarks: frozen once, from held-out composites or from accepted layers, and reserved in the same step."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from typing import Any

from django.db import IntegrityError, transaction

from engine.composites import held_out
from engine.imaging import decode_png, encode_png, sha256
from engine.models import Layer, LayerStatus, Project, SourceImage
from engine.models import Prompt as PromptRow
from engine.perceptual_hash import perceptual_hash
from engine.records import LayerKind, PromptKind
from engine.refusals import Refusal
from engine.services.files import store
from evaluation.metrics.pairs import BadPair, LayerPair
from evaluation.models import Benchmark, BenchmarkItem, BenchmarkOrigin
from evaluation.truths import VERSION, benchmark_digest, truth_digest
from training.models import SnapshotItem
from training.prompt_json import prompt_to_json
from training.services.reservations import Look, reserve_images, reserve_looks

PURPOSE = "benchmark"
FOLDER = "benchmarks"
MOST_COMPOSITES, MOST_LAYERS = 2000, 500
SMALLEST_PX = 64

Frozen = list[tuple[BenchmarkItem, str]]
"""Unsaved items with the digests of their truths."""


def freeze_composites(
    *,
    project: Project,
    name: str,
    count: int = 40,
    size_px: int = 128,
    seed: int = held_out.FIRST_SEED,
    user: Any = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Benchmark:
    """A benchmark of ``count`` composites from held-out seeds, photographs and shape families. Truth is exact.

    Raises ``Refusal``: 400 ``bad_name``, ``bad_count``, ``bad_size``, ``seen_seed``; 409 ``name_taken``.
    """
    from evaluation.benchmark_samples import samples_of

    name = _checked_name(project, name)
    if not 2 <= count <= MOST_COMPOSITES:
        raise Refusal("bad_count", f"A benchmark has 2 to {MOST_COMPOSITES} composites.")
    if size_px < SMALLEST_PX:
        raise Refusal("bad_size", f"Composites of a benchmark have at least {SMALLEST_PX} px.")
    if seed < held_out.FIRST_SEED:
        raise Refusal("seen_seed", f"Seeds below {held_out.FIRST_SEED} are for training.")
    frozen: Frozen = []
    looks = []
    for number in range(count):
        made = held_out.held_out_composite(seed + number, size_px)
        png = encode_png(made.source_hwc)
        looks.append(Look(f"composite {made.seed}", sha256(png), perceptual_hash(made.source_hwc)))
        picture = store(FOLDER, png, "png")
        for sample in samples_of(made):
            background = sample.pair.background_hwc
            stored = {
                "picture": picture,
                "truth": store(FOLDER, encode_png(sample.pair.truth_hwc), "png"),
                "visible_mask": store(FOLDER, encode_png(sample.pair.visible_hw), "png"),
                "background": "" if background is None else store(FOLDER, encode_png(background), "png"),
            }
            prompt, kind = prompt_to_json(sample.prompt), sample.prompt.kind
            frozen.append((_item(sample.pair, kind, prompt, stored), truth_digest(sample.pair)))
        on_progress(number + 1)
    terms = {
        "composites": count,
        "size_px": size_px,
        "seeds": [seed, seed + count],
        "photographs": sorted(held_out.PHOTOGRAPHS),
        "families": sorted(held_out.FAMILIES),
    }
    with transaction.atomic():
        made_row = _freeze(project, name, BenchmarkOrigin.COMPOSITES, terms, frozen, user)
        reserve_looks(project=project, purpose=PURPOSE, reserved_for=name, looks=looks)
    return made_row


def freeze_layers(*, project: Project, name: str, layers: Iterable[uuid.UUID], user: Any = None) -> Benchmark:
    """A benchmark of chosen accepted layers: people's verdict is the truth. Their pictures leave training for good.

    Raises ``Refusal``: 400 ``bad_name``, ``no_layers``, ``too_many_layers``, ``not_accepted``, ``empty_truth``; 409
    ``name_taken``, ``trained_on`` for pictures that a frozen snapshot already holds.
    """
    name = _checked_name(project, name)
    wanted = set(layers)
    if not wanted:
        raise Refusal("no_layers", "Choose at least one accepted layer.")
    if len(wanted) > MOST_LAYERS:
        raise Refusal("too_many_layers", f"A benchmark has at most {MOST_LAYERS} layers.")
    chosen = Layer.objects.filter(pk__in=wanted, project=project, status=LayerStatus.ACCEPTED).select_related("image")
    found = list(chosen.prefetch_related("prompts"))
    if len(found) != len(wanted):
        raise Refusal("not_accepted", f"{len(wanted) - len(found)} of these are no accepted layers of the project.")
    images = {layer.image_id: layer.image for layer in found}
    _refuse_trained(project, list(images.values()))
    frozen = []
    for at, layer in enumerate(sorted(found, key=lambda one: (one.image.original_name, str(one.image_id), one.depth))):
        frozen.append(_frozen_layer(at, layer))
    terms = {"layers": len(found), "pictures": len(images)}
    with transaction.atomic():
        made_row = _freeze(project, name, BenchmarkOrigin.LAYERS, terms, frozen, user)
        reserve_images(project=project, purpose=PURPOSE, reserved_for=name, images=images.values())
    return made_row


def watch(benchmark: Benchmark) -> None:
    """Score new checkpoints of the project on this one from now on. Raises ``Refusal`` 409 ``no_items``."""
    if benchmark.origin == BenchmarkOrigin.REPORT:
        raise Refusal("no_items", "This benchmark is known by reports only; nothing can be predicted on it.", 409)
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=benchmark.project_id)
        Benchmark.objects.filter(project=benchmark.project_id, is_watched=True).update(is_watched=False)
        Benchmark.objects.filter(pk=benchmark.pk).update(is_watched=True)
    benchmark.is_watched = True


def _frozen_layer(at: int, layer: Layer) -> tuple[BenchmarkItem, str]:
    with layer.rgba.open("rb") as rgba, layer.visible_mask.open("rb") as visible:
        truth, seen = decode_png(rgba.read()), decode_png(visible.read()) > 127
    kind, prompt = _prompt_of(at, layer)
    facts = {"kind": layer.kind, "category": layer.label, "prompt": kind.value}
    stem = PurePath(layer.image.original_name).stem[:80]
    try:
        pair = LayerPair(
            f"{stem}-{layer.key}-{str(layer.pk)[:8]}", truth, truth, seen, None, str(layer.image_id), facts
        )
    except BadPair as error:
        raise Refusal("empty_truth", str(error)) from error
    stored = {"picture": str(layer.image.picture), "truth": str(layer.rgba), "visible_mask": str(layer.visible_mask)}
    item = _item(pair, kind, prompt, stored)
    item.layer = layer
    return item, truth_digest(pair)


def _prompt_of(at: int, layer: Layer) -> tuple[PromptKind, Mapping[str, Any]]:
    """One of the layer's own prompts that says where to look, each kind in turn; without one the layer's box."""
    if layer.kind == LayerKind.BACKGROUND.value:
        return PromptKind.BACKGROUND, _prompt_json(PromptKind.BACKGROUND)
    rows: dict[str, PromptRow] = {}
    for row in layer.prompts.all():
        if row.points or row.box or row.mask:
            rows.setdefault(row.kind, row)
    if not rows:
        return PromptKind.BOX, _prompt_json(PromptKind.BOX, box=layer.box)
    row = rows[sorted(rows)[at % len(rows)]]
    kind = PromptKind(row.kind)
    return kind, _prompt_json(kind, points=row.points, box=row.box, mask=row.mask, text=row.text)


def _prompt_json(kind: PromptKind, **parts: Any) -> dict[str, Any]:
    return {"kind": kind.value, "points": [], "box": None, "mask": None, "text": "", **parts}


def _item(pair: LayerPair, kind: PromptKind, prompt: Mapping[str, Any], stored: Mapping[str, str]) -> BenchmarkItem:
    return BenchmarkItem(
        name=pair.name,
        board=pair.kind.value,
        category=pair.facts.get("category", ""),
        prompt_kind=kind.value,
        prompt=prompt,
        photo=pair.cluster,
        hidden_share=pair.hidden_share,
        **stored,
    )


def _freeze(
    project: Project, name: str, origin: BenchmarkOrigin, terms: Mapping[str, Any], frozen: Frozen, user: Any
) -> Benchmark:
    """In a transaction. The first benchmark of a project that can be predicted on is watched."""
    try:
        with transaction.atomic():
            made = Benchmark.objects.create(
                project=project,
                name=name,
                origin=origin,
                terms={"protocol": VERSION, **terms},
                digest=benchmark_digest({item.name: digest for item, digest in frozen}),
                is_watched=not Benchmark.objects.filter(project=project, is_watched=True).exists(),
                made_by=user,
            )
    except IntegrityError as error:
        raise Refusal("name_taken", f"There is a benchmark {name} already.", 409) from error
    for item, _ in frozen:
        item.benchmark = made
    BenchmarkItem.objects.bulk_create([item for item, _ in frozen])
    return made


def _checked_name(project: Project, name: str) -> str:
    name = name.strip()
    if not name or len(name) > 120 or not name.isprintable():
        raise Refusal("bad_name", "A benchmark has a name of 1 to 120 letters.")
    if Benchmark.objects.filter(project=project, name=name).exists():
        raise Refusal("name_taken", f"There is a benchmark {name} already.", 409)
    return name


def _refuse_trained(project: Project, images: list[SourceImage]) -> None:
    used = SnapshotItem.objects.filter(snapshot__project=project, image__in=images, split="train")
    names = sorted({one.image.original_name for one in used.select_related("image")})
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        detail = f"A snapshot already trains on {', '.join(names[:3])}{more}; choose layers of other pictures."
        raise Refusal("trained_on", detail, 409)
