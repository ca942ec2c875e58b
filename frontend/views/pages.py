"""Sign-in, home and review: the pages of somebody who judges layers."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from annotation.selectors.reviewing import returned_to
from engine.models import Layer, Role
from engine.selectors.access import project_for
from engine.selectors.repairs import drafts_of, end_of
from frontend import selectors
from frontend.charts import bar_chart
from frontend.pictures import view_box
from frontend.views.rendering import page, refusals_as_errors
from frontend.views.tables import Table, csv_answer


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "This name and password do not fit together. Mind capital letters, then try again.",
        "inactive": "This account is switched off. Ask an admin.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, hint in (("username", "Type your name."), ("password", "Type your password.")):
            self.fields[name].widget.attrs["class"] = "input"
            self.fields[name].error_messages["required"] = hint


class SignIn(LoginView):
    template_name = "frontend/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    day = selectors.day_of(request.user)
    if "csv" in request.GET:
        return csv_answer({"hours": lambda: hours_table(day)}, request.GET["csv"], request.user.get_username())
    chart = bar_chart([count for _, count in day.hours], [hour.isoformat() for hour, _ in day.hours], label_every=4)
    return page(
        request,
        "frontend/home.html",
        here="Home",
        queues=selectors.queues_of(request.user),
        day=day,
        chart=chart,
        latest=selectors.latest_decisions(request.user),
        returned=[(rework, box_of(rework.layer)) for rework in returned_to(request.user)],
        drafts=[(draft, box_of(draft.layer), end_of(draft)) for draft in drafts_of(request.user)],
    )


@require_safe
@login_required
@ensure_csrf_cookie
@refusals_as_errors
def review(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Role.ANNOTATOR)
    data = selectors.review_data(request.user, project)
    return render(request, "frontend/review.html", {"project": project, "review_data": data})


def hours_table(day: selectors.Day) -> Table:
    return Table("Decisions per hour", ["Hour", "Decisions"], [[hour.isoformat(), count] for hour, count in day.hours])


def box_of(layer: Layer) -> str:
    return view_box(layer.box, layer.image.width, layer.image.height)
