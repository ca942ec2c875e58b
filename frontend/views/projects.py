"""Projects: upload photos, start runs, see what came of them, say who works here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.selectors.policies import judges_of, policy_of
from annotation.selectors.projects import project_cards, project_overview
from annotation.selectors.reviewing import open_adjudications
from annotation.services.needs import change_needed_judgements
from engine.archives import NamedBytes
from engine.decoding import BadPicture
from engine.models import Project, Role
from engine.refusals import Refusal
from engine.selectors.access import is_at_least, project_for, role_of
from engine.selectors.images import project_images
from engine.selectors.recipes import recipe_summaries
from engine.selectors.runs import runs_of
from engine.services.images import FileResult, import_files, unzipped
from engine.services.projects import change_project, create_project, remove_member, set_member
from engine.services.runs import start_run
from frontend.forms import Member, NewProject, ProjectSettings, QualitySettings
from frontend.views.figures import whole, words
from frontend.views.rendering import page, refusals_as_errors

PAGE_SIZE = 30
RUNS_SHOWN = 8
STATES = {
    None: ("", "not run"),
    "queued": ("", "queued"),
    "running": ("accent", "running"),
    "finished": ("good", "done"),
    "dropped": ("warn", "dropped"),
    "failed": ("bad", "failed"),
    "cancelled": ("", "cancelled"),
}
OUTCOMES = {"ok": ("good", "stored"), "duplicate": ("", "here already")}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def projects(request: HttpRequest) -> HttpResponse:
    form = NewProject(request.POST or None, initial={"recipe": "cpu", "needed_judgements": 1}, label_suffix="")
    if request.method == "POST" and form.is_valid():
        try:
            made = create_project(user=request.user, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error("name", str(refusal))
        else:
            return redirect("project", slug=made.slug)
    cards = [
        (card, default_storage.url(card.cover) if card.cover else "", whole(card.pictures))
        for card in project_cards(request.user)
    ]
    return page(request, "frontend/projects.html", here="Projects", cards=cards, form=form)


@require_safe
@login_required
@refusals_as_errors
def project(request: HttpRequest, slug: str) -> HttpResponse:
    return _project_page(request, project_for(request.user, slug))


@require_POST
@login_required
@refusals_as_errors
def project_upload(request: HttpRequest, slug: str) -> HttpResponse:
    """Photos and zips, each answered by name: as JSON for the page's script, as a page for a plain form."""
    here = project_for(request.user, slug, Role.CURATOR)
    annotations = request.FILES.get("annotations")
    wants_json = request.headers.get("Accept") == "application/json"
    try:
        results = list(
            import_files(
                project=here,
                files=unzipped(_named(request.FILES.getlist("files"))),
                annotations=annotations.read() if annotations else None,
                user=request.user,
            )
        )
    except Refusal as refusal:
        if wants_json:
            return JsonResponse({"code": refusal.code, "detail": str(refusal)}, status=refusal.status)
        messages.error(request, str(refusal))
        return redirect("project", slug=slug)
    if wants_json:
        return JsonResponse({"results": [_result(result) for result in results]})
    return _project_page(request, here, results=[_result(result) for result in results])


@require_POST
@login_required
@refusals_as_errors
def project_start(request: HttpRequest, slug: str) -> HttpResponse:
    here = project_for(request.user, slug, Role.CURATOR)
    try:
        run = start_run(project=here, recipe_name=request.POST.get("recipe") or None, user=request.user)
    except Refusal as refusal:
        messages.warning(request, str(refusal))
        return redirect("project", slug=slug)
    return redirect("run", run_id=run.id)


@require_POST
@login_required
@refusals_as_errors
def project_settings(request: HttpRequest, slug: str) -> HttpResponse:
    here = project_for(request.user, slug, Role.ADMIN)
    form = ProjectSettings(request.POST, instance=here)
    if not form.is_valid():
        return _project_page(request, here, settings_form=form)
    changes = dict(form.cleaned_data)
    change_needed_judgements(project=here, needed=changes.pop("needed_judgements"), actor=request.user)
    change_project(project=here, **changes)
    messages.success(request, "Saved.")
    return redirect("project", slug=slug)


@require_POST
@login_required
@refusals_as_errors
def project_members(request: HttpRequest, slug: str) -> HttpResponse:
    """Add somebody, change a role, or with ``remove`` take somebody off the project."""
    here = project_for(request.user, slug, Role.ADMIN)
    username = request.POST.get("username", "").replace("\0", "").strip()
    try:
        if "remove" in request.POST:
            remove_member(project=here, username=username)
            messages.success(request, f"{username} is no longer a member.")
        else:
            member = set_member(project=here, username=username, role=request.POST.get("role", ""))
            messages.success(request, f"{username} is {member.get_role_display().lower()} now.")
    except Refusal as refusal:
        messages.error(request, str(refusal))
    # Whoever leaves a project cannot be sent back to it.
    return redirect("project", slug=slug) if role_of(request.user, here) else redirect("projects")


def _project_page(request: HttpRequest, here: Project, **more: Any) -> HttpResponse:
    role = role_of(request.user, here)
    overview = project_overview(here)
    pictures = Paginator(project_images(here), PAGE_SIZE).get_page(request.GET.get("page"))
    return page(
        request,
        "frontend/project.html",
        here="Projects",
        project=here,
        role=role,
        may_judge=is_at_least(role, Role.ANNOTATOR),
        disputes=open_adjudications(here).count() if is_at_least(role, Role.REVIEWER) else 0,
        may_rule=is_at_least(role, Role.REVIEWER),
        may_curate=is_at_least(role, Role.CURATOR),
        may_administer=is_at_least(role, Role.ADMIN),
        overview=overview,
        figures={
            "pictures": whole(pictures.paginator.count),
            "untouched": whole(overview.untouched),
            **{status: whole(count) for status, count in overview.layers.items()},
        },
        pictures=pictures,
        tiles=[(image, *STATES[image.state], words(image.reason or "")) for image in pictures],
        runs=runs_of(request.user, here)[:RUNS_SHOWN],
        recipes=recipe_summaries() if is_at_least(role, Role.CURATOR) else [],
        max_upload_mb=settings.MAX_UPLOAD_MB,
        roles=Role.choices,
        quality_form=QualitySettings(instance=policy_of(here.pk), label_suffix=""),
        assignees=judges_of(here) if is_at_least(role, Role.CURATOR) else [],
        **{"settings_form": ProjectSettings(instance=here), "member_form": Member(), **more},
    )


def _named(files: list[Any]) -> Iterator[NamedBytes]:
    """One file in memory at a time; one that is too large is answered without reading it."""
    most = settings.MAX_UPLOAD_MB * 1024 * 1024
    for file in files:
        if file.size > most:
            yield file.name, BadPicture("too_large", f"A file may have at most {settings.MAX_UPLOAD_MB} MB.")
        else:
            yield file.name, file.read()


def _result(result: FileResult) -> dict[str, str]:
    tone, text = OUTCOMES.get(result.outcome, ("bad", words(result.outcome)))
    return {"name": result.name, "outcome": result.outcome, "tone": tone, "text": text, "detail": result.detail}
