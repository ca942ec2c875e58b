"""Is it time to retrain: a decision from a policy's terms and what is the case now."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Terms:
    """A trigger that is 0 is off, a budget that is 0 has no limit. ``hpa_drop`` 0..1; budgets are for 30 days."""

    is_enabled: bool = True
    every_layers: int = 0
    every_days: int = 0
    hpa_drop: float = 0.0
    cooldown_hours: float = 0.0
    budget_runs: int = 0
    budget_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """``new_layers``: accepted since the last run. ``runs`` and ``minutes`` of policy runs in the last 30 days."""

    now: datetime
    new_layers: int = 0
    last_start: datetime | None = None
    first_accepted: datetime | None = None
    hpa_drop: float | None = None
    is_live: bool = False
    runs: int = 0
    minutes: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """``triggers``: what asks for a run. ``obstacles``: what forbids one. ``not_before``: the end of the cool-down."""

    triggers: list[str] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    not_before: datetime | None = None

    @property
    def is_due(self) -> bool:
        return bool(self.triggers) and not self.obstacles

    @property
    def cause(self) -> str:
        return "; ".join(self.triggers)


def plan(terms: Terms, facts: Facts) -> Plan:
    """Due when something asks for a run and nothing forbids one."""
    cooled = facts.last_start + timedelta(hours=terms.cooldown_hours) if facts.last_start else None
    return Plan(_triggers(terms, facts), _obstacles(terms, facts, cooled), cooled)


def _triggers(terms: Terms, facts: Facts) -> list[str]:
    found = []
    if terms.every_layers and facts.new_layers >= terms.every_layers:
        found.append(f"{facts.new_layers} newly accepted layers, {terms.every_layers} are enough")
    since = facts.last_start or facts.first_accepted
    if terms.every_days and since is not None and facts.now - since >= timedelta(days=terms.every_days):
        found.append(f"{(facts.now - since).days} days since the last run, {terms.every_days} are enough")
    if terms.hpa_drop and facts.hpa_drop is not None and facts.hpa_drop >= terms.hpa_drop:
        found.append(f"HPA fell by {facts.hpa_drop:.3f}, {terms.hpa_drop:.3f} is enough")
    return found


def _obstacles(terms: Terms, facts: Facts, cooled: datetime | None) -> list[str]:
    found = []
    if not terms.is_enabled:
        found.append("the policy is switched off")
    if not facts.new_layers:
        found.append("no layer was accepted since the last run")
    if facts.is_live:
        found.append("a run is under way")
    if cooled is not None and facts.now < cooled:
        found.append(f"cooling down until {cooled:%Y-%m-%d %H:%M} UTC")
    if terms.budget_runs and facts.runs >= terms.budget_runs:
        found.append(f"the budget of {terms.budget_runs} runs in 30 days is used up")
    if terms.budget_minutes and facts.minutes >= terms.budget_minutes:
        found.append(f"the budget of {terms.budget_minutes} minutes in 30 days is used up")
    return found
