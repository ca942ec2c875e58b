"""What the database refuses, whoever writes to it."""

from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from annotation.models import Slot, SlotStatus, Verdict
from engine.models import Layer, Project
from tests.annotation.judging import make_annotators, make_layers


@pytest.fixture
def layer(project: Project) -> Layer:
    return make_layers(project, 1)[0]


@pytest.fixture
def anna(project: Project) -> Any:
    return make_annotators(project, "anna")[0]


def make_slot(layer: Layer, position: int = 1, **kwargs: Any) -> Slot:
    defaults = {"project": layer.project, "random_key": 0.5, "available_at": timezone.now()}
    return Slot.objects.create(layer=layer, position=position, **{**defaults, **kwargs})


def make_verdict(slot: Slot, annotator: Any, client_id: str = "a", **kwargs: Any) -> Verdict:
    said = {"decision": "accept", "is_counted": True, "active_ms": 1, **kwargs}
    place = {"slot": slot, "layer": slot.layer, "project": slot.project}
    return Verdict.objects.create(annotator=annotator, client_id=client_id, **place, **said)


def test_a_position_is_there_once_per_layer(layer: Layer) -> None:
    make_slot(layer)
    with pytest.raises(IntegrityError, match="one_slot_per_layer_and_position"):
        make_slot(layer)


def test_a_leased_slot_has_a_holder(layer: Layer) -> None:
    with pytest.raises(IntegrityError, match="leased_slot_has_a_holder"):
        make_slot(layer, status=SlotStatus.LEASED)


def test_a_leased_slot_has_an_end(layer: Layer, anna: Any) -> None:
    with pytest.raises(IntegrityError, match="available_at"):
        make_slot(layer, status=SlotStatus.LEASED, holder=anna, available_at=None)


@pytest.mark.parametrize("status", [SlotStatus.OPEN, SlotStatus.FILLED, SlotStatus.RETIRED])
def test_only_a_leased_slot_has_a_holder(layer: Layer, anna: Any, status: str) -> None:
    with pytest.raises(IntegrityError, match="leased_slot_has_a_holder"):
        make_slot(layer, status=status, holder=anna)


def test_a_person_leases_a_layer_once(layer: Layer, anna: Any) -> None:
    make_slot(layer, 1, status=SlotStatus.LEASED, holder=anna)
    with pytest.raises(IntegrityError, match="one_lease_per_person_and_layer"):
        make_slot(layer, 2, status=SlotStatus.LEASED, holder=anna)


def test_a_slot_counts_one_verdict(layer: Layer, anna: Any, bob: Any) -> None:
    slot = make_slot(layer)
    make_verdict(slot, anna)
    with pytest.raises(IntegrityError, match="one_counted_verdict_per_slot"):
        make_verdict(slot, bob)


def test_a_person_counts_once_on_a_layer(layer: Layer, anna: Any) -> None:
    make_verdict(make_slot(layer, 1), anna)
    with pytest.raises(IntegrityError, match="one_counted_verdict_per_person_and_layer"):
        make_verdict(make_slot(layer, 2), anna, "b")


def test_a_client_id_is_there_once_per_person(layer: Layer, anna: Any) -> None:
    make_verdict(make_slot(layer, 1), anna)
    with pytest.raises(IntegrityError, match="one_verdict_per_person_and_client_id"):
        make_verdict(make_slot(layer, 2), anna, is_counted=False)


@pytest.mark.parametrize(
    "also", [{"decision": "unsure"}, {"extra_reason": "lease_lost"}, {"undone_at": "2026-01-01T00:00:00Z"}], ids=str
)
def test_unsure_extra_and_undone_verdicts_never_count(layer: Layer, anna: Any, also: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="counted_verdict_is_plain"):
        make_verdict(make_slot(layer), anna, **also)
