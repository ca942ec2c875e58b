"""A run's report is right in the middle of the run, and finds the pictures behind each number."""

from __future__ import annotations

from typing import Any

import pytest

from engine.models import ItemStatus, LayerStatus, Project, RunStatus, Worker
from engine.records import LayerKind
from engine.refusals import Refusal
from engine.selectors.runs import dropped_layers_of, run_for, run_pictures, run_report, runs_of
from tests.engine.runs import give, make_run, make_worker, report
from tests.factories import make_layer


def move(item: Any, status: str, stages_done: int = 0) -> None:
    type(item).objects.filter(pk=item.pk).update(status=status, stages_done=stages_done)


def test_progress_counts_stages_and_ended_pictures_count_whole(project: Project) -> None:
    run = make_run(project, pictures=4)
    first, second, third, _ = run.items.all()
    move(first, ItemStatus.FINISHED, 6)
    move(second, ItemStatus.DROPPED, 1)
    move(third, ItemStatus.QUEUED, 3)
    assert run_report(run).done_share == pytest.approx((6 + 6 + 3 + 0) / 24)


def test_live_pictures_wait_at_the_stage_after_their_last_finished_one(project: Project) -> None:
    run = make_run(project, pictures=3)
    first, second, third = run.items.all()
    move(first, ItemStatus.QUEUED, 2)
    move(second, ItemStatus.FAILED, 2)
    waiting = run_report(run).waiting
    assert (waiting["prefilter"], waiting["completion"]) == (1, 1)
    assert sum(waiting.values()) == 2
    assert third.status == ItemStatus.QUEUED


def test_items_are_counted_by_status(project: Project) -> None:
    run = make_run(project, pictures=3)
    move(run.items.first(), ItemStatus.FAILED)
    counts = run_report(run).items
    assert counts == {**dict.fromkeys(ItemStatus.values, 0), "queued": 2, "failed": 1}


def test_an_empty_run_has_done_nothing(project: Project) -> None:
    assert run_report(make_run(project, pictures=0)).done_share == 0


def test_acceptance_is_of_judged_layers_of_one_kind(project: Project) -> None:
    run = make_run(project, pictures=1)
    item = run.items.get()
    for depth, status in enumerate([LayerStatus.ACCEPTED, LayerStatus.ACCEPTED, LayerStatus.REJECTED, "ready"]):
        make_layer(item.image, item=item, depth=depth, status=status)
    result = run_report(run)
    assert result.accepted_share(LayerKind.FOREGROUND) == pytest.approx(2 / 3)
    assert result.accepted_share(LayerKind.BACKGROUND) is None


def test_layers_of_other_runs_do_not_count(project: Project) -> None:
    run, other = make_run(project, pictures=1), make_run(project, pictures=1)
    item = other.items.get()
    make_layer(item.image, item=item)
    assert run_report(run).layers == {}


def test_a_silent_worker_that_holds_pictures_raises_the_alarm(project: Project, settings: Any) -> None:
    run = make_run(project)
    give(run.items.first(), make_worker("cpu-0", silent_s=settings.LEASE_S + 5))
    (silent,) = run_report(run).silent_workers
    assert (silent.name, silent.pictures) == ("cpu-0", 1)


def test_workers_that_ended_pictures_stay_listed_and_raise_no_alarm(project: Project, settings: Any) -> None:
    run = make_run(project, pictures=2, status=RunStatus.FINISHED)
    give(run.items.first(), make_worker("cpu-0", silent_s=settings.LEASE_S + 5))
    run.items.update(status=ItemStatus.FINISHED)
    result = run_report(run)
    assert [(worker.name, worker.pictures, worker.done) for worker in result.workers] == [("cpu-0", 0, 1)]
    assert result.silent_workers == []


def test_a_worker_that_is_heard_raises_none(project: Project) -> None:
    run = make_run(project)
    give(run.items.first(), make_worker("cpu-0", silent_s=1))
    result = run_report(run)
    assert result.silent_workers == []
    assert not result.lacks_workers


def test_a_live_run_that_no_worker_listens_to_says_so(project: Project, settings: Any) -> None:
    make_worker("gone", silent_s=settings.LEASE_S + 5)
    assert run_report(make_run(project)).lacks_workers
    assert not run_report(make_run(project, status=RunStatus.FINISHED)).lacks_workers


def test_a_worker_that_sweeps_does_not_take_pictures_for_gpus(project: Project) -> None:
    worker = make_worker("cpu-0")
    Worker.objects.filter(pk=worker.pk).update(queue="default")
    run = make_run(project)
    assert not run_report(run).lacks_workers
    run.items.update(queue="gpu")
    assert run_report(run).lacks_workers
    Worker.objects.filter(pk=worker.pk).update(queue="gpu")
    assert not run_report(run).lacks_workers


def test_a_report_takes_seven_queries_for_any_size(project: Project, django_assert_num_queries: Any) -> None:
    run = make_run(project, pictures=3)
    for item in run.items.all():
        report(item, "prefilter")
    with django_assert_num_queries(7):
        run_report(run)


def test_troubled_pictures_come_first(project: Project) -> None:
    run = make_run(project, pictures=3)
    outcomes = ["kept", "dropped", "kept"]
    for item, outcome in zip(run.items.order_by("created_at"), outcomes, strict=True):
        report(item, "prefilter", outcome=outcome, reason="blurred" if outcome == "dropped" else "")
    assert [row.outcome for row in run_pictures(run, "prefilter")] == ["dropped", "kept", "kept"]


def test_pictures_are_found_by_stage_outcome_and_reason(project: Project) -> None:
    run = make_run(project, pictures=3)
    first, second, third = run.items.all()
    report(first, "prefilter", outcome="dropped", reason="blurred")
    report(second, "prefilter", outcome="dropped", reason="too_small")
    report(third, "prefilter")
    assert [row.item for row in run_pictures(run, "prefilter", "dropped", "blurred")] == [first]
    assert run_pictures(run, "prefilter", "dropped").count() == 2
    assert run_pictures(run, "scene").count() == 0


def test_pictures_are_found_by_the_reason_of_a_dropped_layer(project: Project) -> None:
    run = make_run(project, pictures=3)
    first, second, third = run.items.all()
    report(first, "postfilter", dropped_layers={"00": "fragmented", "01": 'odd "quoted" $reason'})
    report(second, "postfilter", dropped_layers={"00": "all_soft"})
    report(third, "postfilter")
    assert run_pictures(run, "postfilter", "layers").count() == 2
    assert [row.item for row in run_pictures(run, "postfilter", "layers", "all_soft")] == [second]
    assert [row.item for row in run_pictures(run, "postfilter", "layers", 'odd "quoted" $reason')] == [first]


def test_the_stored_layer_of_a_dropped_instance_is_found(project: Project) -> None:
    run = make_run(project, pictures=1)
    item = run.items.get()
    layer = make_layer(item.image, item=item, status=LayerStatus.DROPPED, drop_reason="fragmented")
    row = report(item, "postfilter", dropped_layers={layer.key: "fragmented"})
    assert dropped_layers_of([row]) == {(item.pk, layer.key): layer}


def test_lists_show_only_the_runs_of_ones_projects(project: Project, bob: Any, charlie: Any) -> None:
    run = make_run(project, pictures=2)
    move(run.items.first(), ItemStatus.FAILED)
    (listed,) = runs_of(bob)
    assert (listed, listed.pictures, listed.ended) == (run, 2, 1)
    assert list(runs_of(charlie)) == []


def test_strangers_do_not_learn_that_a_run_exists(project: Project, charlie: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        run_for(charlie, make_run(project).id)
    assert refusal.value.status == 404
