"""One checkpoint: where it comes from, what came of it, and whether the project uses it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.views.decorators.http import require_POST, require_safe

from engine.models import Layer, Role
from engine.refusals import Refusal
from engine.selectors.access import is_at_least, role_of
from frontend.pictures import view_box
from frontend.views.figures import measured, whole
from frontend.views.rendering import page, refusals_as_errors
from training.models import Checkpoint, Snapshot
from training.selectors.checkpoints import checkpoint_for, current_checkpoint, standing_promotion
from training.services.checkpoint_layers import start_checkpoint_layers
from training.services.promotions import promote_checkpoint, undo_promotion

EXAMPLES = 18
JUDGES = 30


@require_safe
@login_required
@refusals_as_errors
def checkpoint(request: HttpRequest, checkpoint_id: uuid.UUID) -> HttpResponse:
    found = checkpoint_for(request.user, checkpoint_id)
    if found.project is None:
        raise Refusal("not_found", "A shipped checkpoint has no page.", 404)
    may_curate = is_at_least(role_of(request.user, found.project), Role.CURATOR)
    standing = standing_promotion(found.project)
    job = found.layer_jobs.first()
    layers = Layer.objects.filter(producer=found.producer).select_related("image").order_by("-created_at", "pk")
    return page(
        request,
        "frontend/checkpoint.html",
        here="Training",
        project=found.project,
        checkpoint=found,
        run=getattr(found, "run", None),
        may_curate=may_curate,
        is_current=current_checkpoint(found.project) == found,
        may_undo=standing is not None and standing.checkpoint_id == found.pk,
        previous=standing.previous if standing is not None else None,
        figures=_figures(found),
        metrics=[
            (measured(name), f"{value:.4g}") for name, value in sorted(found.metrics.items()) if value is not None
        ],
        line=_ancestors(found),
        judges=_judges(found.snapshot) if found.snapshot else [],
        children=list(found.children.all()),
        runs_from=list(found.runs_from.order_by("-created_at")[:10]),
        promotions=list(found.promotions.select_related("promoted_by", "previous")),
        job=job,
        layers=[(layer, view_box(layer.box, layer.image.width, layer.image.height)) for layer in layers[:EXAMPLES]]
        if may_curate
        else [],
        layer_count=layers.count(),
        is_live=job is not None and job.is_live,
    )


@require_POST
@login_required
@refusals_as_errors
def checkpoint_act(request: HttpRequest, checkpoint_id: uuid.UUID) -> HttpResponse:
    """``promote``, ``undo`` the promotion, or make ``layers`` to compare with those of others."""
    found = checkpoint_for(request.user, checkpoint_id, Role.CURATOR)
    try:
        _act(request, found)
    except Refusal as refusal:
        if refusal.status == 404:
            raise
        messages.error(request, str(refusal))
    return redirect("checkpoint", checkpoint_id=found.pk)


def _act(request: HttpRequest, found: Checkpoint) -> None:
    if found.project is None:
        raise Refusal("not_found", "A shipped checkpoint has no page.", 404)
    match request.POST.get("act"):
        case "promote":
            promote_checkpoint(found, project=found.project, user=request.user, evidence={"decided": "by hand"})
            messages.success(request, f"{found.project} uses {found} from now on.")
        case "undo":
            standing = standing_promotion(found.project)
            if standing is None or standing.checkpoint_id != found.pk or not undo_promotion(standing):
                raise Refusal("not_promoted", f"{found} is not what the project uses.", 409)
            messages.success(request, "Taken back.")
        case "layers":
            if start_checkpoint_layers(found, found.project) is None:
                raise Refusal("nothing_to_do", "It has learned from every picture that has layers.", 409)
        case _:
            raise Refusal("unknown_act", "There is no such act.")


def _figures(found: Checkpoint) -> list[tuple[str, str, str]]:
    snapshot = found.snapshot
    said = snapshot.composition.get("verdicts", {}) if snapshot else {}
    judges = snapshot.composition.get("judges", 0) if snapshot else 0
    return [
        ("Learned from", whole(snapshot.splits.get("train", 0)) if snapshot else "0", "accepted layers"),
        ("Verdicts", whole(sum(said.values())), f"by {whole(judges)} {'person' if judges == 1 else 'people'}"),
        ("Files", filesizeformat(found.size), f"SHA-256 {found.digest[:12]}"),
    ]


def _ancestors(found: Checkpoint) -> list[Checkpoint]:
    """The first one first, this one last."""
    line, at = [], found
    while at is not None:
        line.append(at)
        at = at.parent  # type: ignore[assignment]
    return line[::-1]


def _judges(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Pseudonym and layers judged; who is behind a pseudonym stands in no manifest."""
    rows: list[Any] = snapshot.composition.get("counts", {}).get("judge", [])
    return [(name, whole(count)) for name, count in rows[:JUDGES]]
