"""Simulated people at the real queue: they claim and judge through the services that everybody uses."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from django.contrib.auth import get_user_model

from annotation.models import Slot
from annotation.services.claims import claim
from annotation.services.verdicts import record_verdict
from annotation.simulated import Simulated
from engine.models import Project, Role
from engine.refusals import Refusal
from engine.services.projects import set_member

AT_ONCE = 3
"""As many layers as the review page holds."""


def join_queue(project: Project, people: Sequence[Simulated]) -> dict[str, Any]:
    """Users of these names, without a password, as annotators of the project."""
    users = {}
    for person in people:
        user, is_new = get_user_model().objects.get_or_create(username=person.name)
        if is_new:
            user.set_unusable_password()
            user.save()
        set_member(project=project, username=person.name, role=Role.ANNOTATOR)
        users[person.name] = user
    return users


def simulate(
    project: Project, people: Sequence[Simulated], truth: Callable[[uuid.UUID], bool], decisions: int | None
) -> Iterator[tuple[Simulated, str]]:
    """Let the people judge in turns, each at most ``decisions`` layers, or with ``None`` until nobody gets any more.

    Yields who said what, as it is stored. Somebody whom the queue refuses (paused, capped, not qualified) goes home.
    """
    users, said = join_queue(project, people), dict.fromkeys((person.name for person in people), 0)
    at_work = list(people)
    while at_work:
        for person in list(at_work):
            left = AT_ONCE if decisions is None else min(AT_ONCE, decisions - said[person.name])
            slots: list[Slot] = []
            with suppress(Refusal):
                slots = claim(user=users[person.name], project=project, count=left) if left else []
            if not slots:
                at_work.remove(person)
            for slot in slots:
                decision, active_ms = person.says(str(slot.layer_id), truth(slot.layer_id))
                record_verdict(
                    user=users[person.name],
                    slot=slot,
                    decision=decision,
                    client_id=str(uuid.uuid4()),
                    active_ms=active_ms,
                )
                said[person.name] += 1
                yield person, decision
