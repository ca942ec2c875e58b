import numpy as np
import pytest

from engine.box_fusion import Candidate, box_iou, fuse
from engine.labels import Vote


def seen(box, label="cup", source="a", score=0.5, mask=None):
    return Candidate(box, score, (Vote(label, source, score),), mask)


def test_two_sources_give_one_candidate_with_both_votes_and_a_box_between():
    (one,) = fuse([seen((0, 0, 10, 10), score=0.6), seen((1, 0, 11, 10), source="b", score=0.3)])
    assert one.box == pytest.approx((1 / 3, 0, 31 / 3, 10))
    assert {vote.source for vote in one.votes} == {"a", "b"}
    assert one.score == pytest.approx(1 - 0.4 * 0.7)


def test_two_hits_of_one_source_are_no_second_witness():
    (one,) = fuse([seen((0, 0, 10, 10)), seen((0, 0, 10, 11))])
    assert one.score == pytest.approx(0.5)


def test_two_names_on_loosely_overlapping_boxes_are_two_objects():
    assert len(fuse([seen((0, 0, 10, 10)), seen((2, 0, 12, 10), "plate", "b")])) == 2


def test_two_names_on_the_same_box_are_one_object_with_two_opinions():
    (one,) = fuse([seen((0, 0, 10, 10)), seen((0, 0, 10, 10.5), "bowl", "b")])
    assert {vote.label for vote in one.votes} == {"cup", "bowl"}


def test_neighbours_of_one_name_stay_two():
    assert len(fuse([seen((0, 0, 10, 10)), seen((8, 0, 18, 10))])) == 2


def test_a_mask_comes_from_the_best_that_has_one():
    mask = np.ones((20, 20), bool)
    (one,) = fuse([seen((0, 0, 10, 10), score=0.9), seen((0, 0, 10, 10), source="b", score=0.3, mask=mask)])
    assert one.mask_hw is mask


def test_the_order_of_the_input_does_not_matter():
    many = [seen((x, 0, x + 10, 10), source=s, score=p) for x, s, p in [(0, "a", 0.5), (1, "b", 0.4), (30, "a", 0.9)]]
    assert [(c.box, c.score) for c in fuse(many)] == [(c.box, c.score) for c in fuse(many[::-1])]


def test_nothing_fuses_to_nothing():
    assert fuse([]) == []
    assert box_iou((0, 0, 1, 1), (5, 5, 6, 6)) == 0.0
