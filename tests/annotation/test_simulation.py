"""Simulated people at the real queue."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotation.models import GoldItem, Slot, SlotStatus, Verdict
from annotation.services.gold import make_gold
from annotation.services.needs import change_needed_judgements
from annotation.services.people import set_policy
from engine.composites.generator import compose
from engine.imaging import encode_png
from engine.models import Layer, LayerStatus, Project
from engine.services.files import store
from engine.services.images import import_image
from tests.annotation.judging import bulk_layers
from tests.factories import make_image, make_layer


def simulate(project: Project, *args: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("simulate_annotators", "--project", project.slug, "--json", *args, stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


def test_the_crowd_empties_the_queue_and_errs_less_than_its_members(project: Project) -> None:
    bulk_layers(project, 150)
    change_needed_judgements(project=project, needed=2)
    report = simulate(project, "--annotators", "5", "--until-empty")
    assert report["settled"] == 150
    assert report["consensus_accuracy"] > 0.93
    assert report["decisions"] == Verdict.objects.filter(is_counted=True).count() >= 300
    assert not Layer.objects.filter(status=LayerStatus.READY).exists()
    assert set(Slot.objects.values_list("status", flat=True)) == {SlotStatus.FILLED}
    assert report["alpha"]["low"] < report["alpha"]["value"] < report["alpha"]["high"]


def test_gold_ranks_the_crowd_and_never_settles_a_layer(project: Project) -> None:
    layers = bulk_layers(project, 120)
    for number, layer in enumerate(layers[:60]):
        make_gold(layer=layer, is_acceptable=number % 2 == 0)
    set_policy(project=project, gold_first=60, gold_rate=0.0, mirror_rate=0.0)
    report = simulate(project, "--annotators", "3", "--decisions", "70")
    assert [row["gold"]["n"] for row in report["annotators"]] == [60, 60, 60]
    assert report["rank_correlation"] > 0.8
    assert report["truth"] == {"gold": 60, "composite": 0, "assumed": 30}
    assert Layer.objects.filter(pk__in=[layer.pk for layer in layers[:60]], status=LayerStatus.ACCEPTED).count() == 30


def test_people_without_errors_are_always_right(project: Project) -> None:
    bulk_layers(project, 20)
    report = simulate(project, "--annotators", "2", "--error-rate", "0", "--until-empty")
    assert (report["consensus_accuracy"], report["decisions"]) == (1.0, 20)


def test_composites_have_their_truth_from_the_generator(project: Project) -> None:
    made = compose(3, 64)
    image = import_image(project=project, data=encode_png(made.source_hwc), name="composite-64-3.png").image
    make_layer(image, label="not one of the objects")
    report = simulate(project, "--annotators", "1", "--error-rate", "0", "--until-empty")
    assert report["truth"] == {"gold": 0, "composite": 1, "assumed": 0}
    assert Layer.objects.get().status == LayerStatus.REJECTED


def test_gold_is_made_of_composites_right_and_wrong_in_turn(project: Project) -> None:
    made = compose(3, 64)
    image = import_image(project=project, data=encode_png(made.source_hwc), name="composite-64-3.png").image
    wrong = [make_layer(image, depth=depth) for depth in range(3)]
    right = make_layer(image, depth=3)
    true = store("layers", encode_png(made.layers[0].layer.rgba_hwc), "png")
    Layer.objects.filter(pk=right.pk).update(rgba=true)
    make_layer(make_image(project))
    call_command("make_gold", "--project", project.slug, "--most", "2", stdout=io.StringIO())
    answers = dict(GoldItem.objects.values_list("layer_id", "is_acceptable"))
    assert answers.pop(right.pk)
    assert [(pk in {layer.pk for layer in wrong}, answer) for pk, answer in answers.items()] == [(True, False)]
    call_command("make_gold", "--project", project.slug, stdout=io.StringIO())
    assert GoldItem.objects.count() == 4


def test_the_same_seed_says_the_same_of_the_same_layers(project: Project) -> None:
    bulk_layers(project, 15)
    simulate(project, "--annotators", "1", "--error-rate", "0.5", "--until-empty", "--seed", "4")
    first = dict(Verdict.objects.values_list("layer_id", "decision"))
    Verdict.objects.all().delete()
    Slot.objects.all().delete()
    Layer.objects.update(status=LayerStatus.READY)
    simulate(project, "--annotators", "1", "--error-rate", "0.5", "--until-empty", "--seed", "4")
    assert dict(Verdict.objects.values_list("layer_id", "decision")) == first
    assert set(first.values()) == {"accept", "reject"}


@pytest.mark.parametrize(
    ("args", "returncode"),
    [
        (["--annotators", "0"], 2),
        (["--annotators", "2", "--error-rate", "1.5"], 2),
        (["--annotators", "1", "--project", "nowhere"], 1),
    ],
)
def test_wrong_use_ends_with_one_line(project: Project, args: list[str], returncode: int) -> None:
    with pytest.raises(CommandError) as error:
        simulate(project, *args)
    assert error.value.returncode == returncode
