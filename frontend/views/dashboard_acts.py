"""What an admin does from the dashboard to one person's leases and verdicts."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from annotation.models import BulkAct
from annotation.selectors.bulk_acts import act_for
from annotation.selectors.policies import annotator_named
from annotation.services import bulk, bulk_acts
from engine.models import Role
from engine.refusals import Refusal
from engine.selectors.access import project_for
from frontend.views.dashboard import board_of
from frontend.views.dashboard_rows import Dashboard, name_of
from frontend.views.figures import whole
from frontend.views.rendering import refusals_as_errors


@require_POST
@login_required
@refusals_as_errors
def dashboard_act(request: HttpRequest, slug: str) -> HttpResponse:
    """What an admin does to one person's leases and verdicts; the page's dialog has asked whether it is meant."""
    project = project_for(request.user, slug, Role.ADMIN)
    board = board_of(request, slug)
    person = annotator_named(project, request.POST.get("username", ""))
    try:
        messages.success(request, _act(board, person, request))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect(f"{reverse('dashboard', args=[project.slug])}?range={board.range}#people")


@require_POST
@login_required
@refusals_as_errors
def dashboard_act_cancel(request: HttpRequest, act_id: uuid.UUID) -> HttpResponse:
    """Stop an act that goes on behind the request."""
    act = act_for(request.user, act_id)
    try:
        bulk_acts.cancel_act(act)
        messages.success(request, "Stopped. What was taken back by then stays so.")
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect(f"{reverse('dashboard', args=[act.project.slug])}#acts-running")


def _act(board: Dashboard, person: Any, request: HttpRequest) -> str:
    """How many rows changed, and what became of them, as a sentence."""
    common: dict[str, Any] = {"project": board.project, "actor": request.user}
    since = None if request.POST.get("scope") == "project" else board.since
    name = name_of(person)
    match request.POST.get("act"):
        case "release":
            count = bulk.release_leases(**common, person=person)
            return f"{whole(count)} layers of {name} are back in the queue."
        case "reassign":
            to = annotator_named(board.project, request.POST.get("to", ""))
            count = bulk.reassign_leases(**common, person=person, to=to)
            return f"{whole(count)} layers went from {name} to {name_of(to)}."
        case "recall":
            act = bulk_acts.recall_verdicts(**common, person=person, since=since)
            return _told(act, f"decisions of {name} are taken back; others judge those layers.")
        case "lift":
            count = bulk.lift_recall(**common, person=person)
            return f"{whole(count)} layers whose decisions were recalled may come to {name} again."
        case "requeue":
            act = bulk_acts.requeue_judged(**common, person=person, since=since)
            return _told(act, f"decisions on {whole(act.layers)} layers are taken back; they are judged anew.")
    raise Refusal("unknown_act", "There is no such act.")


def _told(act: BulkAct, sentence: str) -> str:
    if act.finished_at is not None:
        return f"{whole(act.count)} {sentence}"
    return f"Begun: {whole(act.layers)} layers to go through. The dashboard shows how far it is."
