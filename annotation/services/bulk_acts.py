"""Recalling what a person said, and having layers judged anew: at once when it is little, behind the request when not.

The state of an act stands in the database; a message only says that there is something to do, and a periodic task says
it again. Chunks go in the order of the layers' ids, so that two acts cannot stop each other.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from annotation.models import AuditVerb, BulkAct, BulkStatus, BulkVerb, Verdict
from annotation.services.taking_back import take_back
from engine.models import Project
from engine.refusals import Refusal

log = logging.getLogger(__name__)

CHUNK = 500
"""Layers a transaction: few enough that nobody waits long for one of them."""
AT_ONCE = 1000
"""Up to so many layers the request itself does it."""
TURN_S = 20.0
"""After this long a worker lets other tasks have a turn."""
VERBS = {BulkVerb.RECALL: AuditVerb.RECALLED, BulkVerb.REQUEUE: AuditVerb.REQUEUED}


def recall_verdicts(*, project: Project, person: Any, actor: Any, since: datetime | None = None) -> BulkAct:
    """Take back what a person said that counts, so that others judge those layers.

    The verdicts stay as history, and the person is not asked about those layers again until ``lift_recall``. Where a
    reviewer has decided, the decision stands.
    """
    return _start(BulkAct(project=project, actor=actor, verb=BulkVerb.RECALL, person=person, since=since))


def requeue_layers(*, project: Project, layers: Sequence[uuid.UUID], actor: Any) -> BulkAct:
    """Have layers judged from the beginning.

    Layers of other projects, and those on which a reviewer has decided, are left alone.
    """
    listed = [str(layer_id) for layer_id in layers]
    return _start(BulkAct(project=project, actor=actor, verb=BulkVerb.REQUEUE, listed=listed))


def requeue_judged(*, project: Project, person: Any, actor: Any, since: datetime | None = None) -> BulkAct:
    """The same for all layers on which a verdict of the person counts."""
    return _start(BulkAct(project=project, actor=actor, verb=BulkVerb.REQUEUE, person=person, since=since))


def cancel_act(act: BulkAct) -> None:
    """Stop after the chunk that is being worked on; what is taken back stays so. Raises ``Refusal`` 409 ``is_over``."""
    running = BulkAct.objects.filter(pk=act.pk, status=BulkStatus.RUNNING)
    if not running.update(status=BulkStatus.CANCELLED, finished_at=Now()):
        raise Refusal("is_over", "This was over already.", 409)


def work_acts() -> None:
    """Go on with what is running, the oldest first, for at most ``TURN_S``; rings for itself when something is left."""
    started = time.monotonic()
    for act_id in BulkAct.objects.filter(status=BulkStatus.RUNNING).order_by("created_at").values_list("pk", flat=True):
        while _work_chunk(act_id):
            if time.monotonic() - started > TURN_S:
                ring()
                return


def ring() -> None:
    """Best effort, as ``engine.services.doorbell``: the periodic task rings again."""
    try:
        current_app.send_task("annotation.tasks.work_bulk_acts", queue="default", ignore_result=True)
    except Exception:
        log.warning("could not ring for bulk acts; the periodic task will", exc_info=True)


def _start(act: BulkAct) -> BulkAct:
    act.created_at = timezone.now()
    act.layers = _verdicts(act).values("layer_id").distinct().count()
    act.save(force_insert=True)
    if act.layers > AT_ONCE:
        transaction.on_commit(ring)
    else:
        while _work_chunk(act.pk):
            pass
    act.refresh_from_db()
    return act


def _work_chunk(act_id: uuid.UUID) -> bool:
    """One chunk; ``False`` when the act is over. Who comes second meanwhile waits for the row and takes the next."""
    with transaction.atomic():
        act = BulkAct.objects.select_for_update(of=("self",), no_key=True).select_related("actor").get(pk=act_id)
        if act.status != BulkStatus.RUNNING:
            return False
        left = _verdicts(act)
        layers = list(left.values_list("layer_id", flat=True).distinct().order_by("layer_id")[:CHUNK])
        changed = BulkAct.objects.filter(pk=act_id)
        if not layers:
            changed.update(status=BulkStatus.FINISHED, finished_at=Now())
            return False
        of_layers = Verdict.objects.filter(project=act.project_id, is_counted=True, created_at__lte=act.created_at)
        if act.verb == BulkVerb.RECALL:
            of_layers = left
        verdicts = of_layers.filter(layer__in=layers)
        count = take_back(layers, verdicts, VERBS[BulkVerb(act.verb)], act.actor)
        changed.update(done=F("done") + len(layers), count=F("count") + count, after=layers[-1])
    return True


def _verdicts(act: BulkAct) -> QuerySet[Verdict]:
    """The verdicts that lead to the layers still to go through."""
    verdicts = Verdict.objects.filter(project=act.project_id, is_counted=True, created_at__lte=act.created_at)
    if act.person_id is not None:
        verdicts = verdicts.filter(annotator=act.person_id)
    else:
        verdicts = verdicts.filter(layer__in=act.listed)
    if act.since is not None:
        verdicts = verdicts.filter(created_at__gte=act.since)
    if act.after is not None:
        verdicts = verdicts.filter(layer_id__gt=act.after)
    return verdicts.order_by()
