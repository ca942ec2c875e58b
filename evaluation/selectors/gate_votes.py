"""Votes between the two checkpoints of a gate."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from annotation.models import Comparison, SlotPurpose, Vote
from evaluation.duel import Duel, judge
from evaluation.models import Gate
from evaluation.selectors.leaderboard import latest_refit


def comparisons_of(gate: Gate) -> QuerySet[Comparison]:
    """Judgements between the two checkpoints on the gate's board, from whenever they are."""
    ours, theirs = gate.checkpoint.producer_id, gate.rival.producer_id
    either = Q(left__producer=ours, right__producer=theirs) | Q(left__producer=theirs, right__producer=ours)
    found = Comparison.objects.filter(either, project=gate.project_id, board=gate.board)
    return found.filter(purpose=SlotPurpose.JUDGEMENT)


def tally(gate: Gate) -> Duel:
    """Counted votes so far, without those of voters whom the anomaly test flags."""
    refit = latest_refit(gate.project, gate.board)
    flagged = [one["annotator"] for one in refit.excluded] if refit else []
    votes = Vote.objects.filter(comparison__in=comparisons_of(gate), is_counted=True).exclude(annotator__in=flagged)
    wins = losses = ties = 0
    for choice, left in votes.values_list("choice", "comparison__left__producer"):
        if choice not in ("left", "right"):
            ties += 1
        elif (choice == "left") == (left == gate.checkpoint.producer_id):
            wins += 1
        else:
            losses += 1
    return judge(wins, losses, ties, gate.confidence)
