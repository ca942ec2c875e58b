"""Scores of the very layers that people voted on, where the true layer is known."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice

from django.core.files.storage import default_storage
from django.db.models import Q

from annotation.models import Comparison
from annotation.truth import composite_behind
from engine.imaging import decode_png
from engine.models import Layer, SourceImage
from engine.records import Picture
from evaluation.composite_pairs import pairs_of
from evaluation.metrics.pairs import LayerPair
from evaluation.metrics.results import Undefined
from evaluation.models import Benchmark, BenchmarkItem, EvaluationRun, MetricScore
from evaluation.selectors.scores import axis_scores
from evaluation.services.scores import digest_of_networks

METRICS = ("s_vis", "s_gen", "soft_iou", "mse", "recomposition", "edge_colour")
MOST_LAYERS = 2000
AT_ONCE = 32


def score_voted_layers(
    benchmark: Benchmark, board: str, most: int = MOST_LAYERS, on_progress: Callable[[int], None] = lambda done: None
) -> int:
    """Measure layers that counted votes compared and that are not measured yet; how many were.

    Truths are the generator's for composites, and the benchmark's own items for layers of its photographs, never the
    layer itself. Scores go to their producer's run on the benchmark, by the same networks; a producer without a run,
    or a run by networks that are not here, is passed over.
    """
    runs = {producer: scored.run for producer, scored in axis_scores(benchmark, board).items()}
    voted = Comparison.objects.filter(project=benchmark.project_id, board=board, votes__is_counted=True)
    either = Q(pk__in=voted.values("left")) | Q(pk__in=voted.values("right"))
    unmeasured = Layer.objects.filter(either, producer__in=runs).exclude(metric_scores__run__in=runs.values())
    with_truth = _pairs(benchmark, board, unmeasured.select_related("image").order_by("image", "pk"))
    done = 0
    while pairs := list(islice(with_truth, min(AT_ONCE, most - done))):
        # Torch takes seconds to load: only where something is measured.
        from evaluation.features.networks import warm_variant
        from evaluation.single_layers import measure

        [run, *_] = runs.values()
        networks = warm_variant(run.variant)
        here = digest_of_networks({name: identity.as_choices() for name, identity in networks.identities.items()})
        if here != run.networks_digest:
            break
        rows = measure([pair for pair, _ in pairs], networks)
        MetricScore.objects.bulk_create(
            _score(runs[layer.producer_id], layer, metric, rows[pair.name][metric], pair.facts["truth"])
            for pair, layer in pairs
            for metric in METRICS
        )
        done += len(pairs)
        on_progress(done)
    return done


def _pairs(benchmark: Benchmark, board: str, layers: Iterable[Layer]) -> Iterator[tuple[LayerPair, Layer]]:
    """The layers that have a truth, beside it. Given image by image, each image's truths are read once."""
    from evaluation.single_layers import beside_its_truth

    for _, of_image in groupby(layers, key=lambda layer: layer.image_id):
        some = list(of_image)
        truths = list(_truths(benchmark, board, some[0].image))
        for layer in some:
            others = [truth for of, truth in truths if of != layer.pk]
            pair = beside_its_truth(str(layer.pk), _picture(str(layer.rgba)), others) if others else None
            if pair is not None:
                yield pair, layer


def _truths(benchmark: Benchmark, board: str, image: SourceImage) -> Iterator[tuple[uuid.UUID | None, LayerPair]]:
    """True layers of a picture on this board, each with the layer that it is, if it is one."""
    made = composite_behind(image.original_name, image.sha256)
    for truth in pairs_of(made) if made else ():
        if truth.kind.value == board:
            yield None, truth
    for item in BenchmarkItem.objects.filter(benchmark=benchmark, board=board, layer__image=image).order_by("name"):
        rgba = _picture(item.truth)
        seen = _picture(item.visible_mask) > 127
        yield item.layer_id, LayerPair(item.name, rgba, rgba, seen, None, item.photo, {"kind": item.board})


def _score(run: EvaluationRun, layer: Layer, metric: str, value: float | Undefined, truth: str) -> MetricScore:
    known, reason = (None, value.reason) if isinstance(value, Undefined) else (value, "")
    about = {"run": run, "layer": layer, "board": layer.kind, "choices": {"truth": truth}}
    return MetricScore(metric=metric, value=known, reason=reason, n=1, **about)


def _picture(stored: str) -> Picture:
    with default_storage.open(stored, "rb") as file:
        return decode_png(file.read())
