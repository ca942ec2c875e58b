"""Which comparisons are made: two producers, one thing, sides by lot, probes that look like the rest."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from annotation.models import Choice, Comparison, GoldItem, GoldOrigin, QueuePolicy, SlotPurpose, Vote
from annotation.selectors.comparing import arenas_of
from annotation.services import comparisons
from annotation.services.comparisons import gold_comparison, make_comparisons, mirror_comparison
from engine.models import Layer, LayerStatus, Producer, Project
from tests.annotation.comparing import NAMES, claim_vote, make_rivals, vote, vote_all
from tests.annotation.judging import make_annotators
from tests.factories import make_image, make_layer, make_producer


@pytest.fixture
def anna(project: Project) -> Any:
    return make_annotators(project, "anna")[0]


@pytest.fixture
def ben(project: Project) -> Any:
    return make_annotators(project, "ben")[0]


def test_two_layers_of_one_thing_by_two_producers_are_compared(project: Project, anna: Any) -> None:
    make_rivals(project, photos=2)
    assert make_comparisons(project, anna, 10) == 2
    for made in Comparison.objects.select_related("left", "right"):
        assert made.left.image_id == made.right.image_id == made.image_id
        assert {made.left.producer.name, made.right.producer.name} == set(NAMES[:2])
        assert 0 < made.propensity <= 1
        assert made.prompt.layer_id in {made.left_id, made.right_id}


def test_sides_are_drawn_by_lot(project: Project, anna: Any) -> None:
    make_rivals(project, photos=40)
    make_comparisons(project, anna, 40)
    left = Counter(made.left.producer.name for made in Comparison.objects.select_related("left__producer"))
    assert left["careful"] + left["hasty"] == 40
    assert min(left.values()) >= 8, "fewer would happen once in ten thousand runs"


def test_one_producer_or_layers_of_different_things_are_no_comparison(project: Project, anna: Any) -> None:
    make_rivals(project, names=("careful",))
    assert make_comparisons(project, anna) == 0
    make_layer(Layer.objects.first().image, producer=make_producer("hasty"), depth=1)
    Layer.objects.filter(producer__name="hasty").update(box=[0, 0, 3, 3])
    assert make_comparisons(project, anna) == 0


def test_people_who_mend_are_no_producers_and_hidden_layers_are_not_shown(project: Project, anna: Any) -> None:
    rivals = make_rivals(project, photos=2)
    Layer.objects.filter(pk=rivals[0].pk).update(status=LayerStatus.SUPERSEDED)
    [arena] = arenas_of(project)
    assert arena.photos(0, 1, 9) == [rivals[2].image_id]
    Producer.objects.filter(name="hasty").update(kind=Producer.Kind.PERSON)
    assert arenas_of(project) == []


def test_the_arena_counts_votes_from_both_sides(project: Project, anna: Any, ben: Any) -> None:
    make_rivals(project, photos=2)
    [one, two] = [claim_vote(anna, project), claim_vote(ben, project)]
    for user, comparison in ((anna, one), (ben, two)):
        winner_is_left = comparison.left.producer.name == "careful"
        vote(user, comparison, "left" if winner_is_left else "right")
    [arena] = arenas_of(project)
    careful = arena.producers.index(Producer.objects.get(name="careful").pk)
    assert arena.wins[careful].sum() == 2
    assert arena.wins.sum() == 2


def test_a_tie_and_both_bad_are_half_a_win_each(project: Project, anna: Any) -> None:
    make_rivals(project, photos=2)
    for choice in (Choice.TIE, Choice.BOTH_BAD):
        vote(anna, claim_vote(anna, project), choice)
    [arena] = arenas_of(project)
    assert arena.wins.tolist() == [[0, 1], [1, 0]]


def test_photos_on_which_the_two_met_least_come_first(project: Project, anna: Any, ben: Any) -> None:
    make_rivals(project, photos=2)
    first = claim_vote(anna, project)
    vote(anna, first)
    Comparison.objects.filter(status="open").delete()
    [arena] = arenas_of(project)
    assert arena.photos(0, 1, 1) != [first.image_id]


def test_boards_are_kept_apart(project: Project, anna: Any) -> None:
    rivals = make_rivals(project, photos=1)
    for layer in rivals:
        make_layer(layer.image, producer=layer.producer, kind="background", depth=1)
    make_comparisons(project, anna, 10)
    assert Counter(Comparison.objects.values_list("board", flat=True)) == {"foreground": 1, "background": 1}
    assert not Comparison.objects.filter(board="background").exclude(edit={}).exists()


def test_some_comparisons_are_edit_probes_with_one_script(
    project: Project, anna: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "EDIT_SHARE", 1.0)
    make_rivals(project, photos=30)
    make_comparisons(project, anna, 30)
    kinds = Counter(edit["kind"] for edit in Comparison.objects.values_list("edit", flat=True))
    assert set(kinds) == {"move", "scale", "background"}


def test_a_pair_that_somebody_voted_on_is_sometimes_asked_again_of_another(
    project: Project, anna: Any, ben: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_rivals(project, photos=3)
    first = vote(anna, claim_vote(anna, project))
    Comparison.objects.filter(status="open").delete()
    monkeypatch.setattr(comparisons, "OVERLAP_SHARE", 1.0)
    make_comparisons(project, ben, 1)
    assert claim_vote(ben, project).pair == first.pair


def test_gold_is_a_good_layer_beside_a_bad_one(project: Project, anna: Any) -> None:
    good, bad = make_rivals(project, photos=1)
    for layer, is_acceptable in ((good, True), (bad, False)):
        GoldItem.objects.create(project=project, layer=layer, is_acceptable=is_acceptable, origin=GoldOrigin.TRUTH)
    seen = set()
    for _ in range(20):
        gold = gold_comparison(project, anna)
        assert gold.purpose == SlotPurpose.GOLD
        assert (gold.left_id if gold.expected == Choice.LEFT else gold.right_id) == good.pk
        seen.add(gold.expected)
    assert seen == {Choice.LEFT, Choice.RIGHT}


def test_without_known_answers_gold_is_a_layer_beside_itself(project: Project, anna: Any) -> None:
    assert gold_comparison(project, anna) is None
    make_rivals(project, photos=1)
    gold = gold_comparison(project, anna)
    assert gold.left_id == gold.right_id
    assert gold.expected == Choice.TIE


def test_a_mirror_swaps_the_sides_of_an_own_vote_once(project: Project, anna: Any) -> None:
    make_rivals(project, photos=3)
    old = vote(anna, claim_vote(anna, project)).comparison
    vote(anna, claim_vote(anna, project))
    assert mirror_comparison(project, anna, gap=2) is None
    mirror = mirror_comparison(project, anna, gap=1)
    assert (mirror.left_id, mirror.right_id, mirror.repeats_id) == (old.right_id, old.left_id, old.pk)
    mirror.status = "filled"
    mirror.save()
    Vote.objects.create(
        project=project, comparison=mirror, pair=mirror.pair, annotator=anna, choice="left", client_id="m",
        active_ms=0, is_counted=False,
    )  # fmt: skip
    assert mirror_comparison(project, anna, gap=2) is None


def test_probes_take_the_place_of_some_and_count_for_nothing(project: Project, anna: Any) -> None:
    make_rivals(project, photos=20)
    QueuePolicy.objects.create(project=project, gold_rate=0.5, mirror_rate=0.0)
    votes = vote_all(anna, project, most=30)
    purposes = Counter(Comparison.objects.filter(status="filled").values_list("purpose", flat=True))
    assert purposes[SlotPurpose.GOLD] >= 5
    assert sum(given.is_counted for given in votes) == purposes[SlotPurpose.JUDGEMENT]


def test_a_small_project_runs_out_for_each_person(project: Project, anna: Any, ben: Any) -> None:
    make_rivals(project, photos=4)
    assert len(vote_all(anna, project)) == 4
    assert len(vote_all(ben, project)) == 4
    image = make_image(project)
    for name in NAMES[:2]:
        make_layer(image, producer=make_producer(name))
    assert len(vote_all(anna, project)) == 1
