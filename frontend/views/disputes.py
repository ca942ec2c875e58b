"""Layers that people could not settle, for a reviewer: what everybody said, side by side, and the last word."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from annotation.models import Ruling
from annotation.selectors.reviewing import adjudication_for, adjudication_payload, open_adjudications
from annotation.services.adjudications import decide
from annotation.services.gold import make_gold
from engine.models import Role
from engine.refusals import Refusal
from engine.selectors.access import project_for
from frontend.pictures import view_box
from frontend.views.figures import words
from frontend.views.rendering import page, refusals_as_errors

SHOWN = 10
REASONS = {
    "conflict": "People disagree.",
    "unsure": "People are unsure.",
    "broken": "Somebody says that the picture is broken.",
}
DONE = {Ruling.ACCEPT: "Accepted.", Ruling.REJECT: "Rejected.", Ruling.REOPEN: "Sent back to the queue."}
TONES = {"accept": "good", "reject": "bad", "broken": "warn"}


@require_safe
@login_required
@refusals_as_errors
def disputes(request: HttpRequest, slug: str) -> HttpResponse:
    here = project_for(request.user, slug, Role.REVIEWER)
    pending = open_adjudications(here)
    cards = []
    for each in pending[:SHOWN]:
        said = adjudication_payload(each)["verdicts"]
        is_own = any(verdict["who"] == request.user.get_username() and verdict["is_counted"] for verdict in said)
        cards.append(
            {
                "id": each.pk,
                "layer": each.layer,
                "view_box": view_box(each.layer.box, each.layer.image.width, each.layer.image.height),
                "reason": REASONS[each.reason],
                "opened_at": each.opened_at,
                "verdicts": [_said(verdict) for verdict in said],
                "is_own": is_own,
            }
        )
    return page(request, "frontend/disputes.html", here="Projects", project=here, cards=cards, total=pending.count())


def _said(verdict: dict[str, Any]) -> dict[str, Any]:
    defects = [words(defect["kind"]).capitalize() for defect in verdict["defects"]]
    return {**verdict, "tone": TONES.get(verdict["decision"], ""), "defects": defects}


@require_POST
@login_required
@refusals_as_errors
def dispute_decide(request: HttpRequest, adjudication_id: uuid.UUID) -> HttpResponse:
    found = adjudication_for(request.user, adjudication_id)
    ruling, note = request.POST.get("ruling", ""), request.POST.get("note", "").replace("\0", "")[:2000]
    try:
        if ruling not in Ruling.values:
            raise Refusal("invalid", "Say accept, reject or reopen.")
        decide(adjudication_id=found.pk, reviewer=request.user, ruling=ruling, note=note)
        messages.success(request, DONE[Ruling(ruling)])
        if "gold" in request.POST and ruling != Ruling.REOPEN:
            make_gold(layer=found.layer, is_acceptable=ruling == Ruling.ACCEPT, user=request.user, note=note)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("disputes", slug=found.project.slug)
