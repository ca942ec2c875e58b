"""What the dashboard shows, gathered from the selectors once: for the page, its charts, its tables and its CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, cast

from django.core.cache import cache

from annotation.models import Decision
from annotation.selectors import dashboard as read
from annotation.selectors.dashboard_alarms import Alarm, alarms
from annotation.selectors.dashboard_people import Person, people
from annotation.selectors.quality import PersonQuality, ProjectQuality, project_quality
from engine.models import EngineRun, Project
from engine.selectors.runs import RunReport, run_report
from frontend.views.figures import words
from frontend.views.funnel import engine_table
from frontend.views.tables import Table, rounded

RANGES = {"day": ("24 hours", timedelta(hours=24)), "week": ("7 days", timedelta(days=7)), "project": ("Project", None)}
NAMED = 5
"""So many people have a colour of their own; the rest are drawn together."""
SHOWN_GROUPS = 6
QUALITY_AGE_S = 60


@dataclass
class Dashboard:
    """Everything of one project and range, read when it is first asked for. ``compares`` people: for admins only."""

    project: Project
    range: str
    compares: bool
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def since(self) -> datetime | None:
        span = RANGES[self.range][1]
        return None if span is None else (self.now - span).replace(minute=0, second=0, microsecond=0)

    @cached_property
    def is_by_day(self) -> bool:
        return read.is_by_day(self.since, self.now)

    @cached_property
    def work(self) -> list[read.Work]:
        return read.work_done(self.project, self.since, self.now)

    @cached_property
    def starts(self) -> list[datetime]:
        """Every hour or day of the range, those without work too."""
        step = timedelta(days=1) if self.is_by_day else timedelta(hours=1)
        first = self.since or min((row.start for row in self.work), default=self.now)
        start = first.replace(hour=0 if self.is_by_day else first.hour, minute=0, second=0, microsecond=0)
        count = (self.now - start) // step + 1
        return [start + number * step for number in range(count)]

    @cached_property
    def queue(self) -> read.QueueState:
        return read.queue_state(self.project)

    @cached_property
    def burndown(self) -> read.Burndown:
        return read.burndown(self.project, self.queue.left, self.now)

    @cached_property
    def accepted(self) -> dict[str, list[read.Accepted]]:
        return read.acceptance(self.project)

    @cached_property
    def defects(self) -> list[tuple[str, int]]:
        return read.defect_counts(self.project, self.since)

    @cached_property
    def people(self) -> list[Person]:
        return people(self.project, self.work, self.starts)

    @cached_property
    def quality(self) -> ProjectQuality:
        """As of at most a minute ago: it reads thousands of verdicts, and a minute changes little."""
        return cast(
            ProjectQuality,
            cache.get_or_set(f"quality-{self.project.pk}", lambda: project_quality(self.project), QUALITY_AGE_S),
        )

    @cached_property
    def quality_of(self) -> dict[int, PersonQuality]:
        return {row.user.pk: row for row in self.quality.people}

    @cached_property
    def alarms(self) -> list[Alarm]:
        return alarms(self.project, self.queue, self.now)

    @cached_property
    def decisions(self) -> Counter[str]:
        said: Counter[str] = Counter()
        for row in self.work:
            said[row.decision] += row.verdicts
        return said

    @cached_property
    def active_ms(self) -> int:
        return sum(row.active_ms for row in self.work)

    @cached_property
    def accepted_share(self) -> float | None:
        settled = self.decisions[Decision.ACCEPT] + self.decisions[Decision.REJECT]
        return self.decisions[Decision.ACCEPT] / settled if settled else None

    @cached_property
    def series(self) -> list[tuple[str, list[int]]]:
        """Decisions per start: of the busiest people and the others together, or of all."""
        totals = [0] * len(self.starts)
        place = {start: number for number, start in enumerate(self.starts)}
        for row in self.work:
            if row.start in place:
                totals[place[row.start]] += row.verdicts
        if not self.compares:
            return [("All", totals)]
        worked = [person for person in self.people if person.decisions]
        named = [(name_of(person.user), person.series) for person in worked[:NAMED]]
        if others := worked[NAMED:]:
            rest = [sum(values) for values in zip(*(person.series for person in others), strict=True)]
            named.append((f"{len(others)} other{'s' if len(others) > 1 else ''}", rest))
        return named

    def chart_data(self) -> dict[str, Any]:
        """For the charts that the browser draws; times are seconds since 1970."""
        told = self.burndown.forecast
        done = None if told is None else {"days": told.days, "low": told.low, "high": told.high}
        return {
            "throughput": {
                "starts": [int(start.timestamp()) for start in self.starts],
                "stepS": 86_400 if self.is_by_day else 3_600,
                "series": [{"name": name, "values": values} for name, values in self.series],
            },
            "burndown": {
                "times": [int(day.timestamp()) for day, _ in self.burndown.days],
                "left": [left for _, left in self.burndown.days],
                "forecast": done,
            },
        }

    @property
    def tables(self) -> dict[str, Callable[[], Table]]:
        """By name; people only where they are compared."""
        return {
            "throughput": self._throughput_table,
            "burndown": self._burndown_table,
            "acceptance": self._acceptance_table,
            "defects": self._defects_table,
            "queues": self._queues_table,
            "engine": self._engine_table,
            **({"people": self._people_table} if self.compares else {}),
        }

    def _throughput_table(self) -> Table:
        names = [name for name, _ in self.series]
        totals = [sum(values) for values in zip(*(values for _, values in self.series), strict=True)]
        rows = [
            [start.isoformat(), *(values[number] for _, values in self.series), totals[number]]
            for number, start in enumerate(self.starts)
            if totals and totals[number]
        ]
        unit = "day" if self.is_by_day else "hour"
        head = [unit.capitalize(), *names, *([] if names == ["All"] else ["All"])]
        return Table(f"Decisions per {unit}", head, [row[: len(head)] for row in rows])

    def _burndown_table(self) -> Table:
        rows = [[day.isoformat(timespec="seconds"), left] for day, left in self.burndown.days]
        return Table("Judgements left", ["Time", "Left"], rows)

    def _acceptance_table(self) -> Table:
        rows = [
            [group, name_in(group, row.name), row.accepted, row.rejected, row.waiting, rounded(row.share)]
            for group, found in self.accepted.items()
            for row in found
        ]
        return Table("Layers accepted", ["By", "Group", "Accepted", "Rejected", "Waiting", "Share"], rows)

    def _defects_table(self) -> Table:
        return Table("Why layers are rejected", ["Defect", "Verdicts"], [[words(kind), n] for kind, n in self.defects])

    def _queues_table(self) -> Table:
        queue = self.queue
        states = ("open", "leased", "expired", "filled", "retired")
        rows = [[state, getattr(queue, state)] for state in states] + [["adjudication", queue.adjudications]]
        return Table("Queue", ["State", "Judgements"], rows)

    @cached_property
    def last_run(self) -> EngineRun | None:
        return EngineRun.objects.filter(project=self.project).order_by("-created_at").first()

    @cached_property
    def report(self) -> RunReport | None:
        """Of the latest run."""
        return run_report(self.last_run) if self.last_run else None

    def _engine_table(self) -> Table:
        return engine_table(self.report.stages if self.report else (), "Data engine, latest run")

    def _people_table(self) -> Table:
        head = ["Person", "User", "Decisions", "Counted", *(d.label for d in Decision), "Active s", "Per active hour"]
        rows = [
            [
                name_of(person.user),
                person.user.username,
                person.decisions,
                person.counted,
                *person.said.values(),
                round(person.active_ms / 1000),
                None if person.per_hour is None else round(person.per_hour, 1),
                None if person.median_ms is None else round(person.median_ms / 1000, 2),
                None if person.last_at is None else person.last_at.isoformat(timespec="seconds"),
                person.holds,
                *self._quality_cells(person.user.pk),
            ]
            for person in self.people
        ]
        quality = ["Gold right", "Gold low", "Gold high", "Gold checks", "With others"]
        return Table("Annotators", [*head, "Median s", "Last", "Holds", *quality], rows)

    def _quality_cells(self, user_id: int) -> list[Any]:
        known = self.quality_of.get(user_id)
        gold, others = (known.gold, known.with_others) if known else (None, None)
        shares = [rounded(gold.value), rounded(gold.low), rounded(gold.high), gold.n] if gold else [None] * 4
        return [*shares, rounded(others.value) if others else None]


def name_in(group: str, name: str) -> str:
    """Producers and recipes are called by their names, letter by letter; kinds and categories are words."""
    return name if group in ("producer", "recipe") else words(name)


def name_of(user: Any) -> str:
    return user.get_full_name() or user.username
