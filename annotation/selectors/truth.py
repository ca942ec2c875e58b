"""The right answer to a project's layers, as far as it is known."""

from __future__ import annotations

import uuid
from functools import lru_cache
from random import Random

from annotation.models import GoldItem
from annotation.truth import composite_behind, is_right_background, is_right_object
from engine.imaging import decode_png
from engine.models import Layer, Project
from engine.records import LayerKind

ASSUMED_SHARE = 0.7


class Truth:
    """The right answer to each layer: its gold answer, or its composite's, or an assumed one.

    Assumed: with no truth known, 70 % of the layers are taken for acceptable, drawn by the layer's id and the seed.
    ``sources`` counts the layers by where their answer comes from.
    """

    def __init__(self, project: Project, seed: int) -> None:
        self.seed = seed
        self.gold = dict(GoldItem.objects.filter(project=project).values_list("layer_id", "is_acceptable"))
        self.known: dict[uuid.UUID, bool] = {}
        self.sources = {"gold": 0, "composite": 0, "assumed": 0}
        self._composite = lru_cache(maxsize=16)(composite_behind)

    def __call__(self, layer_id: uuid.UUID) -> bool:
        if layer_id not in self.known:
            source, self.known[layer_id] = self._find(layer_id)
            self.sources[source] += 1
        return self.known[layer_id]

    def _find(self, layer_id: uuid.UUID) -> tuple[str, bool]:
        if layer_id in self.gold:
            return "gold", self.gold[layer_id]
        if (composed := self.of_composite(layer_id)) is not None:
            return "composite", composed
        return "assumed", Random(f"{self.seed}/{layer_id}").random() < ASSUMED_SHARE

    def of_composite(self, layer_id: uuid.UUID) -> bool | None:
        """The answer by the true layers; ``None`` for a layer of a photograph."""
        layers = Layer.objects.select_related("image").only("kind", "rgba", "image__original_name", "image__sha256")
        layer = layers.get(pk=layer_id)
        made = self._composite(layer.image.original_name, layer.image.sha256)
        if made is None:
            return None
        with layer.rgba.open() as file:
            rgba = decode_png(file.read())
        is_right = is_right_background if layer.kind == LayerKind.BACKGROUND.value else is_right_object
        return is_right(rgba, made)
