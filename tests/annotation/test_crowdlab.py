"""CROWDLAB knows which consensus is doubtful, from people and from scores."""

from random import Random
from typing import Any

import pytest
from sklearn.metrics import roc_auc_score

from annotation.agreement import consensus
from annotation.crowdlab import LEAST_LAYERS, Judged, consensus_quality
from annotation.selectors.doubts import doubtful_layers
from annotation.services.claims import claim
from annotation.services.needs import change_needed_judgements
from annotation.simulated import crowd
from engine.models import Layer, Project
from tests.annotation.judging import bulk_layers, judge, make_annotators
from tests.conftest import client_of


def simulated(noise: float) -> tuple[list[Judged], list[bool]]:
    """800 layers, two people of twelve each and a third on conflict; and whether the consensus is wrong."""
    rng, people = Random(1), crowd(12, 1)
    layers, wrong = [], []
    for number in range(800):
        truth = rng.random() < 0.7
        asked = rng.sample(range(12), 3)
        said = {person: people[person].says(str(number), truth)[0] == "accept" for person in asked}
        if said[asked[0]] == said[asked[1]]:
            del said[asked[2]]
        layers.append(Judged({"error": truth - 0.5 + rng.gauss(0, noise)}, said))
        wrong.append(consensus(list(said.values()), 2).is_accepted is not truth)
    return layers, wrong


@pytest.mark.parametrize(
    ("noise", "least"), [(0.25, 0.95), (50.0, 0.7)], ids=["telling scores", "scores without sense"]
)
def test_wrong_consensus_is_less_sure(noise: float, least: float) -> None:
    layers, wrong = simulated(noise)
    quality = consensus_quality(layers)
    assert quality is not None
    assert all(0 <= value <= 1 for value in quality)
    assert roc_auc_score(wrong, [-value for value in quality]) > least


@pytest.mark.parametrize(
    "layers",
    [
        [],
        [Judged({"error": 0.5}, {1: True, 2: True})] * LEAST_LAYERS,
        [Judged({"error": n}, {1: n % 2 == 0, 2: True}) for n in range(LEAST_LAYERS - 1)],
        [Judged({}, {1: n % 2 == 0, 2: n % 2 == 0}) for n in range(LEAST_LAYERS)],
        [Judged({"error": n}, {1 + n % 2: n % 2 == 0}) for n in range(LEAST_LAYERS)],
    ],
    ids=["no layers", "one answer", "too few", "no scores", "nobody on the same layer"],
)
def test_there_is_nothing_to_say_without_anything_to_learn_from(layers: list[Judged]) -> None:
    assert consensus_quality(layers) is None


def test_reviewers_get_the_least_sure_layers_first(project: Project, alice: Any) -> None:
    change_needed_judgements(project=project, needed=2)
    layers = bulk_layers(project, 60)
    odd = layers[30].pk
    for number, layer in enumerate(layers):
        Layer.objects.filter(pk=layer.pk).update(scores={"error": 0.1 * (number % 5) + number % 2})
    good = {layer.pk: (number % 2 == 0) != (layer.pk == odd) for number, layer in enumerate(layers)}
    anna, ben = make_annotators(project, "anna", "ben")
    for person in (anna, ben):
        while slots := claim(user=person, project=project, count=10):
            for slot in slots:
                judge(person, slot, "accept" if good[slot.layer_id] else "reject")
    listed = client_of(alice).get(f"/api/review/doubtful/?project={project.slug}").json()["layers"]
    assert listed[0]["layer"] == str(odd)
    assert [row["quality"] for row in listed] == sorted(row["quality"] for row in listed)
    assert client_of(anna).get(f"/api/review/doubtful/?project={project.slug}").status_code == 403


def test_a_project_without_verdicts_has_no_doubts(project: Project) -> None:
    assert doubtful_layers(project) is None
