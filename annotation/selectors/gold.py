"""Answers to gold items: for reviewers and for the rules, never one by one for the person who gave them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef

from annotation.models import Decision, SlotPurpose, Verdict


@dataclass(frozen=True, slots=True)
class GoldAnswer:
    annotator_id: int
    layer_id: uuid.UUID
    is_right: bool
    """``unsure`` and ``broken`` are wrong: the answer is known to be clear."""


def gold_answers(
    user: Any, project_id: uuid.UUID, since: datetime | None = None, *, is_first_word: bool = False
) -> list[GoldAnswer]:
    """The answers of one person, or with ``user`` ``None`` of everybody, oldest first; undone ones left out.

    ``is_first_word``: what was said first of each probe, also where it was taken back since. Told feedback keeps to
    it, or else somebody could take back one answer after the other and see which one was wrong.
    """
    verdicts = Verdict.objects.filter(project=project_id, slot__purpose=SlotPurpose.GOLD, extra_reason="")
    if is_first_word:
        earlier = Verdict.objects.filter(slot=OuterRef("slot"), extra_reason="", created_at__lt=OuterRef("created_at"))
        verdicts = verdicts.exclude(Exists(earlier))
    else:
        verdicts = verdicts.filter(undone_at=None)
    if user is not None:
        verdicts = verdicts.filter(annotator=user)
    if since is not None:
        verdicts = verdicts.filter(created_at__gt=since)
    right = F("layer__gold_item__is_acceptable")
    rows = verdicts.order_by("created_at", "id").values_list("annotator_id", "layer_id", "decision", right)
    return [
        GoldAnswer(annotator, layer, said == (Decision.ACCEPT if is_acceptable else Decision.REJECT))
        for annotator, layer, said, is_acceptable in rows
    ]
