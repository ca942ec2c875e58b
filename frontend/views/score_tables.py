"""The numbers behind the boards: ratings, votes between producers, scores with their intervals, rounds, gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evaluation.models import MetricScore, Rating, Refit
from evaluation.selectors.benchmarks import Standing
from evaluation.selectors.rounds import RoundRow
from frontend.views.tables import Table, rounded


def leaderboard_table(ratings: Sequence[Rating]) -> Table:
    """Empty where a producer has not enough votes."""
    head = ["Producer", "Rank from", "Rank to", "Rating", "Low", "High", "Low, other people", "High, other people"]
    rows = [
        [
            one.producer.name,
            *(one.rank_low, one.rank_high),
            *(rounded(value, 1) for value in (one.rating, one.ci_low, one.ci_high, one.people_low, one.people_high)),
            *(rounded(one.reweighted, 1), one.votes),
            *(rounded(value, 1) for value in (one.online_elo, one.online_low, one.online_high)),
        ]
        for one in ratings
    ]
    elo = ["Classic Elo", "Elo from", "Elo to"]
    return Table("Leaderboard", [*head, "Weighted by propensity", "Votes", *elo], rows)


def wins_table(refit: Refit, ratings: Sequence[Rating]) -> Table:
    """One row for two producers that met, from the side of each; ties are halves."""
    names = {str(one.producer_id): one.producer.name for one in ratings}
    at = {producer: number for number, producer in enumerate(refit.wins.get("producers", ())) if producer in names}
    rows = [
        [names[one], names[other], refit.wins["won"][row][column], refit.wins["votes"][row][column]]
        for one, row in at.items()
        for other, column in at.items()
        if one != other and refit.wins["votes"][row][column]
    ]
    return Table("Win matrix", ["Producer", "Against", "Won", "Votes"], rows)


def board_table(standings: Sequence[Standing]) -> Table:
    """One row for every producer and metric."""
    rows = [
        [one.run.producer.name, name, *_score(score)] for one in standings for name, score in sorted(one.scores.items())
    ]
    calibrated = [
        [one.run.producer.name, "hpa, calibrated", one.calibrated, None, None, None]
        for one in standings
        if one.calibrated is not None
    ]
    return Table("Board", ["Producer", "Metric", "Value", "Low", "High", "n"], [*rows, *calibrated])


def slices_table(slices: Sequence[tuple[str, str, int, dict[str, MetricScore]]]) -> Table:
    rows = [
        [dimension, name, count, metric, *_score(score)]
        for dimension, name, count, scores in slices
        for metric, score in sorted(scores.items())
    ]
    return Table("Slices", ["Dimension", "Slice", "Layers", "Metric", "Value", "Low", "High", "n"], rows)


def rounds_table(rows: Sequence[RoundRow]) -> Table:
    head = ["Round", "Checkpoint", "Layers", "Accepted", "HPA", "HPA low", "HPA high", "Networks", "Elo", "Elo low"]
    found = [
        [
            *(row.number, row.checkpoint, row.layers, rounded(row.acceptance)),
            *_middle_first(row.hpa, 4),
            row.variant,
            *_middle_first(row.rating, 1),
            *(row.gate.status if row.gate else "", round(sum(row.seconds.values()), 1)),
        ]
        for row in rows
    ]
    return Table("Checkpoint by checkpoint", [*head, "Elo high", "Gate", "Seconds"], found)


def gate_scores_table(scores: Sequence[dict[str, Any]]) -> Table:
    names = ("board", "metric", "better", "ours", "theirs", "difference", "low", "high", "n")
    head = ["Board", "Metric", "Better", "New", "In use", "Difference", "Low", "High", "n"]
    return Table("Scores", head, [[row.get(name) for name in names] for row in scores])


def gate_votes_table(votes: dict[str, Any]) -> Table:
    names = ("wins", "losses", "ties", "share", "low", "high", "needed", "budget")
    head = ["Won", "Lost", "Ties", "Share", "Low", "High", "Still needed", "At most"]
    return Table("Blind votes", head, [[votes.get(name) for name in names]])


def _score(score: MetricScore) -> list[Any]:
    return [score.value, score.low, score.high, score.n]


def _middle_first(interval: tuple[float | None, float, float | None] | None, places: int) -> list[float | None]:
    if interval is None:
        return [None, None, None]
    low, value, high = interval
    return [rounded(value, places), rounded(low, places), rounded(high, places)]
