"""The closed loop: small, but every step by the real services, and it goes on where it stopped."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Comparison
from annotation.simulated import Simulated
from annotation.truth import composite_behind
from engine.composites.held_out import FIRST_SEED, name_of, seen_composite
from engine.imaging import encode_png, sha256
from engine.models import Layer, Project
from evaluation.loop_terms import STEPS, BadTerms, LoopTerms
from evaluation.models import LoopRound
from evaluation.selectors.rounds import rounds_of
from evaluation.services.benchmarks import freeze_composites
from evaluation.services.gates import cancel_gate, open_due_gates
from evaluation.services.loop import BENCHMARK, begin, gate_of, next_round, planned_run, work_on
from evaluation.services.simulated_votes import simulate_votes
from tests.evaluation.gating import new_checkpoint
from tests.evaluation.voting import layers_of_composites
from training.models import JobStatus, Snapshot, TrainingRun
from training.rules import Rules
from training.selectors.checkpoints import current_checkpoint

TERMS = LoopTerms(
    pictures=3, vote_pictures=2, annotators=2, judgements=1, mends=1, voters=2, votes=4, benchmark=2, steps=2, batch=2
)


def test_no_two_rounds_share_a_composite_and_none_is_held_out() -> None:
    terms = LoopTerms()
    seeds = [seed for number in range(1, 6) for votes in (False, True) for seed in terms.seeds(number, votes)]
    assert len(seeds) == len(set(seeds))
    assert max(seeds) < FIRST_SEED
    assert LoopTerms.from_json(json.loads(json.dumps(TERMS.to_json()))) == TERMS


def test_every_round_brings_twice_the_composites_of_the_one_before() -> None:
    terms = LoopTerms(pictures=5)
    assert [len(terms.seeds(number, False)) for number in (1, 2, 3, 20)] == [5, 10, 20, 5000]
    assert [len(terms.seeds(number, True)) for number in (1, 3)] == [terms.vote_pictures] * 2


@pytest.mark.parametrize(
    "wrong", [{"pictures": 0}, {"growth": 0}, {"benchmark": 1}, {"error_rate": 0.5}, {"annotators": 1}, {"mends": -1}]
)
def test_terms_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadTerms):
        LoopTerms(**{"judgements": 2, **wrong})  # type: ignore[arg-type]


def test_the_truth_of_a_seen_composite_is_made_again_from_its_name() -> None:
    made = seen_composite(4, 64)
    again = composite_behind(name_of(4, 64), sha256(encode_png(made.source_hwc)))
    assert again is not None
    assert (again.source_hwc == made.source_hwc).all()
    assert composite_behind(name_of(5, 64), sha256(encode_png(made.source_hwc))) is None


def test_simulated_people_prefer_what_is_nearer_to_the_truth(project: Project) -> None:
    layers_of_composites(project, range(4), {"good": 0, "bad": 60})
    people = [Simulated("simulated-1", 0.0, 0), Simulated("simulated-2", 0.0, 0)]
    assert len(list(simulate_votes(project, people, 8))) == 8
    for shown in Comparison.objects.filter(votes__is_counted=True).distinct():
        good_is_left = shown.left.producer.name == "good"
        assert set(shown.votes.values_list("choice", flat=True)) == {"left" if good_is_left else "right"}


def test_a_gate_that_a_worker_opened_before_the_loop_did_is_taken_over(project: Project) -> None:
    freeze_composites(project=project, name=BENCHMARK, count=2, size_px=64)
    checkpoint = new_checkpoint(project)
    (opened,) = open_due_gates()
    assert gate_of(checkpoint, project, TERMS.votes) == opened
    cancel_gate(opened)
    assert gate_of(checkpoint, project, TERMS.votes).budget == TERMS.votes


@pytest.mark.django_db(transaction=True)
def test_a_round_goes_through_every_step_and_on_from_where_it_stopped() -> None:
    project = begin("small", TERMS)
    first = next_round(project, TERMS)
    work_on(first, until="training")
    assert (first.step, first.snapshot is not None) == ("training", True)
    again = next_round(begin("small", TERMS), TERMS)
    assert again.pk == first.pk
    work_on(again)
    again.refresh_from_db()
    assert (again.step, again.finished_at is not None) == ("", True)
    assert sorted(again.seconds, key=STEPS.index) == list(STEPS)
    assert (Snapshot.objects.count(), TrainingRun.objects.count()) == (1, 1), "nothing twice"
    untrained, trained = rounds_of(project, "foreground")
    assert untrained.number == 0
    assert (trained.checkpoint, trained.gate) == ("small-1", again.gate)
    assert untrained.hpa is not None
    assert trained.hpa is not None
    assert trained.gain is not None
    assert trained.gain[1] == pytest.approx(trained.hpa[1] - untrained.hpa[1])
    mended = Layer.objects.filter(project=project, author__isnull=False)
    assert mended.count() == again.facts["mended"] <= TERMS.mends
    assert trained.is_promoted == (again.gate is not None and again.gate.status == "promoted")
    assert Layer.objects.filter(project=project, producer__name__startswith="small-1@").exists()
    said = StringIO()
    call_command("loop", "--rounds", "1", "--project", "small", "--json", stdout=said, stderr=StringIO())
    assert [row["number"] for row in json.loads(said.getvalue())["rounds"]] == [0, 1]
    assert LoopRound.objects.count() == 1, "it was finished, so the command only tells"


def test_later_rounds_learn_anew_from_all_layers_and_take_more_steps(project: Project) -> None:
    """Whatever the gate said about the first one: a held checkpoint is no reason to learn less."""
    frozen = {"rules": Rules().to_json(), "status": JobStatus.FINISHED, "digest": "d", "manifest": "m"}
    snapshots = [Snapshot.objects.create(project=project, name=str(rows), rows=rows, **frozen) for rows in (10, 25)]
    begun = begin(project.name, TERMS)
    rounds = [
        LoopRound.objects.create(project=begun, number=number, terms=TERMS.to_json(), snapshot=snapshot)
        for number, snapshot in enumerate(snapshots, 1)
    ]
    runs = [planned_run(one, TERMS) for one in rounds]
    assert [run.params["steps"] for run in runs] == [TERMS.steps, 5]
    assert {run.parent for run in runs} == {current_checkpoint(begun)}


def test_the_command_refuses_terms_that_make_no_sense(db: None) -> None:
    for words in (["--rounds", "0"], ["--error-rate", "0.7"]):
        with pytest.raises(CommandError) as refused:
            call_command("loop", *words, stdout=StringIO(), stderr=StringIO())
        assert refused.value.returncode == 2
    assert not Project.objects.exists()
