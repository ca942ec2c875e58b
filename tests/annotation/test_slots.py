from collections import Counter
from datetime import timedelta

from django.utils import timezone

from annotation import tasks
from annotation.models import Slot, SlotStatus
from annotation.services.slots import balance_slots, open_slots
from engine.models import Layer, LayerStatus, Project
from tests.annotation.judging import claim_one, end_lease, judge, make_annotators, make_layers, set_layer, status_of
from tests.factories import make_project


def states(project: Project) -> Counter[str]:
    return Counter(Slot.objects.filter(project=project).values_list("status", flat=True))


def test_every_ready_layer_gets_its_needed_slots(db: None) -> None:
    project = make_project(needed_judgements=3)
    layers = make_layers(project, 2)
    set_layer(make_layers(project, 1)[0], LayerStatus.DROPPED)
    assert open_slots(project) == 6
    positions = Counter(Slot.objects.values_list("layer_id", "position"))
    assert positions == Counter((layer.pk, position) for layer in layers for position in (1, 2, 3))


def test_opening_again_changes_nothing(project: Project) -> None:
    make_layers(project, 2)
    open_slots(project)
    before = set(Slot.objects.values_list("pk", "available_at"))
    assert open_slots(project) == 0
    assert set(Slot.objects.values_list("pk", "available_at")) == before


def test_slots_of_one_layer_lie_together_in_the_order(db: None) -> None:
    project = make_project(needed_judgements=2)
    make_layers(project, 3)
    open_slots(project)
    assert Slot.objects.values("random_key").distinct().count() == 3


def test_raising_the_needed_judgements_opens_more_beside_those_there(project: Project) -> None:
    make_layers(project, 1)
    open_slots(project)
    Project.objects.update(needed_judgements=2)
    assert open_slots(project) == 1
    assert list(Slot.objects.order_by("position").values_list("position", flat=True)) == [1, 2]


def test_a_layer_that_is_ready_no_longer_loses_its_open_slots(project: Project) -> None:
    [layer] = make_layers(project, 1)
    open_slots(project)
    set_layer(layer, LayerStatus.REJECTED)
    open_slots(project)
    assert states(project) == {SlotStatus.RETIRED: 1}


def test_a_layer_that_is_ready_again_gets_its_slots_back(project: Project) -> None:
    [layer] = make_layers(project, 1)
    open_slots(project)
    for status in (LayerStatus.REJECTED, LayerStatus.READY):
        set_layer(layer, status)
        open_slots(project)
    assert states(project) == {SlotStatus.OPEN: 1}


def test_a_live_lease_is_not_retired_but_one_that_ended_is(project: Project) -> None:
    (anna,) = make_annotators(project, "anna")
    [layer] = make_layers(project, 1)
    slot = claim_one(anna, project)
    set_layer(layer, LayerStatus.REJECTED)
    open_slots(project)
    assert status_of(slot) == SlotStatus.LEASED
    end_lease(slot)
    open_slots(project)
    assert status_of(slot) == SlotStatus.RETIRED


def test_the_frequent_task_pulls_new_layers_and_the_check_pulls_the_old_ones(project: Project) -> None:
    new, old = make_layers(project, 2)
    Layer.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1))
    tasks.open_slots()
    assert Slot.objects.get().layer == new
    tasks.check_slots()
    assert Slot.objects.count() == 2


def test_other_projects_are_left_alone(project: Project) -> None:
    other = make_project()
    make_layers(other, 1)
    assert open_slots(project) == 0
    assert not Slot.objects.exists()


def test_balancing_down_retires_the_last_open_slots(db: None) -> None:
    project = make_project(needed_judgements=3)
    [layer] = make_layers(project, 1)
    open_slots(project)
    balance_slots(layer.pk, 2)
    assert Slot.objects.get(status=SlotStatus.RETIRED).position == 3


def test_balancing_up_takes_retired_slots_before_it_makes_new_ones(db: None) -> None:
    project = make_project(needed_judgements=2)
    [layer] = make_layers(project, 1)
    open_slots(project)
    balance_slots(layer.pk, 1)
    balance_slots(layer.pk, 4)
    assert list(Slot.objects.order_by("position").values_list("position", "status")) == [
        (position, SlotStatus.OPEN) for position in (1, 2, 3, 4)
    ]


def test_balancing_never_takes_work_out_of_hands(db: None) -> None:
    project = make_project(needed_judgements=2)
    [layer] = make_layers(project, 1)
    anna, ben = make_annotators(project, "anna", "ben")
    judge(anna, claim_one(anna, project))
    claim_one(ben, project)
    balance_slots(layer.pk, 1)
    assert states(project) == {SlotStatus.FILLED: 1, SlotStatus.LEASED: 1}
