"""Gold items and repeats: mixed in, answered, scored, and not to be told from other layers."""

from typing import Any

import pytest
from django.db.models.functions import Now

from annotation.models import Assignee, AuditEvent, AuditVerb, Slot, SlotPurpose, SlotStatus, Verdict
from annotation.selectors.gold import gold_answers
from annotation.selectors.quality import own_feedback
from annotation.services.claims import claim, heartbeat, release
from annotation.services.gold import make_gold, retire_gold
from annotation.services.people import repeat_test, set_policy
from annotation.services.slots import open_slots
from annotation.services.verdicts import undo
from engine.models import Layer, LayerStatus, Project
from engine.refusals import Refusal
from tests.annotation.judging import bulk_layers, claim_one, end_lease, judge, make_annotators, make_layers, status_of
from tests.conftest import client_of


@pytest.fixture
def anna(project: Project) -> Any:
    return make_annotators(project, "anna")[0]


@pytest.fixture
def gold(project: Project) -> list[Layer]:
    """Six gold layers that should be accepted, among six others."""
    layers = make_layers(project, 6)
    for layer in layers:
        make_gold(layer=layer, is_acceptable=True)
    make_layers(project, 6)
    return layers


def only_gold(project: Project, first: int = 100) -> None:
    set_policy(project=project, gold_first=first, gold_rate=0.0, mirror_rate=0.0)


def purpose_of(slot: Slot) -> str:
    return Slot.objects.get(pk=slot.pk).purpose


def test_gold_leaves_the_queue_settled(project: Project) -> None:
    good, bad = make_layers(project, 2)
    open_slots(project)
    make_gold(layer=good, is_acceptable=True)
    make_gold(layer=bad, is_acceptable=False)
    assert [status_of(good), status_of(bad)] == [LayerStatus.ACCEPTED, LayerStatus.REJECTED]
    assert set(Slot.objects.values_list("status", flat=True)) == {SlotStatus.RETIRED}


def test_a_gold_layer_has_one_answer(project: Project) -> None:
    [layer] = make_layers(project, 1)
    first = make_gold(layer=layer, is_acceptable=True)
    assert make_gold(layer=layer, is_acceptable=True).pk == first.pk
    with pytest.raises(Refusal) as refused:
        make_gold(layer=layer, is_acceptable=False)
    assert refused.value.code == "other_answer"


def test_without_a_policy_no_probe_is_served(project: Project, anna: Any, gold: list[Layer]) -> None:
    assert {purpose_of(slot) for slot in claim(user=anna, project=project, count=10)} == {SlotPurpose.JUDGEMENT}


def test_the_first_five_of_a_session_are_gold_and_all_different(project: Project, anna: Any, gold: list[Layer]) -> None:
    set_policy(project=project, gold_rate=0.0, mirror_rate=0.0)
    served = []
    for _ in range(8):
        served.append(claim_one(anna, project))
        judge(anna, served[-1])
    assert [purpose_of(slot) for slot in served] == ["gold"] * 5 + ["judgement"] * 3
    assert len({slot.layer_id for slot in served}) == 8


def test_a_batch_holds_probes_where_slots_would_have_been(project: Project, anna: Any, gold: list[Layer]) -> None:
    set_policy(project=project, gold_first=2, gold_rate=0.0, mirror_rate=0.0)
    purposes = [purpose_of(slot) for slot in claim(user=anna, project=project, count=4)]
    assert sorted(purposes) == ["gold", "gold", "judgement", "judgement"]
    assert Slot.objects.filter(status=SlotStatus.OPEN).count() == 4


def test_asking_again_returns_the_same_probe(project: Project, anna: Any, gold: list[Layer]) -> None:
    only_gold(project)
    assert claim_one(anna, project).pk == claim_one(anna, project).pk


def test_when_all_gold_was_seen_ordinary_layers_follow(project: Project, anna: Any, gold: list[Layer]) -> None:
    only_gold(project)
    for _ in range(8):
        judge(anna, claim_one(anna, project))
    assert Verdict.objects.filter(slot__purpose="gold").count() == 6
    assert Verdict.objects.filter(is_counted=True).count() == 2


