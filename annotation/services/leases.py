"""The times and states of a lease, in the database's clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, Value, When
from django.db.models.functions import Now

from annotation.models import SlotPurpose, SlotStatus

GIVEN_BACK = Case(When(purpose=SlotPurpose.JUDGEMENT, then=Value(SlotStatus.OPEN)), default=Value(SlotStatus.RETIRED))
"""A slot goes back to the queue; a probe was made for one person and is over."""


def lease_end() -> Any:
    """When a lease that begins now ends, as an expression of the database's clock."""
    return Now() + timedelta(seconds=settings.REVIEW_LEASE_S)
