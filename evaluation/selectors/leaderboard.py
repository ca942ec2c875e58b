"""The newest leaderboard of a project."""

from __future__ import annotations

from typing import Any

from engine.models import Project
from evaluation.models import Rating, Refit


def latest_refit(project: Project, board: str) -> Refit | None:
    return Refit.objects.filter(project=project, board=board).first()


def leaderboard(project: Project, board: str) -> list[Rating]:
    """Ratings of the newest refit, best first; those without enough votes last."""
    refit = latest_refit(project, board)
    return list(refit.ratings.select_related("producer")) if refit else []


def leaderboard_row(rating: Rating) -> dict[str, Any]:
    return {
        "producer": rating.producer.name,
        "rating": rating.rating,
        "ci_low": rating.ci_low,
        "ci_high": rating.ci_high,
        "people_low": rating.people_low,
        "people_high": rating.people_high,
        "votes": rating.votes,
        "rank_low": rating.rank_low,
        "rank_high": rating.rank_high,
    }
