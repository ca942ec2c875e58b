from dataclasses import replace

import pytest

from evaluation.degrade import LADDERS
from evaluation.features.alexnet import FixedSeedEncoder
from evaluation.features.networks import load_variant
from evaluation.features.variants import OFFLINE, OFFLINE_TINY
from evaluation.ladder import BLIND, FAILS, ORDERED, PARTLY, UNDEFINED, climb, judge, main, markdown
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


def climbed(networks):
    """Six ladders of three grades over the pairs of five composites."""
    return climb(composite_pairs(5), networks, protocol=Protocol(batch=16, groups=0))


@pytest.fixture(scope="module")
def climbs():
    """By the fixed-seed networks at half their size."""
    whole, cells = FixedSeedEncoder(1, 64), FixedSeedEncoder(4, 64)
    return climbed(replace(load_variant(OFFLINE), completion=cells, fidelity=whole, cmmd=whole))


@pytest.fixture(scope="module")
def climbs_by_shipped_features():
    """As the product scores where nothing was downloaded and the shipped network's features are asked for."""
    return climbed(replace(load_variant(OFFLINE_TINY), cmmd=FixedSeedEncoder(1, 64)))


def hpas(climbs):
    return {(one.board, one.ladder): one for one in climbs if one.metric == "hpa"}


def test_hpa_orders_every_ladder_on_both_boards(climbs):
    found = hpas(climbs)
    assert len(found) == len(LADDERS) + sum(ladder.backgrounds_too for ladder in LADDERS)
    assert {key: one.values for key, one in found.items() if one.verdict != ORDERED} == {}


def test_hpa_by_the_shipped_trunks_features_orders_every_ladder(climbs_by_shipped_features):
    found = hpas(climbs_by_shipped_features)
    assert len(found) == 10
    assert {key: one.values for key, one in found.items() if one.verdict != ORDERED} == {}


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


def test_networks_that_are_not_here_are_wrong_use_and_say_what_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RLD_WEIGHTS", str(tmp_path))
    with pytest.raises(SystemExit) as stopped:
        main(["--networks", "published"])
    assert stopped.value.code == 2
    assert "run: python manage.py fetch_weights clip_openai_vit_b_32" in capsys.readouterr().err
