"""The page on which a layer is mended by hand."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from annotation.models import DefectKind, Rework, Verdict
from engine.models import Layer
from engine.records import LayerKind
from engine.refusals import Refusal
from engine.selectors.layers import stack_of
from engine.selectors.repairs import layer_to_mend, repair_for
from engine.services.repairs import discard_repair
from frontend.views.rendering import refusals_as_errors


@require_safe
@login_required
@ensure_csrf_cookie
@refusals_as_errors
def repair(request: HttpRequest, layer_id: uuid.UUID) -> HttpResponse:
    """The draft itself is opened by the page through the API: looking at a page writes nothing."""
    layer = layer_to_mend(request.user, layer_id)
    image = layer.image
    in_front = stack_of(layer).filter(depth__lt=layer.depth, kind=LayerKind.FOREGROUND)
    data = {
        "layer": {
            "id": str(layer.pk),
            "label": layer.label,
            "rgba_url": layer.rgba.url,
            "area_share": layer.area_share,
            "hidden_share": layer.hidden_share,
            "soft_share": layer.soft_share,
        },
        "source": {"width": image.width, "height": image.height, "url": image.picture.url},
        "has_cover": in_front.exists(),
        "pins": own_pins(request.user, layer),
        "urls": {
            "back": reverse("review", args=[layer.project.slug]),
            "sign_in": f"{reverse('sign-in')}?next={request.path}",
        },
    }
    returned = Rework.objects.filter(layer=layer, author=request.user.pk, closed_at=None).first()
    context = {"layer": layer, "project": layer.project, "image": image, "returned": returned, "repair_data": data}
    return render(request, "frontend/repair.html", context)


@require_POST
@login_required
@refusals_as_errors
def repair_discard(request: HttpRequest, repair_id: uuid.UUID) -> HttpResponse:
    """Throw a draft away, from the home page."""
    draft = repair_for(request.user, repair_id)
    try:
        discard_repair(draft)
        messages.success(request, f"The draft of {draft.layer.label} is gone.")
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("home")


def own_pins(user: Any, layer: Layer) -> list[dict[str, Any]]:
    """The defects that this person put a pin on; what others said stays with them."""
    said = Verdict.objects.filter(layer=layer, annotator=user, undone_at=None).first()
    kinds = DefectKind.values
    return [
        {"number": kinds.index(defect["kind"]) + 1, "x": defect["x"], "y": defect["y"]}
        for defect in (said.defects if said else [])
        if defect["x"] is not None
    ]
