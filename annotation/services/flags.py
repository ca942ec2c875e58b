"""What became of a flag."""

from __future__ import annotations

from typing import Any

from annotation.models import SeenFlag, Verdict


def mark_flag_seen(*, verdict: Verdict, reviewer: Any) -> None:
    """The flag is dealt with; the first reviewer who says so is remembered. The caller has checked the role."""
    SeenFlag.objects.get_or_create(verdict=verdict, defaults={"reviewer": reviewer})


def mark_flag_waiting(*, verdict: Verdict) -> None:
    """The flag asks for a look again."""
    SeenFlag.objects.filter(verdict=verdict).delete()
