"""The page on which a photo is taken apart by pointing: prompts in, layers out; only what is saved is kept."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from engine.models import Role, SourceImage
from engine.selectors.access import is_at_least, project_for, require_role, role_of
from frontend.views.rendering import refusals_as_errors
from training import predictors
from training.selectors.checkpoints import predictors_for

PHOTOS_SHOWN = 60


@require_safe
@login_required
@ensure_csrf_cookie
@refusals_as_errors
def playground(request: HttpRequest, slug: str) -> HttpResponse:
    """``?photo=`` is the photo on the table, without it the newest of the project; ``?checkpoint=`` is asked first."""
    project = project_for(request.user, slug)
    require_role(request.user, project, Role.ANNOTATOR)
    photos = list(project.images.order_by("-created_at", "-id")[:PHOTOS_SHOWN])
    asked = request.GET.get("photo")
    photo = _asked(project.images.all(), asked) if asked else next(iter(photos), None)
    known = predictors_for(request.user)
    wanted = request.GET.get("checkpoint") or project.checkpoint
    data = {
        "photo": photo and _facts(photo),
        "predictors": [{"name": one.name, "words": _words(one)} for one in known.values()],
        "urls": {
            "here": request.path,
            "back": reverse("project", args=[slug]),
            "sign_in": f"{reverse('sign-in')}?next={request.path}",
        },
    }
    context = {
        "project": project,
        "photo": photo,
        "photos": photos,
        "may_upload": is_at_least(role_of(request.user, project), Role.CURATOR),
        "predictors": list(known.values()),
        "first": wanted if wanted in known else predictors.DEFAULT,
        "playground_data": data,
    }
    return render(request, "frontend/playground.html", context)


def _facts(photo: SourceImage) -> dict[str, Any]:
    return {"id": str(photo.pk), "width": photo.width, "height": photo.height, "url": photo.picture.url}


def _asked(images: Any, key: str) -> SourceImage:
    with contextlib.suppress(ValueError):
        found: SourceImage | None = images.filter(pk=uuid.UUID(key)).first()
        if found is not None:
            return found
    raise Http404("no such photo")


def _words(predictor: predictors.Predictor) -> str:
    if predictor.folder is None:
        return "The data engine's cpu recipe, without any network: for comparison. It reads boxes and masks best."
    size = f"{predictor.size / 1e6:.1f} MB of weights"
    if predictor.is_small:
        return (
            f"A small network: {size}, seeing the object at 128 px. It shows how the tool works; "
            "fine hair, glass and large hidden parts are beyond it. It reads no text."
        )
    return f"{size}. It reads text too."
