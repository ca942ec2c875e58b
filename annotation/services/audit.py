"""The append-only log. Services write to it in the transaction of what they did."""

from __future__ import annotations

import uuid
from typing import Any

from annotation.models import AuditEvent, AuditVerb


def note(
    verb: AuditVerb, *, project_id: uuid.UUID, layer_id: uuid.UUID | None = None, actor: Any = None, **facts: Any
) -> None:
    """``facts`` must fit into JSON. No ``actor`` means that a rule acted."""
    AuditEvent.objects.create(verb=verb, project_id=project_id, layer_id=layer_id, actor=actor, facts=facts)
