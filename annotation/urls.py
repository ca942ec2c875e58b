"""The annotation part of the API."""

from __future__ import annotations

from django.urls import path

from annotation.api import bulk, comparing, people, quality, statistics, views

urlpatterns = [
    path("review/claim/", views.Claim.as_view(), name="review-claim"),
    path("assignments/<uuid:assignment_id>/verdict/", views.RecordVerdict.as_view(), name="assignment-verdict"),
    path("assignments/<uuid:assignment_id>/heartbeat/", views.Heartbeat.as_view(), name="assignment-heartbeat"),
    path("assignments/<uuid:assignment_id>/release/", views.Release.as_view(), name="assignment-release"),
    path("verdicts/<uuid:verdict_id>/undo/", views.UndoVerdict.as_view(), name="verdict-undo"),
    path("compare/claim/", comparing.ClaimComparisons.as_view(), name="compare-claim"),
    path("assignments/<uuid:assignment_id>/vote/", comparing.RecordVote.as_view(), name="assignment-vote"),
    path("votes/<uuid:vote_id>/undo/", comparing.UndoVote.as_view(), name="vote-undo"),
    path("review/feedback/", quality.Feedback.as_view(), name="review-feedback"),
    path("adjudications/", quality.Adjudications.as_view(), name="adjudications"),
    path("adjudications/<uuid:adjudication_id>/decide/", quality.Decide.as_view(), name="adjudication-decide"),
    path("layers/<uuid:layer_id>/history/", quality.LayerHistory.as_view(), name="layer-history"),
    path("layers/<uuid:layer_id>/return/", quality.ReturnLayer.as_view(), name="layer-return"),
    path("review/doubtful/", quality.DoubtfulLayers.as_view(), name="review-doubtful"),
    path("reworks/", quality.Reworks.as_view(), name="reworks"),
    path("gold/", quality.Gold.as_view(), name="gold"),
    path("gold/<uuid:gold_id>/", quality.RetireGold.as_view(), name="gold-item"),
    path("queue-policy/", people.Policy.as_view(), name="queue-policy"),
    path("assignees/", people.Assignees.as_view(), name="assignees"),
    path("assignees/<str:username>/", people.AssigneeByName.as_view(), name="assignee"),
    path("bulk/release/", bulk.ReleaseLeases.as_view(), name="bulk-release"),
    path("bulk/reassign/", bulk.ReassignLeases.as_view(), name="bulk-reassign"),
    path("bulk/recall/", bulk.RecallVerdicts.as_view(), name="bulk-recall"),
    path("bulk/lift-recall/", bulk.LiftRecall.as_view(), name="bulk-lift-recall"),
    path("bulk/acts/", bulk.Acts.as_view(), name="bulk-acts"),
    path("bulk/acts/<uuid:act_id>/", bulk.ActById.as_view(), name="bulk-act"),
    path("bulk/acts/<uuid:act_id>/cancel/", bulk.CancelAct.as_view(), name="bulk-act-cancel"),
    path("bulk/requeue/", bulk.RequeueLayers.as_view(), name="bulk-requeue"),
    path("stats/throughput/", statistics.Throughput.as_view(), name="stats-throughput"),
    path("stats/agreement/", quality.Agreement.as_view(), name="stats-agreement"),
    path("stats/queues/", views.QueueStatistics.as_view(), name="stats-queues"),
]
