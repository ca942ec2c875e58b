"""Settled layers whose consensus is least sure: where a reviewer's look is worth most."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef

from annotation.crowdlab import Judged, consensus_quality
from annotation.models import Adjudication, Decision, Verdict
from engine.models import Layer, LayerStatus, Project

NEWEST = 5_000


def doubtful_layers(project: Project, most: int = 50) -> list[dict[str, Any]] | None:
    """``{layer, label, status, quality}`` with the least quality (0..1, CROWDLAB's) first.

    Of the newest settled layers; gold and what a reviewer has ruled on are left out. ``None`` while there is too
    little to learn from.
    """
    ruled = Adjudication.objects.filter(layer=OuterRef("pk")).exclude(ruling="")
    settled = Layer.objects.filter(project=project, status__in=(LayerStatus.ACCEPTED, LayerStatus.REJECTED))
    newest = settled.filter(~Exists(ruled), gold_item=None).order_by("-created_at", "-pk")[:NEWEST]
    layers = {row["pk"]: row for row in newest.values("pk", "label", "status", "scores")}
    said: dict[Any, dict[int, bool]] = {pk: {} for pk in layers}
    counted = Verdict.objects.filter(layer__in=list(layers), is_counted=True)
    for pk, person, decision in counted.values_list("layer_id", "annotator_id", "decision"):
        said[pk][person] = decision == Decision.ACCEPT
    judged = [pk for pk in layers if said[pk]]
    qualities = consensus_quality([Judged(layers[pk]["scores"], said[pk]) for pk in judged])
    if qualities is None:
        return None
    ranked = sorted(zip(qualities, judged, strict=True), key=lambda pair: (pair[0], str(pair[1])))
    return [
        {"layer": pk, "label": layers[pk]["label"], "status": layers[pk]["status"], "quality": quality}
        for quality, pk in ranked[:most]
    ]
