"""Predictions, for the person who asked."""

from __future__ import annotations

from typing import Any

from engine.models import Role, SourceImage
from engine.refusals import Refusal
from engine.selectors.access import require_role, role_of
from training.models import Prediction


def image_to_ask(user: Any, image_id: Any) -> SourceImage:
    """The picture. Raises ``Refusal``: 404 for strangers and unknown ids, 403 below annotator."""
    image = SourceImage.objects.select_related("project").filter(pk=image_id).first()
    if image is None or role_of(user, image.project) is None:
        raise Refusal("not_found", "There is no such image.", 404)
    require_role(user, image.project, Role.ANNOTATOR)
    return image


def prediction_for(user: Any, prediction_id: Any) -> Prediction:
    """One's own, while one may still see its picture. Raises ``Refusal`` 404 ``not_found``."""
    found = Prediction.objects.select_related("image__project").filter(pk=prediction_id, asked_by=user.pk).first()
    if found is None or role_of(user, found.image.project) is None:
        raise Refusal("not_found", "There is no such prediction.", 404)
    return found
