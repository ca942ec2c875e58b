"""A form with the parameters of one stage: what is sent begins a new run there, and the earlier stages are kept."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from engine.models import Role
from engine.records import STAGES
from engine.refusals import Refusal
from engine.selectors.recipes import recipe_stages
from engine.selectors.runs import run_for
from engine.services.reruns import rerun_stage
from frontend.views.funnel import NAMES
from frontend.views.rendering import page, refusals_as_errors


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@refusals_as_errors
def run_rerun(request: HttpRequest, run_id: uuid.UUID, stage: str) -> HttpResponse:
    run = run_for(request.user, run_id, Role.CURATOR)
    if stage not in STAGES:
        raise Refusal("unknown_stage", f"There is no stage '{stage}'.", 404)
    choice = recipe_stages(run.recipe)[STAGES.index(stage)]
    sent = {name: request.POST.get(name, json.dumps(value)) for name, value in choice.params.items()}
    if request.method == "POST":
        try:
            new = rerun_stage(run, stage, _read(sent), request.user)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"Queued from {NAMES[stage].lower()} on; the earlier stages are kept.")
            return redirect("run", run_id=new.id)
    return page(
        request,
        "frontend/run_rerun.html",
        here="Projects",
        run=run,
        project=run.project,
        stage=stage,
        stage_name=NAMES[stage],
        choice=choice,
        kept=[NAMES[name].lower() for name in STAGES[: STAGES.index(stage)]],
        fields=[(name, sent[name], len(sent[name]) > 40) for name in choice.params],
        stages=[(NAMES[name], name, name == stage) for name in STAGES],
    )


def _read(sent: dict[str, str]) -> dict[str, Any]:
    values = {}
    for name, text in sent.items():
        try:
            values[name] = json.loads(text, parse_constant=_refuse)
            if "\\u0000" in text:
                raise ValueError("a NUL is not text")
        except ValueError as error:
            raise Refusal("wrong_type", f"'{name}' is no JSON: {error}.") from error
    return values


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number")
