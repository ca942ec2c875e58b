"""What the data engine remembers."""

from engine.models.access import ApiToken, Membership, Role
from engine.models.images import SourceImage
from engine.models.layers import OUT_OF_SIGHT, Layer, LayerStatus, Prompt
from engine.models.projects import Project
from engine.models.repairs import Repair, RepairStatus
from engine.models.runs import EngineRun, ItemStatus, Producer, RunItem, RunStatus, StageRun, Worker

__all__ = [
    "OUT_OF_SIGHT",
    "ApiToken",
    "EngineRun",
    "ItemStatus",
    "Layer",
    "LayerStatus",
    "Membership",
    "Producer",
    "Project",
    "Prompt",
    "Repair",
    "RepairStatus",
    "Role",
    "RunItem",
    "RunStatus",
    "SourceImage",
    "StageRun",
    "Worker",
]
