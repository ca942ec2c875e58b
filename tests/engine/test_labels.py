import pytest

from engine.labels import Vote, agree, belief, canonical, elect, is_part_noun


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("The red Cups", "red cup"),
        ("people", "person"),
        ("two dishes", "dish"),
        ("cherries", "cherry"),
        ("a glass", "glass"),
        ("bus", "bus"),
        ("", "object"),
    ],
)
def test_names_are_made_comparable(phrase, name):
    assert canonical(phrase) == name


def test_the_same_noun_agrees_and_another_does_not():
    assert agree("red cup", "cups")
    assert agree("man", "person")
    assert agree("man", "woman")
    assert agree("vehicle", "red car")
    assert agree("object", "cup")
    assert not agree("cup", "remote")
    assert not agree("cat", "dog")


def test_a_wheel_is_a_part_of_a_car_and_a_cup_of_no_table():
    assert is_part_noun("front wheels", "red car")
    assert not is_part_noun("cup", "table")


def test_the_heavier_name_wins_and_the_other_is_kept():
    votes = [Vote("cup", "a", 0.7), Vote("bowl", "b", 0.4)]
    assert elect(votes) == ("cup", ("bowl",))


def test_names_of_one_noun_do_not_split_their_votes():
    votes = [Vote("cup", "a", 0.4), Vote("red cup", "b", 0.4), Vote("bowl", "c", 0.6)]
    assert elect(votes) == ("red cup", ("bowl",))


def test_one_source_counts_once_for_a_name():
    votes = [Vote("cup", "a", 0.3), Vote("cup", "a", 0.3), Vote("bowl", "b", 0.5)]
    assert elect(votes)[0] == "bowl"


def test_the_generic_name_wins_only_alone():
    assert elect([Vote("object", "a", 0.9), Vote("cup", "b", 0.1)])[0] == "cup"
    assert elect([Vote("object", "a", 0.9)])[0] == "object"


def test_belief_grows_with_witnesses_and_not_with_hits_of_one():
    one, two = Vote("cup", "a", 0.5), Vote("cup", "b", 0.5)
    assert belief([one, two]) == pytest.approx(0.75)
    assert belief([one, Vote("mug", "a", 0.5)]) == pytest.approx(0.5)
