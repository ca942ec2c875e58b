"""Training of a project: what to train on, its runs and checkpoints, and when it retrains by itself."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from engine.models import Project, Role
from engine.refusals import Refusal
from engine.selectors.access import is_at_least, project_for, role_of
from evaluation.selectors.drift import hpa_drop
from frontend.forms import PolicyForm, Retrain, parents_of
from frontend.views.figures import UNKNOWN, percent, seconds, whole
from frontend.views.rendering import page, refusals_as_errors
from training import predictors
from training.mixing import Mix
from training.models import Checkpoint, JobStatus, RunTrigger, Snapshot, TrainingRun
from training.selectors.checkpoints import current_checkpoint
from training.selectors.snapshots import snapshots_of
from training.selectors.training_preview import TrainingPreview, training_preview
from training.selectors.training_runs import training_runs_of
from training.services.checkpoints import checkpoint_named
from training.services.policies import PolicyPreview, change_policy, policy_of, preview_policy
from training.services.training_runs import freeze_for_training, start_training_run

MOST = 30
TONES = {"running": "accent", "finished": "good", "failed": "bad"}
SOURCES = {"validated": "Accepted layers", "automatic": "Layers nobody judged", "composite": "Composites"}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@refusals_as_errors
def training(request: HttpRequest, slug: str) -> HttpResponse:
    """The page; posted with ``act`` it shows what a run would learn from (``preview``) or starts it (``start``)."""
    if request.method != "POST":
        return _page(request, project_for(request.user, slug))
    project = project_for(request.user, slug, Role.CURATOR)
    form = _form(request, project, request.POST)
    if not form.is_valid() or request.POST.get("act") != "start":
        return _page(request, project, form)
    try:
        run = _start(request, project, form)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _page(request, project, form)
    return redirect("training-run", run_id=run.pk)


@require_POST
@login_required
@refusals_as_errors
def training_policy(request: HttpRequest, slug: str) -> HttpResponse:
    """Saved, or with ``act`` ``preview`` only looked at: then nothing is changed."""
    project = project_for(request.user, slug, Role.CURATOR)
    policy = policy_of(project)
    form = PolicyForm(request.POST, instance=policy)
    if not form.is_valid():
        return _page(request, project, policy_form=form)
    if request.POST.get("act") == "preview":
        shown = preview_policy(form.save(commit=False), hpa_drop=hpa_drop(project))
        return _page(request, project, policy_form=form, policy_preview=shown)
    change_policy(policy, user=request.user, **form.cleaned_data)
    messages.success(request, "Saved.")
    return redirect(f"/projects/{project.slug}/training/#policy")


def _start(request: HttpRequest, project: Project, form: Retrain) -> TrainingRun:
    given = form.cleaned_data
    snapshot = _snapshot(project, given["snapshot"])
    if snapshot is None:
        snapshot = freeze_for_training(project, user=request.user, may_wait=False)
    return start_training_run(
        snapshot=snapshot,
        recipe=given["recipe"],
        parent=checkpoint_named(given["parent"]),
        params={"steps": given["steps"]},
        weights=form.mix().to_json(),
        user=request.user,
        trigger=RunTrigger.BUTTON,
    )


def _snapshot(project: Project, key: str) -> Snapshot | None:
    return Snapshot.objects.filter(project=project, status=JobStatus.FINISHED, pk=key).first() if key else None


def _form(request: HttpRequest, project: Project, data: Any = None) -> Retrain:
    frozen = list(snapshots_of(request.user, project).filter(status=JobStatus.FINISHED)[:MOST])
    shipped = [name for name, found in predictors.known(settings.CHECKPOINT_FOLDERS[:1]).items() if found.folder]
    current = current_checkpoint(project)
    return Retrain(frozen, parents_of(project, shipped), current.name if current else predictors.DEFAULT, data)


def _page(
    request: HttpRequest,
    project: Project,
    form: Retrain | None = None,
    policy_form: PolicyForm | None = None,
    policy_preview: PolicyPreview | None = None,
) -> HttpResponse:
    may_curate = is_at_least(role_of(request.user, project), Role.CURATOR)
    policy = policy_of(project)
    runs = list(training_runs_of(request.user, project)[:MOST])
    checkpoints = Checkpoint.objects.filter(project=project).select_related("parent", "snapshot", "run")
    current = current_checkpoint(project)
    shown = (form or _form(request, project)) if may_curate else None
    plan = policy_preview or (preview_policy(policy, hpa_drop=hpa_drop(project)) if may_curate else None)
    return page(
        request,
        "frontend/training.html",
        here="Training",
        project=project,
        may_curate=may_curate,
        form=shown,
        preview=_preview(_preview_of(project, shown)) if shown else None,
        runs=[_run(run) for run in runs],
        is_live=any(run.is_live for run in runs),
        checkpoints=[_checkpoint(one, current) for one in checkpoints[:MOST]],
        current=current.name if current else predictors.DEFAULT,
        policy=policy,
        policy_form=policy_form or PolicyForm(instance=policy),
        plan=plan,
        is_dry_run=policy_preview is not None,
    )


def _preview_of(project: Project, form: Retrain) -> TrainingPreview:
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        return training_preview(project, _snapshot(project, given["snapshot"]), form.mix(), given["steps"])
    return training_preview(project, None, Mix())


def _preview(found: TrainingPreview) -> dict[str, Any]:
    total = sum(source.samples for source in found.sources) or 1
    rows = [
        {
            "name": SOURCES[source.name],
            "layers": "as needed" if source.layers is None else f"{whole(source.layers)} layers",
            "samples": whole(source.samples),
            "count": source.samples,
            "share": percent(source.samples / total),
        }
        for source in found.sources
        if source.weight
    ]
    kept = [f"{whole(found.splits.get(split, 0))} for {split}" for split in ("validation", "test")]
    return {
        "rows": rows,
        "total": total,
        "kept_apart": " and ".join(kept),
        "reserved": found.accepted.reserved_layers if found.accepted else 0,
        "has_layers": bool(found.splits.get("train")),
    }


def _run(run: TrainingRun) -> dict[str, Any]:
    return {
        "run": run,
        "tone": TONES.get(run.status, ""),
        "step": whole(run.step),
        "steps": whole(run.steps) if run.steps else UNKNOWN,
        "took": seconds(run.trained_s) if run.trained_s else "",
        "error": run.error_code.replace("_", " "),
    }


def _checkpoint(checkpoint: Checkpoint, current: Checkpoint | None) -> dict[str, Any]:
    return {"checkpoint": checkpoint, "is_current": checkpoint == current, "iou": held_out(checkpoint.metrics)}


def held_out(metrics: dict[str, Any]) -> str:
    """Alpha IoU of held-out layers, else of composites; before the run and after it where both are known."""
    for name, what in (("iou_layers", "layers"), ("iou_composites", "composites")):
        if metrics.get(name) is not None:
            before = metrics.get(f"{name}_before")
            first = f"{before:.3f} → " if before is not None else ""
            return f"IoU {first}{metrics[name]:.3f} on {what}"
    return ""
