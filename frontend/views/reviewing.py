"""Lists for reviewers beside the disputes: settled layers that may be settled wrongly, and what people flagged."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from annotation.models import FLAG, Verdict
from annotation.selectors.doubts import doubtful_layers
from annotation.selectors.flags import flagged_verdicts
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
    here = project_for(request.user, slug, Role.REVIEWER)
    shown = Paginator(flagged_verdicts(here), PAGE_SIZE).get_page(request.GET.get("page"))
    tiles = [_flagged(verdict) for verdict in shown]
    return page(request, "frontend/flagged.html", here="Projects", project=here, tiles=tiles, shown=shown)


def _flagged(verdict: Verdict) -> dict[str, Any]:
    return {
        **_tile(verdict.layer, "", *SAID[verdict.decision]),
        "who": verdict.annotator.get_username(),
        "at": verdict.created_at,
        "note": verdict.note.removeprefix(FLAG).strip(),
    }


def _tile(layer: Layer, figure: str, tone: str, word: str) -> dict[str, Any]:
    box = view_box(layer.box, layer.image.width, layer.image.height)
    return {"layer": layer, "view_box": box, "figure": figure, "tone": tone, "word": word}