def test_retired_gold_is_served_no_more(project: Project, anna: Any, gold: list[Layer]) -> None:
    only_gold(project)
    for layer in gold:
        retire_gold(item=layer.gold_item, user=None)
    assert purpose_of(claim_one(anna, project)) == SlotPurpose.JUDGEMENT


def test_an_answer_to_gold_counts_for_the_person_and_not_for_the_layer(
    project: Project, anna: Any, gold: list[Layer]
) -> None:
    only_gold(project)
    slot = claim_one(anna, project)
    judge(anna, slot, "reject")
    assert [answer.is_right for answer in gold_answers(anna, project.pk)] == [False]
    assert status_of(Layer.objects.get(pk=slot.layer_id)) == LayerStatus.ACCEPTED


@pytest.mark.parametrize(("decision", "is_right"), [("accept", True), ("reject", False), ("unsure", False)])
def test_gold_is_scored_by_its_answer(
    project: Project, anna: Any, gold: list[Layer], decision: str, is_right: bool
) -> None:
    only_gold(project)
    judge(anna, claim_one(anna, project), decision)
    assert [answer.is_right for answer in gold_answers(None, project.pk)] == [is_right]


def test_a_gold_answer_taken_back_is_not_scored_and_may_be_given_again(
    project: Project, anna: Any, gold: list[Layer]
) -> None:
    only_gold(project)
    slot = claim_one(anna, project)
    assert undo(user=anna, verdict=judge(anna, slot, "reject")).pk == slot.pk
    assert gold_answers(anna, project.pk) == []
    judge(anna, slot, "accept")
    assert [answer.is_right for answer in gold_answers(anna, project.pk)] == [True]


def test_a_released_probe_goes_to_nobody_else(project: Project, anna: Any, gold: list[Layer]) -> None:
    only_gold(project)
    slot = claim_one(anna, project)
    assert release(user=anna, slot_id=slot.pk)
    assert status_of(slot) == SlotStatus.RETIRED


def test_a_probe_whose_lease_ended_is_still_answered(project: Project, anna: Any, gold: list[Layer]) -> None:
    only_gold(project)
    slot = claim_one(anna, project)
    end_lease(slot)
    judge(anna, slot)
    assert status_of(slot) == SlotStatus.FILLED


def test_a_probe_that_nobody_came_back_for_ends_with_the_next_pull(project: Project, anna: Any) -> None:
    [layer] = make_layers(project, 1)
    leased = {"status": SlotStatus.LEASED, "holder": anna, "available_at": Now(), "random_key": 0.5}
    probe = Slot.objects.create(project=project, layer=layer, purpose=SlotPurpose.MIRROR, **leased)
    open_slots(project)
    assert status_of(probe) == SlotStatus.RETIRED
    assert status_of(layer) == LayerStatus.READY
    assert judge(anna, probe).extra_reason == ""


def test_a_probe_lives_by_heartbeats_like_any_slot(
    project: Project, anna: Any, gold: list[Layer], settings: Any
) -> None:
    only_gold(project)
    slot = claim_one(anna, project)
    settings.REVIEW_LEASE_S += 60
    assert heartbeat(user=anna, slot_id=slot.pk) > slot.available_at


def test_an_own_layer_comes_back_once_as_a_repeat(project: Project, anna: Any) -> None:
    bulk_layers(project, 30)
    set_policy(project=project, gold_first=0, gold_rate=0.0, mirror_rate=0.5, mirror_gap=1)
    while slots := claim(user=anna, project=project):
        judge(anna, slots[0])
    repeats = Verdict.objects.filter(slot__purpose=SlotPurpose.MIRROR)
    ordinary = Verdict.objects.filter(is_counted=True)
    assert repeats
    assert repeats.values("layer").distinct().count() == repeats.count()
    assert set(repeats.values_list("layer", flat=True)) <= set(ordinary.values_list("layer", flat=True))


def shape(value: Any) -> Any:
    """Names and types without values."""
    if isinstance(value, dict):
        return {name: shape(inside) for name, inside in value.items()}
    return [shape(inside) for inside in value] if isinstance(value, list) else type(value).__name__


