"""Frozen datasets, what must stay out of them, and their exports; prompts asked of checkpoints."""

from training.models.exports import Export, ExportFile, ExportFormat
from training.models.jobs import JobStatus
from training.models.predictions import Prediction
from training.models.reserved import Judge, ReservedPicture
from training.models.snapshots import Snapshot, SnapshotItem

__all__ = [
    "Export",
    "ExportFile",
    "ExportFormat",
    "JobStatus",
    "Judge",
    "Prediction",
    "ReservedPicture",
    "Snapshot",
    "SnapshotItem",
]
