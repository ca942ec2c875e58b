from dataclasses import replace

import pytest

from evaluation.degrade import LADDERS
from evaluation.features.alexnet import FixedSeedEncoder
from evaluation.features.networks import load
from evaluation.ladder import BLIND, FAILS, ORDERED, PARTLY, UNDEFINED, climb, judge, markdown
from evaluation.scoring import Protocol
from tests.evaluation.pairs import composite_pairs


@pytest.mark.parametrize(
    ("values", "better", "verdict"),
    [
        ((0, 1, 2, 3), "lower", ORDERED),
        ((1, 0.5, 0.2), "higher", ORDERED),
        ((0, 2, 1, 3), "lower", FAILS),
        ((0, 1, 2), "higher", FAILS),
        ((0, 1, 1, 2), "lower", PARTLY),
        ((0, 0, 0), "lower", BLIND),
        ((0, None, 1), "lower", UNDEFINED),
    ],
)
def test_verdicts(values, better, verdict):
    assert judge(values, better) == verdict


@pytest.fixture(scope="module")
def climbs(tmp_path_factory):
    """Six ladders of three grades over the pairs of five composites, by the offline networks at half their size."""
    networks = replace(
        load(offline=True, folder=tmp_path_factory.mktemp("none")),
        completion=FixedSeedEncoder(4, 64),
        fidelity=FixedSeedEncoder(1, 64),
        cmmd=FixedSeedEncoder(1, 64),
    )
    return climb(composite_pairs(5), networks, protocol=Protocol(batch=16, groups=0))


def test_hpa_orders_every_ladder_on_both_boards(climbs):
    verdicts = {(one.board, one.ladder): (one.verdict, one.values) for one in climbs if one.metric == "hpa"}
    assert len(verdicts) == len(LADDERS) + sum(ladder.backgrounds_too for ladder in LADDERS)
    assert {key: found for key, found in verdicts.items() if found[0] != ORDERED} == {}


def test_the_truth_itself_has_hpa_one(climbs):
    assert [one.values[0] for one in climbs if one.metric == "hpa"] == pytest.approx([1.0] * 10)


def test_preservation_is_rightly_blind_to_the_hidden_part(climbs):
    blind = {one.verdict for one in climbs if one.metric == "s_vis" and one.ladder in ("hole left", "wrong completion")}
    assert blind == {BLIND}


def test_fidelity_on_the_own_background_is_reported_for_missing_the_halo(climbs):
    own, grey = (
        next(one for one in climbs if (one.ladder, one.metric, one.board) == ("halo", metric, "foreground"))
        for metric in ("s_fid_own", "s_fid")
    )
    assert grey.verdict == ORDERED
    assert own.verdict != ORDERED
    assert f"| {own.verdict} |" in markdown(climbs)
