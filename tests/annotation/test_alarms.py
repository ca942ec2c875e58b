from random import Random

from annotation.alarms import FAST_MS, alarms

SHARES = {"accept": 0.7, "reject": 0.3}
CALM = [3000] * 100


def kinds(active_ms: list[int], decisions: list[str]) -> list[str]:
    return [alarm.kind for alarm in alarms(active_ms, decisions, SHARES)]


def test_honest_work_raises_no_alarm() -> None:
    rng = Random(3)
    for _ in range(200):
        assert kinds(CALM, rng.choices(list(SHARES), list(SHARES.values()), k=100)) == []


def test_a_median_too_short_to_look_is_flagged() -> None:
    mixed = ["accept", "accept", "reject"] * 10
    assert kinds([FAST_MS - 1] * 30, mixed) == ["too_fast"]
    assert kinds([FAST_MS] * 30, mixed) == []


def test_one_answer_all_along_is_flagged_for_a_rare_answer_and_later_for_a_common_one() -> None:
    assert kinds(CALM, ["reject"] * 25 + ["accept", "reject"] * 10) == ["straight_line"]
    assert kinds(CALM, ["accept"] * 25 + ["accept", "reject"] * 10) == []
    assert kinds(CALM, ["accept"] * 100) == ["straight_line"]


def test_a_beginner_is_left_alone() -> None:
    assert kinds([1] * 19, ["accept"] * 19) == []


def test_an_answer_that_everybody_always_gives_is_no_sign() -> None:
    assert alarms(CALM, ["accept"] * 100, {"accept": 1.0}) == []
