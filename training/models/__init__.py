"""Frozen datasets and their exports, what must stay out of them, training runs, checkpoints and what they answered."""

from training.models.checkpoints import Checkpoint, CheckpointLayers, Promotion
from training.models.exports import Export, ExportFile, ExportFormat
from training.models.jobs import JobStatus
from training.models.predictions import Prediction
from training.models.reserved import Judge, ReservedPicture
from training.models.snapshots import Snapshot, SnapshotItem
from training.models.training_runs import RetrainPolicy, RunTrigger, TrainingMetric, TrainingRun, TrainingSample

__all__ = [
    "Checkpoint",
    "CheckpointLayers",
    "Export",
    "ExportFile",
    "ExportFormat",
    "JobStatus",
    "Judge",
    "Prediction",
    "Promotion",
    "ReservedPicture",
    "RetrainPolicy",
    "RunTrigger",
    "Snapshot",
    "SnapshotItem",
    "TrainingMetric",
    "TrainingRun",
    "TrainingSample",
]
