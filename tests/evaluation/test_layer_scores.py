"""Layers that people voted on are measured where their truth is known: metrics can be asked to foretell votes."""

from __future__ import annotations

import pytest

from annotation.models import Comparison
from annotation.simulated import Simulated
from engine.models import Layer, LayerStatus, Project
from evaluation.features.networks import warm_variant
from evaluation.features.variants import OFFLINE
from evaluation.metrics.hpa import PAPER_FOREGROUND
from evaluation.models import Benchmark, EvaluationRun, MetricScore
from evaluation.selectors.vote_differences import vote_differences
from evaluation.services.benchmarks import freeze_layers
from evaluation.services.layer_scores import METRICS, score_voted_layers
from evaluation.services.scores import digest_of_networks
from evaluation.services.simulated_votes import simulate_votes
from tests.evaluation.voting import layers_of_composites, voted_board
from tests.factories import make_image, make_layer, make_producer
from training.models import JobStatus

SHADES = {"good": 0, "bad": 60}


def networks_here() -> str:
    identities = warm_variant(OFFLINE).identities.items()
    return digest_of_networks({name: identity.as_choices() for name, identity in identities})


def scored(benchmark: Benchmark, producer: str, networks: str) -> EvaluationRun:
    """A finished run with all three axes, as scoring leaves one."""
    run = EvaluationRun.objects.create(
        benchmark=benchmark, producer=make_producer(producer), checkpoint=producer, status=JobStatus.FINISHED,
        networks_digest=networks, variant=OFFLINE, is_offline=True, code_revision="r",
    )  # fmt: skip
    for axis in ("s_vis", "s_gen", "s_fid"):
        MetricScore.objects.create(run=run, board="foreground", metric=axis, value=0.1, n=4)
    return run


def with_bounds(benchmark: Benchmark, networks: str) -> Benchmark:
    benchmark.bounds = {networks: {"foreground": PAPER_FOREGROUND.as_json()}}
    benchmark.save()
    return benchmark


@pytest.fixture
def voted(project: Project) -> Benchmark:
    """True layers of two composites, and the same with shifted colours, voted on by two people who never err."""
    layers_of_composites(project, range(2), SHADES)
    assert list(simulate_votes(project, [Simulated("one", 0.0, 0), Simulated("two", 0.0, 0)], 4))
    return with_bounds(Benchmark.objects.create(project=project, name="b", digest="d"), networks_here())


def test_voted_layers_of_composites_are_measured_once_against_their_truth(project: Project, voted: Benchmark) -> None:
    runs = [scored(voted, name, networks_here()) for name in SHADES]
    pairs = Comparison.objects.filter(votes__is_counted=True).values_list("left", "right")
    compared = {layer for pair in pairs for layer in pair}
    assert score_voted_layers(voted, "foreground") == len(compared)
    assert score_voted_layers(voted, "foreground") == 0
    scores = MetricScore.objects.filter(layer__isnull=False)
    assert scores.count() == len(compared) * len(METRICS)
    good, bad = (scores.filter(run=run, metric="s_vis") for run in runs)
    assert {score.value for score in good} == {0}
    assert min(score.value for score in bad) > 0
    assert all(score.reason for score in scores.filter(value=None))


def test_votes_are_told_with_the_differences_of_their_layers(project: Project, voted: Benchmark) -> None:
    for name in SHADES:
        scored(voted, name, networks_here())
    score_voted_layers(voted, "foreground")
    votes = list(vote_differences(project, voted, "foreground", networks_here()))
    assert votes
    assert all((vote.apart[0] < 0) == (vote.outcome > 0) for vote in votes), "the lower s_vis won"
    people = {vote.annotator for vote in votes}
    rest = list(vote_differences(project, voted, "foreground", networks_here(), people - {min(people)}))
    assert {vote.annotator for vote in rest} == {min(people)}
    assert list(vote_differences(project, voted, "foreground", "other networks")) == []


def test_networks_that_are_not_here_measure_nothing(voted: Benchmark) -> None:
    with_bounds(voted, "e" * 64)
    for name in SHADES:
        scored(voted, name, "e" * 64)
    assert score_voted_layers(voted, "foreground") == 0
    assert not MetricScore.objects.filter(layer__isnull=False).exists()


def test_a_truth_of_the_benchmark_is_not_measured_against_itself(project: Project) -> None:
    names = voted_board(project, strengths=(1.0, -1.0), photos=2, people=1)
    first = Layer.objects.filter(producer__name=names[0])
    first.update(status=LayerStatus.ACCEPTED)
    benchmark = freeze_layers(project=project, name="judged", layers=first.values_list("pk", flat=True))
    for name in names:
        scored(with_bounds(benchmark, networks_here()), name, networks_here())
    assert score_voted_layers(benchmark, "foreground") == 2
    measured = MetricScore.objects.filter(metric="s_vis", layer__isnull=False).values_list("layer__producer__name")
    assert {name for (name,) in measured} == {names[1]}


def test_votes_on_layers_without_truth_are_passed_over(project: Project) -> None:
    voted_board(project, strengths=(1.0, -1.0), photos=2, people=1)
    elsewhere = make_layer(make_image(project), status=LayerStatus.ACCEPTED)
    benchmark = with_bounds(freeze_layers(project=project, name="b", layers=[elsewhere.pk]), networks_here())
    for name in ("method 0", "method 1"):
        scored(benchmark, name, networks_here())
    assert score_voted_layers(benchmark, "foreground") == 0
