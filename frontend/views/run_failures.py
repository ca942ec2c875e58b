"""The gallery of what a run gave up: by reason, with thumbnails, narrowed by how the photographs look."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.models import EngineRun
from engine.selectors.failures import LOOKS, FailureGroup, failure_groups
from engine.selectors.runs import run_for
from frontend.views.figures import whole, words
from frontend.views.funnel import NAMES
from frontend.views.rendering import page, refusals_as_errors

TONES = {"failed": "bad", "dropped": "warn", "layers": ""}
KINDS = {"failed": "photos failed", "dropped": "photos dropped", "layers": "layers dropped"}


@require_safe
@login_required
@refusals_as_errors
def run_failures(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = run_for(request.user, run_id)
    look = request.GET.get("look", "")
    look = look if look in LOOKS else ""
    groups, looks = failure_groups(run, look)
    return page(
        request,
        "frontend/run_failures.html",
        here="Projects",
        run=run,
        project=run.project,
        look=look,
        groups=[_shown(run, group) for group in groups],
        looks=[("", "All", whole(looks.total()), not look)]
        + [(name, name.capitalize(), whole(looks[name]), name == look) for name in LOOKS if looks[name]],
    )


def _shown(run: EngineRun, group: FailureGroup) -> dict[str, object]:
    query = urlencode({"stage": group.stage, "outcome": group.outcome, "reason": group.reason})
    return {
        "stage": NAMES[group.stage],
        "reason": group.reason if group.outcome == "failed" else words(group.reason),
        "count": whole(group.count),
        "kind": KINDS[group.outcome] if group.count != 1 else KINDS[group.outcome].replace("s ", " ", 1),
        "tone": TONES[group.outcome],
        "looks": ", ".join(f"{name} {whole(count)}" for name, count in group.looks.most_common()),
        "samples": group.samples,
        "href": f"{reverse('run', args=[run.id])}?{query}#pictures",
    }
