"""Leaderboards made from all votes."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction

from annotation.models import AuditVerb
from annotation.services.audit import note
from engine.models import Project
from evaluation.models import Rating, Refit
from evaluation.selectors.votes import BoardState, VoteRow, board_states, board_votes

if TYPE_CHECKING:
    from evaluation.rating import Board
    from evaluation.rating_votes import Votes

MOST_WEIGHT = 20.0
"""A vote of a pair that was hardly ever drawn does not weigh more than so many average ones."""


def refit_stale_boards(project: Project) -> list[Refit]:
    """Fit every board on which a vote was given or taken back since its last refit."""
    made = []
    for board, state in board_states(project).items():
        last = Refit.objects.filter(project=project, board=board).first()
        if last is None or (last.votes, last.changed_at) != (state.votes, state.changed_at):
            made.append(refit(project, board, state))
    return made


def refit(project: Project, board: str, state: BoardState) -> Refit:
    """Fit one board from all its votes and keep the result; where there is none, keep why.

    Voters whom the anomaly test flags are left out of the fit; their votes stay. Who enters or leaves that list is
    audited.
    """
    from evaluation.rating import rate
    from evaluation.rating_anomaly import suspicions
    from evaluation.rating_votes import NotRatable

    started = time.monotonic()
    rows = board_votes(project, board)
    producers = sorted({side for row in rows for side in (row.left, row.right)})
    everything = columns(rows, producers)
    flagged = [one for one in suspicions(everything) if one.is_flagged]
    kept = [row for row in rows if row.annotator not in {one.annotator for one in flagged}]
    votes = columns(kept, producers)
    found: Board | None = None
    problem = ""
    try:
        found = rate(votes)
    except NotRatable as reason:
        problem = reason.code
    new = Refit(
        project=project,
        board=board,
        votes=state.votes,
        changed_at=state.changed_at,
        fitted_votes=len(found.votes) if found else 0,
        problem=problem,
        excluded=[
            {"annotator": one.annotator, "habit": one.habit, "evidence": one.evidence, "votes": one.votes}
            for one in flagged
        ],
        wins=_win_matrix(votes, producers),
    )
    ratings = _ratings(found, votes, kept, producers)
    if found is not None:
        _describe(new, found, votes, kept)
    new.seconds = time.monotonic() - started
    with transaction.atomic():
        last = Refit.objects.filter(project=project, board=board).first()
        new.save()
        Rating.objects.bulk_create(Rating(refit=new, **fields) for fields in ratings)
        _audit(project, board, last.excluded if last else [], new.excluded)
    return new


def columns(rows: Sequence[VoteRow], producers: Sequence[uuid.UUID]) -> Votes:
    """The votes for the pure code; producers by their ids as text."""
    import numpy as np

    from evaluation.rating_votes import Votes

    place = {producer: at for at, producer in enumerate(producers)}
    photos = {image: at for at, image in enumerate(sorted({row.image for row in rows}))}
    return Votes(
        tuple(str(producer) for producer in producers),
        np.array([place[row.left] for row in rows], int),
        np.array([place[row.right] for row in rows], int),
        np.array([row.outcome for row in rows], int),
        np.array([photos[row.image] for row in rows], int),
        np.array([row.annotator for row in rows], int),
    )


def _ratings(
    found: Board | None, votes: Votes, rows: Sequence[VoteRow], producers: Sequence[uuid.UUID]
) -> list[dict[str, Any]]:
    """Fields of a ``Rating`` for every producer that was voted on."""
    import numpy as np

    from evaluation.rating import fit
    from evaluation.rating_online_elo import online_elo

    taken_part = np.bincount(np.r_[votes.left, votes.right], minlength=len(producers))
    fields = {
        str(producer): {"producer_id": producer, "votes": int(count)}
        for producer, count in zip(producers, taken_part, strict=True)
    }
    if found is None:
        return list(fields.values())
    inside = set(found.votes.producers)
    weights = _weights([row for row in rows if {str(row.left), str(row.right)} <= inside])
    reweighted, shown = fit(found.votes, weights).elo, online_elo(found.votes)
    for row in found.rows:
        at = found.votes.producers.index(row.producer)
        fields[row.producer] |= {
            "rating": row.rating,
            "ci_low": row.low,
            "ci_high": row.high,
            "people_low": row.low_people,
            "people_high": row.high_people,
            "rank_low": row.rank_low,
            "rank_high": row.rank_high,
            "reweighted": float(reweighted[at]),
            "online_elo": float(shown.mean[at]),
            "online_low": float(shown.low[at]),
            "online_high": float(shown.high[at]),
        }
    return list(fields.values())


def _weights(rows: Sequence[VoteRow]) -> Any:
    """Inverse propensities with mean 1, bounded; votes without a known propensity weigh 1."""
    import numpy as np

    chance = np.array([row.propensity or np.nan for row in rows])
    weights = 1 / chance
    weights = weights / np.nanmean(weights) if np.isfinite(weights).any() else weights
    return np.clip(np.nan_to_num(weights, nan=1.0), 0, MOST_WEIGHT)


def _describe(new: Refit, found: Board, votes: Votes, rows: Sequence[VoteRow]) -> None:
    """Tie parameter, robustness of the first place, variances for the planner, side bias."""
    import numpy as np

    from evaluation.rating_bias import side_bias
    from evaluation.rating_planning import votes_that_flip_the_first_place

    new.tie = found.fit.tie
    new.flips = votes_that_flip_the_first_place(found)
    place = {name: at for at, name in enumerate(found.votes.producers)}
    order = [place[row.producer] for row in found.rows]
    new.gaps = []
    for better, worse in pairwise(order):
        block = found.covariance[np.ix_([better, worse], [better, worse])]
        variance = float(block[0, 0] + block[1, 1] - 2 * block[0, 1])
        new.gaps.append([found.votes.producers[better], found.votes.producers[worse], variance])
    inside = set(place)
    edited = np.array([row.is_edited for row in rows if {str(row.left), str(row.right)} <= inside], float)
    mixed = {"edit probe": edited} if 0 < edited.sum() < len(edited) else {}
    bias = side_bias(found.votes, mixed)
    new.bias = asdict(bias) | {"is_rough": bias.is_rough, "shares": bias.left.shares}


def _win_matrix(votes: Votes, producers: Sequence[uuid.UUID]) -> dict[str, Any]:
    if not len(votes):
        return {}
    won = votes.wins
    return {
        "producers": [str(producer) for producer in producers],
        "won": won.tolist(),
        "votes": (won + won.T).astype(int).tolist(),
    }


def _audit(project: Project, board: str, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    was, now = ({one["annotator"]: one for one in side} for side in (before, after))
    names = dict(get_user_model().objects.filter(pk__in={*was, *now}).values_list("pk", "username"))
    for verb, ids in ((AuditVerb.VOTER_EXCLUDED, now.keys() - was), (AuditVerb.VOTER_READMITTED, was.keys() - now)):
        for annotator in sorted(ids):
            one = now.get(annotator) or was[annotator]
            facts = {"annotator": names.get(annotator, str(annotator)), "board": board, "habit": one["habit"]}
            note(verb, project_id=project.pk, votes=one["votes"], **facts)
