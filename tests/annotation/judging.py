"""Short words for what the tests of this folder do all the time."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models.functions import Now

from annotation.models import Slot, Verdict
from annotation.services.claims import claim
from annotation.services.verdicts import record_verdict
from engine.models import Layer, LayerStatus, Producer, Project, Role
from tests.factories import join, make_image, make_layer, make_producer, make_user


def make_layers(project: Project, count: int, producer: Producer | None = None) -> list[Layer]:
    """Ready layers of one small photo."""
    image = make_image(project, width=24 + 6 * count, height=16)
    return [make_layer(image, depth=depth, producer=producer) for depth in range(count)]


def bulk_layers(project: Project, count: int) -> list[Layer]:
    """Ready layers without pictures, where many are needed and none is looked at.

    Their ids are the same in every run, so that simulated people, who are seeded by them, say the same.
    """
    common = {"project": project, "image": make_image(project), "producer": make_producer(), "kind": "foreground"}
    measures = {"box": [0, 0, 1, 1], "area_share": 0.5, "hidden_share": 0, "soft_share": 0, "depth": 0}
    first = Layer.objects.count()
    ids = [uuid.uuid5(uuid.NAMESPACE_OID, f"layer {first + number}") for number in range(count)]
    return Layer.objects.bulk_create(
        Layer(pk=pk, key=str(number), label="ball", status="ready", **common, **measures)
        for number, pk in enumerate(ids)
    )


def make_annotators(project: Project, *names: str) -> list[Any]:
    people = [make_user(name) for name in names]
    for person in people:
        join(person, project, Role.ANNOTATOR)
    return people


def claim_one(user: Any, project: Project) -> Slot:
    [slot] = claim(user=user, project=project)
    return slot


def judge(user: Any, slot: Slot, decision: str = "accept", **kwargs: Any) -> Verdict:
    client_id = kwargs.pop("client_id", str(uuid.uuid4()))
    return record_verdict(user=user, slot=slot, decision=decision, client_id=client_id, **kwargs)[0]


def end_lease(slot: Slot) -> None:
    Slot.objects.filter(pk=slot.pk).update(available_at=Now())


def status_of(row: Layer | Slot) -> str:
    return type(row).objects.values_list("status", flat=True).get(pk=row.pk)


def set_layer(layer: Layer, status: LayerStatus) -> None:
    Layer.objects.filter(pk=layer.pk).update(status=status)
