from collections import Counter
from collections.abc import Sequence
from random import Random

import evalica
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, spearmanr

from annotation.agreement import Consensus, alpha, consensus, raw_agreement, share
from annotation.simulated import crowd

judgements = st.lists(st.booleans(), max_size=12)
needed = st.integers(1, 9)


def patterns(units: Sequence[Sequence[bool]]) -> Counter[tuple[int, int]]:
    return Counter((sum(unit), len(unit)) for unit in units)


@pytest.mark.parametrize("accepts", [True, False])
def test_one_needed_judgement_decides(accepts: bool) -> None:
    assert consensus([accepts], 1) == Consensus(accepts, 0)


def test_two_that_disagree_ask_for_a_third_which_decides() -> None:
    assert consensus([True, False], 2) == Consensus(None, 1)
    assert consensus([True, False, False], 2) == Consensus(False, 0)


def test_three_needed_wait_for_the_third_even_when_two_agree() -> None:
    assert consensus([True, True], 3) == Consensus(None, 1)


def test_fewer_than_one_needed_judgement_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        consensus([], 0)


@given(judgements, needed)
def test_no_layer_is_settled_short_of_the_needed_number(accepts: list[bool], needed: int) -> None:
    if len(accepts) < needed:
        assert consensus(accepts, needed) == Consensus(None, needed - len(accepts))


@given(judgements, needed)
def test_either_it_is_settled_or_more_are_needed(accepts: list[bool], needed: int) -> None:
    result = consensus(accepts, needed)
    assert (result.is_accepted is None) == (result.more > 0)


@given(judgements, needed)
def test_the_order_of_judgements_does_not_matter(accepts: list[bool], needed: int) -> None:
    assert consensus(accepts, needed) == consensus(sorted(accepts), needed)


@given(judgements, needed)
def test_turning_every_judgement_turns_the_result(accepts: list[bool], needed: int) -> None:
    result, turned = consensus(accepts, needed), consensus([not accept for accept in accepts], needed)
    assert turned.more == result.more
    assert turned.is_accepted == (None if result.is_accepted is None else not result.is_accepted)


@given(judgements, needed, st.booleans())
def test_as_many_more_as_asked_settle_it_when_they_agree(accepts: list[bool], needed: int, last: bool) -> None:
    result = consensus(accepts, needed)
    after = consensus(accepts + [last] * result.more, needed)
    assert after.is_accepted is not None or after.more == 1


def test_alpha_and_raw_agreement_of_a_table_counted_by_hand() -> None:
    units = [[True, True], [True, True], [False, False], [True, False], [True]]
    measured, raw = alpha(patterns(units)), raw_agreement(patterns(units))
    assert measured is not None
    assert raw is not None
    # Observed disagreement 2 of 8; expected 2 * 5 * 3 of 8 * 7.
    assert measured.value == pytest.approx(1 - (2 / 8) / (30 / 56))
    assert (raw.value, raw.n) == (3 / 4, 4)


def test_alpha_equals_that_of_evalica() -> None:
    rng = Random(5)
    units = [[rng.random() < 0.7 for _ in range(rng.randint(1, 4))] for _ in range(200)]
    table = pandas.DataFrame({n: pandas.Series(unit, dtype=float) for n, unit in enumerate(units) if len(unit) > 1})
    measured = alpha(patterns(units))
    assert measured is not None
    assert measured.value == pytest.approx(evalica.alpha(table).alpha, abs=1e-12)


@pytest.mark.parametrize("units", [[], [[True], [False]], [[True, True]] * 9, [[True, False]]])
def test_alpha_says_nothing_where_it_has_no_meaning(units: list[list[bool]]) -> None:
    assert alpha(patterns(units)) is None


def test_raw_agreement_needs_a_pair() -> None:
    assert raw_agreement(patterns([[True], []])) is None


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_share_lies_in_its_interval_and_that_in_0_to_1(counts: tuple[int, int]) -> None:
    measured = share(*counts)
    assert 0 <= measured.low <= measured.value <= measured.high <= 1


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_of_a_share_is_wilsons(counts: tuple[int, int]) -> None:
    interval = binomtest(*counts).proportion_ci(method="wilson")
    measured = share(*counts)
    assert (measured.low, measured.high) == pytest.approx((interval.low, interval.high), abs=1e-12)


@pytest.mark.parametrize("counts", [(0, 0), (2, 1), (-1, 3)])
def test_a_share_of_nothing_is_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is no share"):
        share(*counts)


def judged_by_a_crowd(seed: int, items: int, size: int) -> tuple[list[bool], list[list[bool]]]:
    """Truths, and for each item what each of ``size`` people with error rates of 2 to 20 % says."""
    people = crowd(size, seed)
    truths = [Random(f"{seed}/{item}").random() < 0.7 for item in range(items)]
    said = [[p.says(str(item), truth)[0] == "accept" for p in people] for item, truth in enumerate(truths)]
    return truths, said


@pytest.mark.parametrize("judgements", [2, 3])
def test_the_interval_of_alpha_covers_the_true_one_as_often_as_it_says(judgements: int) -> None:
    rates = [person.error_rate for person in crowd(judgements, 0)]
    pairs = [(a, b) for number, a in enumerate(rates) for b in rates[number + 1 :]]
    disagreement = sum(a * (1 - b) + b * (1 - a) for a, b in pairs) / len(pairs)
    accepted = sum(0.7 * (1 - rate) + 0.3 * rate for rate in rates) / len(rates)
    true_alpha = 1 - disagreement / (2 * accepted * (1 - accepted))
    measured = [alpha(patterns(judged_by_a_crowd(seed, 300, judgements)[1])) for seed in range(60)]
    # 95 % of 60 is 57; fewer than 52 has a chance below one in a hundred.
    assert sum(m is not None and m.low <= true_alpha <= m.high for m in measured) >= 52


def test_300_gold_items_rank_people_by_their_true_error() -> None:
    for seed in range(5):
        truths, said = judged_by_a_crowd(seed, 300, 10)
        right = [share(sum(row[p] == t for row, t in zip(said, truths, strict=True)), 300).value for p in range(10)]
        assert spearmanr(right, [1 - person.error_rate for person in crowd(10, seed)]).statistic >= 0.9


def test_two_and_a_third_on_conflict_err_less_than_the_best_single_person_expects() -> None:
    truths, said = judged_by_a_crowd(7, 3000, 3)
    wrong = third = 0
    for truth, row in zip(truths, said, strict=True):
        result = consensus(row[:2], 2)
        third += result.more
        settled = consensus(row, 2) if result.is_accepted is None else result
        wrong += settled.is_accepted is not truth
    # Errors 2, 11 and 20 %: both of the first wrong, or one of them and the third.
    expected = 0.02 * 0.11 + (0.02 * 0.89 + 0.98 * 0.11) * 0.2
    assert wrong / 3000 == pytest.approx(expected, abs=0.01)
    assert third / 3000 == pytest.approx(0.02 * 0.89 + 0.98 * 0.11, abs=0.02)
