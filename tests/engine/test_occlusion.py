import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import occlusion


def rectangle(x0, y0, x1, y1, size=48):
    mask = np.zeros((size, size), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def paint(rectangles, size=48):
    """Visible masks of rectangles given front to back."""
    above = np.zeros((size, size), bool)
    masks = []
    for x, y, w, h in rectangles:
        mask = rectangle(x, y, min(size, x + w), min(size, y + h), size)
        masks.append(mask & ~above)
        above |= mask
    return masks


@st.composite
def visible_masks(draw):
    box = st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(4, 24)] * 2)
    return [mask for mask in paint(draw(st.lists(box, min_size=1, max_size=5))) if mask.any()]


edges_of_five = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.floats(0.02, 1.0)).filter(lambda e: e[0] != e[1]), max_size=12
)
KEYS = [(float(i),) for i in range(5)]


def test_a_bitten_object_lies_behind_the_one_that_bites():
    front, behind = paint([(20, 20, 20, 20), (5, 5, 25, 25)])
    assert occlusion.order([behind, front]).edges[0][:2] == (1, 0)


def test_an_object_inside_the_outline_of_a_large_one_is_in_front():
    front, behind = paint([(16, 16, 8, 8), (4, 4, 36, 36)])
    assert occlusion.order([behind, front]).ranking == (1, 0)


def test_a_large_object_that_bites_a_small_one_is_in_front():
    large, small = paint([(4, 4, 28, 28), (26, 26, 12, 12)])
    assert occlusion.order([small, large]).ranking == (1, 0)


def test_pixels_count_alike_whoever_loses_them():
    """Divided by each one's own size, the few pixels of the small object would outweigh the many of the large one."""
    notch = rectangle(18, 18, 20, 20)
    large, small = rectangle(0, 0, 40, 20) & ~notch, rectangle(10, 20, 30, 26) | notch
    assert occlusion.hull_evidence(large, small) > 0.05


def test_a_trace_of_evidence_is_noise_of_the_edges():
    bump = rectangle(159, 20, 160, 21, 320)
    left, right = rectangle(0, 0, 160, 40, 320) & ~bump, rectangle(160, 0, 320, 40, 320) | bump
    assert occlusion.hull_evidence(left, right) != 0
    assert occlusion.order([left, right]).edges == ()


def test_objects_apart_get_no_edge_even_when_hulls_overlap():
    ring = rectangle(2, 2, 46, 46) & ~rectangle(8, 8, 40, 40)
    assert occlusion.order([ring, rectangle(18, 18, 30, 30)]).edges == ()


def test_objects_that_merely_touch_get_no_edge():
    assert occlusion.order([rectangle(0, 0, 20, 20), rectangle(20, 0, 40, 20)]).edges == ()


def test_untied_objects_are_ranked_smaller_first():
    assert occlusion.order([rectangle(0, 0, 20, 20), rectangle(30, 30, 40, 40)]).ranking == (1, 0)


def test_untied_objects_of_one_size_are_ranked_from_the_top_then_from_the_left():
    upper, lower, right = rectangle(0, 0, 10, 10), rectangle(0, 20, 10, 30), rectangle(20, 20, 30, 30)
    assert occlusion.order([right, lower, upper]).ranking == (2, 1, 0)


def test_no_masks_give_an_empty_order():
    assert occlusion.order([]) == occlusion.Order((), (), 0)


def test_a_cycle_loses_its_least_confident_edge():
    edges = [(0, 1, 0.9), (1, 2, 0.8), (2, 0, 0.1), (3, 4, 0.05)]
    assert occlusion.break_cycles(edges, 5, KEYS) == [(0, 1, 0.9), (1, 2, 0.8), (3, 4, 0.05)]


def test_a_weave_where_each_strip_crosses_the_next_is_broken_into_an_order():
    strips = [rectangle(4, 10, 44, 16), rectangle(10, 4, 16, 44), rectangle(4, 30, 44, 36), rectangle(30, 4, 36, 44)]
    woven = [strip & ~strips[k - 1] for k, strip in enumerate(strips)]
    found = occlusion.order(woven)
    assert found.cycles_broken == 1
    assert len(found.edges) == 3


def test_topological_order_refuses_a_cycle():
    with pytest.raises(ValueError, match="cycle"):
        occlusion.topological_order([(0, 1, 1.0), (1, 0, 1.0)], KEYS[:2])


@given(visible_masks(), st.data())
@settings(max_examples=40, deadline=None)
def test_hull_evidence_is_antisymmetric_and_bounded(masks, data):
    a, b = data.draw(st.sampled_from(masks)), data.draw(st.sampled_from(masks))
    assert occlusion.hull_evidence(a, b) == -occlusion.hull_evidence(b, a)
    assert abs(occlusion.hull_evidence(a, b)) <= 1.0


@given(edges_of_five)
@settings(max_examples=100, deadline=None)
def test_any_graph_becomes_acyclic_and_its_ranking_respects_every_edge(edges):
    kept = occlusion.break_cycles(edges, 5, KEYS)
    ranking = occlusion.topological_order(kept, KEYS)
    assert sorted(ranking) == list(range(5))
    assert all(ranking.index(front) < ranking.index(behind) for front, behind, _ in kept)


@given(visible_masks())
@settings(max_examples=40, deadline=None)
def test_ranking_holds_every_mask_once_and_respects_every_edge(masks):
    found = occlusion.order(masks)
    assert sorted(found.ranking) == list(range(len(masks)))
    assert all(found.ranking.index(front) < found.ranking.index(behind) for front, behind, _ in found.edges)


@given(visible_masks(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_order_does_not_depend_on_the_order_of_the_input(masks, random):
    shuffled = list(range(len(masks)))
    random.shuffle(shuffled)
    plain = occlusion.order(masks)
    mixed = occlusion.order([masks[k] for k in shuffled])
    assert [shuffled[k] for k in mixed.ranking] == list(plain.ranking)
    assert sorted((shuffled[a], shuffled[b], c) for a, b, c in mixed.edges) == list(plain.edges)


def test_a_box_that_reaches_under_a_neighbour_puts_its_object_behind():
    front, behind = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    front[5:35, 10:30] = True
    behind[5:35, 30:45] = True
    assert occlusion.order([front, behind]).edges == ()
    assert occlusion.order([front, behind], [(10, 5, 30, 35), (20, 5, 45, 35)]).ranking == (0, 1)
    assert occlusion.order([front, behind], [(10, 5, 40, 35), (30, 5, 45, 35)]).ranking == (1, 0)
