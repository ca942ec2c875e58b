"""Every error of the API has one shape: ``{"code", "detail"}``, and ``"fields"`` where input was invalid."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from engine.refusals import Refusal


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. A ``Refusal`` of a service carries its own code and status."""
    if isinstance(error, Refusal):
        return Response({"code": error.code, "detail": str(error)}, status=error.status)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        fields = error.get_full_details()
        if isinstance(fields, list):
            fields = {"non_field_errors": fields}
        response.data = {"code": "invalid", "detail": "Some fields are not valid.", "fields": fields}
    else:
        detail = getattr(error, "detail", None)
        code = getattr(detail, "code", None) or _code_of(response.status_code)
        response.data = {"code": code, "detail": str(detail or error)}
    return response


def _code_of(status_code: int) -> str:
    return {status.HTTP_404_NOT_FOUND: "not_found", status.HTTP_403_FORBIDDEN: "forbidden"}.get(status_code, "error")
