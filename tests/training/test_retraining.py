"""The laws of a retrain policy: nothing starts without a reason, and no reason breaks a limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.mixing import BadMix, Mix, mix_from_json
from training.retraining import Facts, Terms, plan

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
hours = st.floats(0, 2000)
moments = st.none() | hours.map(lambda ago: NOW - timedelta(hours=ago))
terms = st.builds(
    Terms,
    is_enabled=st.booleans(),
    every_layers=st.integers(0, 50),
    every_days=st.integers(0, 30),
    hpa_drop=st.floats(0, 1),
    cooldown_hours=st.floats(0, 100),
    budget_runs=st.integers(0, 5),
    budget_minutes=st.integers(0, 100),
)
facts = st.builds(
    Facts,
    now=st.just(NOW),
    new_layers=st.integers(0, 100),
    last_start=moments,
    first_accepted=moments,
    hpa_drop=st.none() | st.floats(-1, 1),
    is_live=st.booleans(),
    runs=st.integers(0, 8),
    minutes=st.floats(0, 200),
)


@patient
@given(terms, facts)
def test_what_is_due_has_a_reason_and_breaks_no_limit(terms: Terms, facts: Facts) -> None:
    found = plan(terms, facts)
    if found.is_due:
        assert found.cause
        assert terms.is_enabled
        assert facts.new_layers > 0
        assert not facts.is_live
        assert facts.last_start is None or NOW - facts.last_start >= timedelta(hours=terms.cooldown_hours)
        assert not terms.budget_runs or facts.runs < terms.budget_runs
        assert not terms.budget_minutes or facts.minutes < terms.budget_minutes


@patient
@given(facts)
def test_a_policy_whose_triggers_are_off_never_starts_anything(facts: Facts) -> None:
    assert not plan(Terms(), facts).is_due


@patient
@given(terms, facts)
def test_more_new_layers_never_stop_a_run(terms: Terms, facts: Facts) -> None:
    if plan(terms, facts).is_due:
        assert plan(terms, replace(facts, new_layers=facts.new_layers + 1)).is_due


@patient
@given(terms, facts, st.floats(0, 500))
def test_once_due_a_policy_stays_due_as_time_goes_by(terms: Terms, facts: Facts, later: float) -> None:
    if plan(terms, facts).is_due:
        assert plan(terms, replace(facts, now=NOW + timedelta(hours=later))).is_due


@patient
@given(terms, facts)
def test_a_limit_that_is_lifted_never_stops_a_run(terms: Terms, facts: Facts) -> None:
    if plan(terms, facts).is_due:
        assert plan(replace(terms, cooldown_hours=0, budget_runs=0, budget_minutes=0), facts).is_due


@patient
@given(st.dictionaries(st.sampled_from(["validated", "automatic", "composite"]), st.floats() | st.booleans()))
def test_weights_make_sense_or_are_refused(weights: dict) -> None:
    try:
        mix = mix_from_json(weights)
    except BadMix:
        return
    assert min(mix.to_json().values()) >= 0
    assert sum(mix.to_json().values()) > 0
    assert mix_from_json(mix.to_json()) == mix


def test_without_a_word_people_count_more_than_composites() -> None:
    assert Mix().validated > Mix().composite > Mix().automatic == 0
