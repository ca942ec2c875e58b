"""What every page with the side bar shares: its frame, and plain 404 and 403 for refusals."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from engine.refusals import Refusal
from frontend.selectors import shell_of

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


def page(request: HttpRequest, template: str, here: str = "", **context: Any) -> HttpResponse:
    """Render a template that extends ``frontend/shell.html``; ``here`` is the name of its place in the side bar."""
    return render(request, template, {"shell": shell_of(request.user), "here": here, **context})


def refusals_as_errors(view: Callable[P, R]) -> Callable[P, R]:
    """A service's or selector's ``Refusal`` becomes the 404 or 403 page."""

    @functools.wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return view(*args, **kwargs)
        except Refusal as refusal:
            if refusal.status == 403:
                raise PermissionDenied(str(refusal)) from refusal
            if refusal.status == 404:
                raise Http404(str(refusal)) from refusal
            raise

    return wrapped
