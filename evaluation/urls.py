"""The evaluation part of the API."""

from __future__ import annotations

from django.urls import path

from evaluation.api import views

urlpatterns = [path("leaderboard/", views.Leaderboard.as_view(), name="leaderboard")]
