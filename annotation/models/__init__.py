"""What people were asked, what they said, and what is known of how well they judge."""

from annotation.models.audit import AuditEvent, AuditVerb
from annotation.models.bulk import BulkAct, BulkStatus, BulkVerb
from annotation.models.comparing import Choice, Comparison, Criterion, EditKind, Vote, VoteExtraReason
from annotation.models.counters import DefectTally, LayerTally, SlotTally, VerdictTally
from annotation.models.judging import (
    CLAIMABLE,
    COUNTING,
    FLAG,
    Decision,
    DefectKind,
    ExtraReason,
    SeenFlag,
    Slot,
    SlotPurpose,
    SlotStatus,
    Verdict,
)
from annotation.models.people import Assignee, QueuePolicy
from annotation.models.quality import Adjudication, AdjudicationReason, GoldItem, GoldOrigin, Rework, Ruling

__all__ = [
    "CLAIMABLE",
    "COUNTING",
    "FLAG",
    "Adjudication",
    "AdjudicationReason",
    "Assignee",
    "AuditEvent",
    "AuditVerb",
    "BulkAct",
    "BulkStatus",
    "BulkVerb",
    "Choice",
    "Comparison",
    "Criterion",
    "Decision",
    "DefectKind",
    "DefectTally",
    "EditKind",
    "ExtraReason",
    "GoldItem",
    "GoldOrigin",
    "LayerTally",
    "QueuePolicy",
    "Rework",
    "Ruling",
    "SeenFlag",
    "Slot",
    "SlotPurpose",
    "SlotStatus",
    "SlotTally",
    "Verdict",
    "VerdictTally",
    "Vote",
    "VoteExtraReason",
]
