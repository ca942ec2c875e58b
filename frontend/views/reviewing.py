"""Lists for reviewers beside the disputes: settled layers that may be settled wrongly, and what people flagged."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from annotation.models import FLAG, Verdict
from annotation.selectors.doubts import doubtful_layers
from annotation.selectors.flags import flag_for, flagged_verdicts
from annotation.services.flags import mark_flag_seen, mark_flag_waiting
from engine.models import Layer, Role
from engine.selectors.access import project_for
from frontend.pictures import view_box
from frontend.views.figures import percent
from frontend.views.rendering import page, refusals_as_errors

PAGE_SIZE = 30
SAID = {
    "accept": ("good", "accepted"),
    "reject": ("bad", "rejected"),
    "unsure": ("", "unsure"),
    "broken": ("warn", "broken"),
}


@require_safe
@login_required
@refusals_as_errors
def doubtful(request: HttpRequest, slug: str) -> HttpResponse:
    here = project_for(request.user, slug, Role.REVIEWER)
    rows = doubtful_layers(here)
    layers = Layer.objects.select_related("image").in_bulk([row["layer"] for row in rows or []])
    tiles = [
        _tile(
            layers[row["layer"]],
            percent(row["quality"]),
            "good" if row["status"] == "accepted" else "bad",
            row["status"],
        )
        for row in rows or []
    ]
    return page(request, "frontend/doubtful.html", here="Projects", project=here, tiles=tiles, learns=rows is not None)


@require_safe
@login_required
@refusals_as_errors
def flagged(request: HttpRequest, slug: str) -> HttpResponse:
    here, is_seen = project_for(request.user, slug, Role.REVIEWER), "seen" in request.GET
    shown = Paginator(flagged_verdicts(here, is_seen), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"shown": shown, "tiles": [_flagged(verdict) for verdict in shown], "is_seen": is_seen}
    context |= {"project": here, "query": "?seen=1" if is_seen else ""}
    return page(request, "frontend/flagged.html", here="Projects", **context)


@require_POST
@login_required
@refusals_as_errors
def flag_act(request: HttpRequest, verdict_id: uuid.UUID) -> HttpResponse:
    verdict = flag_for(request.user, verdict_id)
    if "seen" in request.POST:
        mark_flag_seen(verdict=verdict, reviewer=request.user)
    else:
        mark_flag_waiting(verdict=verdict)
    return redirect("flagged", slug=verdict.project.slug)


def _flagged(verdict: Verdict) -> dict[str, Any]:
    return {
        **_tile(verdict.layer, "", *SAID[verdict.decision]),
        "who": verdict.annotator.get_username(),
        "at": verdict.created_at,
        "note": verdict.note.removeprefix(FLAG).strip(),
        "verdict": verdict.pk,
        "seen": getattr(verdict, "seen_flag", None),
    }


def _tile(layer: Layer, figure: str, tone: str, word: str) -> dict[str, Any]:
    box = view_box(layer.box, layer.image.width, layer.image.height)
    return {"layer": layer, "view_box": box, "figure": figure, "tone": tone, "word": word}