def test_a_probe_looks_like_any_slot_over_the_api(project: Project, anna: Any) -> None:
    for layer in make_layers(project, 1):
        make_gold(layer=layer, is_acceptable=False)
    make_layers(project, 1)
    Project.objects.update(needed_judgements=2)
    set_policy(project=project, gold_first=1, gold_rate=0.0, mirror_rate=0.0)
    client = client_of(anna)
    seen, answers = [], []
    for number in range(2):
        claimed = client.post("/api/review/claim/", {"project": project.slug}, format="json")
        [assignment] = claimed.json()["assignments"]
        said = {"verdict": "accept", "client_id": str(number), "active_ms": 5}
        answered = client.post(f"/api/assignments/{assignment['id']}/verdict/", said, format="json")
        assert answered.status_code == 201
        seen.append(assignment)
        answers.append(answered.json())
    assert list(Verdict.objects.order_by("created_at").values_list("slot__purpose", flat=True)) == ["gold", "judgement"]
    assert shape(seen[0]) == shape(seen[1])
    assert shape(answers[0]) == shape(answers[1])
    assert [answer["is_counted"] for answer in answers] == [True, True]
    assert {layer["status"] for assignment in seen for layer in assignment["stack"]} == {"ready"}
    assert all(word not in repr(seen + answers) for word in ("gold", "probe", "purpose", "rejected"))


def test_feedback_comes_in_blocks_that_give_no_answer_away(project: Project, anna: Any, gold: list[Layer]) -> None:
    only_gold(project)
    told = []
    for number in range(6):
        judge(anna, claim_one(anna, project), "reject" if number == 2 else "accept")
        told.append(own_feedback(anna, project))
    assert told == [{"answers": 0, "right": 0}] * 4 + [{"answers": 5, "right": 4}] * 2


def test_live_work_begins_after_the_test(project: Project, anna: Any, gold: list[Layer]) -> None:
    set_policy(
        project=project,
        gold_first=0,
        gold_rate=0.0,
        mirror_rate=0.0,
        qualification_items=4,
        qualification_accuracy=0.75,
    )
    for number in range(4):
        slot = claim_one(anna, project)
        assert purpose_of(slot) == SlotPurpose.GOLD
        judge(anna, slot, "reject" if number == 0 else "accept")
    assert purpose_of(claim_one(anna, project)) == SlotPurpose.JUDGEMENT
    assert AuditEvent.objects.get(verb=AuditVerb.QUALIFIED).facts == {"right": 3, "of": 4}


def test_no_more_test_items_are_held_than_are_left(project: Project, anna: Any, gold: list[Layer]) -> None:
    set_policy(project=project, gold_first=0, qualification_items=4)
    assert len(claim(user=anna, project=project, count=10)) == 4
    assert len(claim(user=anna, project=project, count=10)) == 4


def test_a_failed_test_is_said_and_may_be_taken_again(project: Project, anna: Any, gold: list[Layer]) -> None:
    set_policy(project=project, qualification_items=2, qualification_accuracy=1.0, mirror_gap=1)
    for _ in range(2):
        judge(anna, claim_one(anna, project), "reject")
    with pytest.raises(Refusal) as refused:
        claim(user=anna, project=project)
    assert (refused.value.code, refused.value.status) == ("not_qualified", 403)
    repeat_test(project=project, user=anna)
    for _ in range(2):
        judge(anna, claim_one(anna, project), "accept")
    assert Assignee.objects.get(user=anna).qualified_at is not None


def test_a_project_without_gold_tests_nobody(project: Project, anna: Any) -> None:
    make_layers(project, 1)
    set_policy(project=project, qualification_items=3)
    assert purpose_of(claim_one(anna, project)) == SlotPurpose.JUDGEMENT


def test_nobodys_change_of_mind_opens_a_gold_layer(project: Project, anna: Any) -> None:
    [layer] = make_layers(project, 1)
    verdict = judge(anna, claim_one(anna, project))
    make_gold(layer=layer, is_acceptable=False)
    with pytest.raises(Refusal) as refused:
        undo(user=anna, verdict=verdict)
    assert refused.value.code == "not_undoable"
    assert status_of(layer) == LayerStatus.REJECTED
