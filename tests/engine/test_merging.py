import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.imaging import box_of
from engine.labels import Vote, agree, is_part_noun
from engine.merging import (
    Detection,
    drop_groups,
    drop_parts,
    give_to_front,
    make_disjoint,
    merge_duplicates,
    tidy,
)

SIZE = 40
mask_stacks = st.integers(1, 4).flatmap(lambda n: arrays(bool, (n, 12, 12)))


def rectangle(x0, y0, x1, y1):
    mask = np.zeros((SIZE, SIZE), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def detection(mask, score=0.5, label="object", source="saliency"):
    return Detection(label, score, source, box_of(mask), mask)


def test_of_two_duplicates_the_higher_score_keeps_its_mask():
    worse, better = detection(rectangle(0, 0, 20, 20), 0.4), detection(rectangle(0, 0, 20, 19), 0.6)
    merged = merge_duplicates([worse, better])
    assert [d.mask_hw.sum() for d in merged] == [380]


def test_agreement_of_two_sources_raises_the_score_and_is_named_merged():
    (merged,) = merge_duplicates(
        [detection(rectangle(0, 0, 20, 20), 0.5), detection(rectangle(0, 0, 20, 20), 0.4, source="hog")]
    )
    assert (merged.score, merged.source) == (0.7, "merged")


def test_two_hits_of_one_source_are_no_second_witness():
    (merged,) = merge_duplicates([detection(rectangle(0, 0, 20, 20), 0.5)] * 2)
    assert (merged.score, merged.source) == (0.5, "saliency")


def test_a_name_replaces_the_generic_label_of_a_duplicate():
    plain, named = detection(rectangle(0, 0, 20, 20), 0.6), detection(rectangle(0, 0, 20, 20), 0.5, "person", "hog")
    assert [d.label for d in merge_duplicates([plain, named])] == ["person"]


def test_masks_that_overlap_by_half_are_two_objects():
    assert len(merge_duplicates([detection(rectangle(0, 0, 20, 20)), detection(rectangle(10, 0, 30, 20))])) == 2


def test_a_part_inside_a_whole_is_dropped():
    whole, part = detection(rectangle(0, 0, 30, 30), 0.2), detection(rectangle(5, 5, 15, 15), 0.9)
    assert drop_parts([whole, part]) == [whole]


def test_a_face_is_a_part_of_a_person():
    whole, part = detection(rectangle(0, 0, 30, 30), label="person"), detection(rectangle(5, 5, 15, 15), label="face")
    assert drop_parts([whole, part]) == [whole]


def test_two_different_names_are_two_objects_even_when_one_lies_inside():
    table, cup = detection(rectangle(0, 0, 30, 30), label="table"), detection(rectangle(5, 5, 15, 15), label="cup")
    assert drop_parts([table, cup]) == [table, cup]


def test_a_small_mask_that_lies_mostly_outside_is_no_part():
    large, small = detection(rectangle(10, 0, 40, 40)), detection(rectangle(0, 0, 15, 15))
    assert drop_parts([large, small]) == [large, small]


def test_an_inner_mask_nearly_as_large_is_no_part():
    outer, inner = detection(rectangle(0, 0, 30, 30)), detection(rectangle(0, 0, 30, 25))
    assert drop_parts([outer, inner]) == [outer, inner]


def test_a_mask_that_is_only_its_members_is_dropped_as_a_group():
    left, right = (
        detection(rectangle(0, 0, 15, 20), label="person"),
        detection(rectangle(15, 0, 30, 20), label="person"),
    )
    group = detection(rectangle(0, 0, 30, 20), 0.9, "person")
    assert drop_groups([group, left, right]) == [left, right]


def test_members_of_another_label_make_no_group():
    left, right = detection(rectangle(0, 0, 15, 20), label="cup"), detection(rectangle(15, 0, 30, 20), label="cup")
    table = detection(rectangle(0, 0, 30, 20), 0.9, "table")
    assert drop_groups([table, left, right]) == [table, left, right]


def test_members_that_reach_far_out_of_it_make_no_group():
    left, right = detection(rectangle(3, 0, 15, 20)), detection(rectangle(15, 0, 27, 20))
    whole = detection(rectangle(5, 0, 25, 20), 0.9)
    assert drop_groups([whole, left, right]) == [whole, left, right]


def test_members_that_leave_much_uncovered_make_no_group():
    left, right = detection(rectangle(0, 0, 10, 20)), detection(rectangle(20, 0, 30, 20))
    whole = detection(rectangle(0, 0, 30, 20), 0.9)
    assert drop_groups([whole, left, right]) == [whole, left, right]


def test_overlapping_hits_on_one_half_make_no_group():
    first, second = detection(rectangle(0, 0, 20, 20)), detection(rectangle(10, 0, 30, 20))
    whole = detection(rectangle(0, 0, 30, 20), 0.9)
    assert drop_groups([whole, first, second]) == [whole, first, second]


def test_a_hit_on_nearly_all_of_it_and_one_on_the_rest_make_no_group():
    most, rest = detection(rectangle(0, 0, 24, 20)), detection(rectangle(24, 0, 30, 20))
    whole = detection(rectangle(0, 0, 30, 20), 0.9)
    assert drop_groups([whole, most, rest]) == [whole, most, rest]


def test_contested_pixels_go_to_the_preferred_owner():
    a, b = rectangle(0, 0, 20, 20), rectangle(10, 0, 30, 20)
    mine, yours = make_disjoint([a, b], np.ones((SIZE, SIZE), int))
    assert (mine.sum(), yours.sum()) == (200, 400)


def test_a_contested_pixel_whose_preferred_owner_does_not_claim_it_goes_to_the_smallest():
    large, small, absent = rectangle(0, 0, 30, 30), rectangle(5, 5, 15, 15), rectangle(35, 35, 40, 40)
    parts = make_disjoint([large, small, absent], np.full((SIZE, SIZE), 2))
    assert [part.sum() for part in parts] == [800, 100, 25]


def test_the_smallest_claimant_gets_it_though_the_larger_one_would_keep_most_of_its_pixels():
    large, small, absent = rectangle(0, 0, 30, 30), rectangle(20, 0, 40, 20), rectangle(35, 35, 40, 40)
    parts = make_disjoint([large, small, absent], np.full((SIZE, SIZE), 2))
    assert [part.sum() for part in parts] == [700, 400, 25]


def test_a_mask_that_would_lose_nearly_all_its_pixels_gets_them_back():
    large, small = rectangle(0, 0, 30, 30), rectangle(5, 5, 15, 15)
    parts = make_disjoint([large, small], np.zeros((SIZE, SIZE), int))
    assert [part.sum() for part in parts] == [800, 100]


@given(mask_stacks, st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_disjoint_masks_share_nothing_lose_nothing_and_never_grow(masks, owner):
    parts = make_disjoint(list(masks), np.full((12, 12), owner))
    assert np.sum(parts, axis=0).max() <= 1
    assert np.array_equal(np.any(parts, axis=0), masks.any(axis=0))
    assert not any((part & ~mask).any() for part, mask in zip(parts, masks, strict=True))


def test_small_islands_go_and_the_largest_stays():
    assert np.array_equal(tidy(rectangle(0, 0, 20, 20) | rectangle(30, 30, 33, 33)), rectangle(0, 0, 20, 20))


def test_a_mask_smaller_than_any_bound_keeps_its_largest_island():
    assert np.array_equal(tidy(rectangle(0, 0, 3, 3) | rectangle(30, 30, 32, 32)), rectangle(0, 0, 3, 3))


def test_large_islands_stay():
    two = rectangle(0, 0, 10, 10) | rectangle(20, 20, 30, 30)
    assert np.array_equal(tidy(two), two)


def test_small_holes_are_filled_and_large_ones_stay_open():
    block = rectangle(0, 0, 30, 30)
    holed = block & ~rectangle(2, 2, 4, 4) & ~rectangle(10, 10, 20, 20)
    assert np.array_equal(tidy(holed), block & ~rectangle(10, 10, 20, 20))


def test_a_hole_that_belongs_to_another_object_stays_open():
    other = rectangle(2, 2, 4, 4)
    holed = rectangle(0, 0, 30, 30) & ~other
    assert np.array_equal(tidy(holed, other), holed)


def voted(mask, label, source, weight):
    return Detection(label, weight, source, box_of(mask), mask, votes=(Vote(label, source, weight),))


def test_duplicates_of_several_sources_elect_their_label_together():
    twins = [
        voted(rectangle(0, 0, 20, 20), "bowl", "a", 0.6),
        voted(rectangle(0, 0, 20, 19), "cup", "b", 0.5),
        voted(rectangle(0, 0, 19, 20), "red cup", "c", 0.4),
    ]
    (merged,) = merge_duplicates(twins)
    assert (merged.label, merged.source) == ("red cup", "merged")
    assert merged.score == pytest.approx(1 - 0.4 * 0.5 * 0.6)


def test_a_part_noun_inside_its_whole_is_dropped_when_names_decide():
    car, wheel = detection(rectangle(0, 0, 30, 30), label="car"), detection(rectangle(5, 20, 12, 28), label="wheel")
    assert drop_parts([car, wheel]) == [car, wheel]
    assert drop_parts([car, wheel], can_be_part=is_part_noun) == [car]


def test_a_group_under_another_word_for_the_same_is_dropped_when_names_decide():
    left, right = (
        detection(rectangle(0, 0, 15, 20), label="man"),
        detection(rectangle(15, 0, 30, 20), label="woman"),
    )
    group = detection(rectangle(0, 0, 30, 20), 0.9, "people")
    assert len(drop_groups([group, left, right])) == 3
    assert drop_groups([group, left, right], alike=agree) == [left, right]


def test_pixels_that_both_claim_go_to_the_one_in_front():
    a, b = rectangle(0, 0, 20, 20), rectangle(10, 0, 30, 20)
    parts = [a, b & ~a]
    front_b, front_a = give_to_front([a, b], parts, [(1, 0)]), give_to_front([a, b], parts, [(0, 1)])
    assert (front_b[1] == b).all()
    assert not (front_b[0] & b).any()
    assert (front_a[0] == a).all()


def test_nobody_loses_all_pixels_to_the_one_in_front():
    a, b = rectangle(0, 0, 20, 20), rectangle(5, 5, 10, 10)
    parts = give_to_front([a, b], [a & ~b, b], [(0, 1)])
    assert parts[1].any()
