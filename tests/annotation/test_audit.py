"""What the database keeps, whoever asks it to forget."""

from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction

from annotation.models import AuditEvent, AuditVerb, Verdict
from annotation.services.audit import note
from engine.models import Project
from tests.annotation.judging import claim_one, judge, make_annotators, make_layers

REFUSED = (IntegrityError, InternalError)


@pytest.fixture
def verdict(project: Project) -> Verdict:
    make_layers(project, 1)
    [anna] = make_annotators(project, "anna")
    return judge(anna, claim_one(anna, project))


@pytest.mark.parametrize("forget", [lambda rows: rows.update(verb="released"), lambda rows: rows.delete()])
def test_audit_events_are_never_changed_or_deleted(project: Project, forget: Any) -> None:
    note(AuditVerb.REQUEUED, project_id=project.pk)
    with pytest.raises(REFUSED, match="never changed"), transaction.atomic():
        forget(AuditEvent.objects.all())
    assert AuditEvent.objects.get().verb == AuditVerb.REQUEUED


@pytest.mark.parametrize(
    "change", [{"decision": "reject"}, {"note": "no"}, {"defects": [{"kind": "halo"}]}, {"active_ms": 1}]
)
def test_a_verdict_never_says_anything_else(verdict: Verdict, change: dict[str, Any]) -> None:
    with pytest.raises(REFUSED, match="never changed"), transaction.atomic():
        Verdict.objects.filter(pk=verdict.pk).update(**change)


def test_events_outlive_their_project(project: Project) -> None:
    note(AuditVerb.REQUEUED, project_id=project.pk)
    gone = project.pk
    project.delete()
    assert AuditEvent.objects.get().project_id == gone
