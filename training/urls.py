"""The training part of the API."""

from __future__ import annotations

from django.urls import URLPattern, path

from training.api.checkpoints import CheckpointById, Checkpoints, PromoteCheckpoint, UndoPromotion
from training.api.exports import CancelExport, ExportById, ExportDownload, ExportOneFile, Exports
from training.api.predictions import CancelPrediction, PredictionById, PredictionDocument, PredictionLayer, Predictions
from training.api.snapshots import (
    SnapshotById,
    SnapshotDifference,
    SnapshotLines,
    SnapshotManifest,
    SnapshotPreview,
    Snapshots,
)
from training.api.training_runs import CancelTrainingRun, ResumeTrainingRun, TrainingRunById, TrainingRuns

urlpatterns: list[URLPattern] = [
    path("snapshots/", Snapshots.as_view(), name="api-snapshots"),
    path("snapshots/preview/", SnapshotPreview.as_view(), name="api-snapshot-preview"),
    path("snapshots/<uuid:snapshot_id>/", SnapshotById.as_view(), name="api-snapshot"),
    path("snapshots/<uuid:snapshot_id>/manifest/", SnapshotManifest.as_view(), name="api-snapshot-manifest"),
    path("snapshots/<uuid:snapshot_id>/manifest/lines/", SnapshotLines.as_view(), name="api-snapshot-lines"),
    path("snapshots/<uuid:snapshot_id>/diff/<uuid:other_id>/", SnapshotDifference.as_view(), name="api-snapshot-diff"),
    path("exports/", Exports.as_view(), name="api-exports"),
    path("exports/<uuid:export_id>/", ExportById.as_view(), name="api-export"),
    path("exports/<uuid:export_id>/cancel/", CancelExport.as_view(), name="api-export-cancel"),
    path("exports/<uuid:export_id>/download/", ExportDownload.as_view(), name="api-export-download"),
    path("exports/<uuid:export_id>/files/<path:name>", ExportOneFile.as_view(), name="api-export-file"),
    path("training-runs/", TrainingRuns.as_view(), name="api-training-runs"),
    path("training-runs/<uuid:run_id>/", TrainingRunById.as_view(), name="api-training-run"),
    path("training-runs/<uuid:run_id>/cancel/", CancelTrainingRun.as_view(), name="api-training-run-cancel"),
    path("training-runs/<uuid:run_id>/resume/", ResumeTrainingRun.as_view(), name="api-training-run-resume"),
    path("checkpoints/", Checkpoints.as_view(), name="api-checkpoints"),
    path("checkpoints/<uuid:checkpoint_id>/", CheckpointById.as_view(), name="api-checkpoint"),
    path("checkpoints/<uuid:checkpoint_id>/promote/", PromoteCheckpoint.as_view(), name="api-checkpoint-promote"),
    path("checkpoints/<uuid:checkpoint_id>/undo/", UndoPromotion.as_view(), name="api-checkpoint-undo"),
    path("predict/", Predictions.as_view(), name="api-predictions"),
    path("predict/document/", PredictionDocument.as_view(), name="api-prediction-document"),
    path("predict/<uuid:prediction_id>/", PredictionById.as_view(), name="api-prediction"),
    path("predict/<uuid:prediction_id>/cancel/", CancelPrediction.as_view(), name="api-prediction-cancel"),
    path("predict/<uuid:prediction_id>/layer/", PredictionLayer.as_view(), name="api-prediction-layer"),
]
