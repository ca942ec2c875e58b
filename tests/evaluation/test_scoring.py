from dataclasses import replace

import numpy as np
import pytest

from engine.records import LayerKind
from evaluation.features.alexnet import FixedSeedEncoder
from evaluation.features.networks import load
from evaluation.metrics.hpa import EQUAL, WrongBounds
from evaluation.scoring import Protocol, Scorer, score, trivial
from tests.evaluation.pairs import composite_pairs, square_pair


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    small = {name: FixedSeedEncoder(1, 64) for name in ("completion", "fidelity", "cmmd")}
    return replace(load(offline=True, folder=tmp_path_factory.mktemp("none")), **small)


@pytest.fixture(scope="module")
def pairs():
    return [replace(pair, predicted_hwc=brighter(pair.truth_hwc)) for pair in composite_pairs(3)]


@pytest.fixture(scope="module")
def scores(pairs, networks):
    return score(pairs, networks, Protocol(batch=4, groups=0))


def brighter(rgba_hwc):
    out = rgba_hwc.copy()
    out[..., :3] = np.minimum(out[..., :3].astype(int) + 25, 255)
    return out


def test_the_two_boards_are_never_averaged(scores, pairs):
    foreground, background = scores.boards
    assert (foreground.kind, background.kind) == (LayerKind.FOREGROUND, LayerKind.BACKGROUND)
    assert len(background.names) == 3
    assert set(foreground.names) | set(background.names) == {pair.name for pair in pairs}
    assert foreground.results["s_vis"].n + background.results["s_vis"].n == len(pairs)


def test_hpa_is_the_mean_of_the_axes_between_the_bounds(scores):
    board = scores.boards[0]
    bounds = board.hpa.bounds
    by_hand = [
        1 - board.results["s_vis"].value / bounds.s_vis.bad,
        board.results["s_gen"].value,
        1 - board.results["s_fid"].value / bounds.s_fid.bad,
    ]
    assert board.hpa.value == pytest.approx(sum(by_hand) / 3)
    assert board.hpa.weights == EQUAL


def test_hpa_has_an_interval_that_holds_it_and_none_without_groups(pairs, networks, scores):
    found = score(pairs, networks, Protocol(groups=20)).boards[0].hpa
    assert found.low < found.value < found.high
    assert (scores.boards[0].hpa.low, scores.boards[0].hpa.high) == (None, None)


def test_the_flat_layer_is_at_zero_of_its_own_bounds(networks):
    board = score([trivial(pair) for pair in composite_pairs(3)], networks, Protocol(groups=0)).boards[0]
    assert board.hpa.axes["s_vis"] == pytest.approx(0, abs=1e-4)
    assert board.hpa.axes["s_fid"] == pytest.approx(0, abs=1e-4)


def test_bounds_depend_on_the_truth_and_not_on_who_is_scored(scores, networks):
    perfect = score(composite_pairs(3), networks, Protocol(batch=4, groups=0))
    assert perfect.benchmark == scores.benchmark
    assert perfect.boards[0].hpa.bounds == scores.boards[0].hpa.bounds
    assert perfect.boards[0].hpa.value == pytest.approx(1, abs=1e-6)
    other = score(composite_pairs(2), networks, Protocol(groups=0))
    assert other.boards[0].hpa.bounds.version != scores.boards[0].hpa.bounds.version


def test_given_bounds_and_weights_are_used(scores, pairs, networks):
    bounds = {"foreground": replace(scores.boards[0].hpa.bounds, version="frozen")}
    weights = {"foreground": {"s_vis": 1.0, "s_gen": 0.0, "s_fid": 0.0}}
    board = score(pairs, networks, Protocol(groups=0), bounds, weights).boards[0]
    assert board.hpa.bounds.version == "frozen"
    assert board.hpa.value == pytest.approx(board.hpa.axes["s_vis"])


def test_bounds_of_other_networks_are_refused(scores, pairs, networks):
    foreign = replace(scores.boards[0].hpa.bounds, networks={"s_vis": "x"})
    with pytest.raises(WrongBounds):
        score(pairs, networks, Protocol(groups=0), {"foreground": foreign})


def test_slices_cover_the_board_once_per_dimension(scores):
    board = scores.boards[0]
    for dimension in ("hidden", "category", "prompt"):
        parts = [part for part in board.slices if part.dimension == dimension]
        assert sum(part.n for part in parts) == len(board.names)
        assert all(part.results["s_vis"].n <= part.n for part in parts)


def test_a_board_of_one_layer_has_no_hpa_and_says_why(networks):
    board = score([square_pair()], networks, Protocol(groups=0)).boards[0]
    assert (board.hpa.value, board.hpa.reason) == (None, "s_fid undefined")


def test_the_next_producer_may_keep_the_truths(scores, networks, pairs):
    scorer = Scorer(networks, Protocol(batch=4, groups=0))
    scorer.update(composite_pairs(3))
    scorer.reset(keep_truths=True)
    scorer.update(pairs)
    again = scorer.compute().boards[0]
    assert again.hpa.value == pytest.approx(scores.boards[0].hpa.value, rel=1e-5)


def test_another_truth_under_a_kept_name_is_refused(networks):
    scorer = Scorer(networks, Protocol(groups=0))
    scorer.update([square_pair()])
    scorer.reset(keep_truths=True)
    with pytest.raises(ValueError, match="another truth"):
        scorer.update([square_pair(hidden_px=3)])


def test_progress_counts_pairs(networks):
    seen = []
    score(composite_pairs(2)[:5], networks, Protocol(batch=2, groups=0), on_progress=seen.append)
    assert seen == [2, 4, 5]
