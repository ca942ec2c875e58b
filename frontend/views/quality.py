"""How a project checks its people: gold and repeats, tests, caps and pauses."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from annotation.selectors.policies import annotator_named, policy_of
from annotation.services.people import repeat_test, set_assignee, set_policy
from engine.models import Role
from engine.refusals import Refusal
from engine.selectors.access import project_for
from frontend.forms import AssigneeSettings, QualitySettings
from frontend.views.rendering import refusals_as_errors


@require_POST
@login_required
@refusals_as_errors
def project_quality(request: HttpRequest, slug: str) -> HttpResponse:
    here = project_for(request.user, slug, Role.CURATOR)
    form = QualitySettings(request.POST, instance=policy_of(here.pk))
    if form.is_valid():
        set_policy(project=here, actor=request.user, **form.cleaned_data)
        messages.success(request, "Saved.")
    else:
        for name, errors in form.errors.items():
            messages.error(request, f"{form.fields[name].label}: {' '.join(map(str, errors))}")
    return redirect("project", slug=slug)


@require_POST
@login_required
@refusals_as_errors
def project_assignee(request: HttpRequest, slug: str) -> HttpResponse:
    """Cap or pause one person, or with ``test`` let the person take the test again."""
    here = project_for(request.user, slug, Role.CURATOR)
    form = AssigneeSettings(request.POST)
    try:
        user = annotator_named(here, request.POST.get("username", "").replace("\0", ""))
        if "test" in request.POST:
            repeat_test(project=here, user=user, actor=request.user)
        elif form.is_valid():
            set_assignee(project=here, user=user, actor=request.user, **form.cleaned_data)
        else:
            raise Refusal("invalid", "The cap is a whole number of layers, or empty.")
        messages.success(request, "Saved.")
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("project", slug=slug)
