"""Addresses of the pages."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path

from frontend.views import (
    arena,
    dashboard,
    dashboard_acts,
    disputes,
    history,
    pages,
    playground,
    projects,
    quality,
    repair,
    reviewing,
    runs,
    snapshots,
)

urlpatterns: list[URLPattern] = [
    path("", pages.home, name="home"),
    path("projects/<slug:slug>/review/", pages.review, name="review"),
    path("projects/<slug:slug>/compare/", arena.vote, name="vote"),
    path("projects/<slug:slug>/arena/", arena.arena, name="arena"),
    path("projects/<slug:slug>/arena/votes.csv", arena.arena_votes, name="arena-votes"),
    path("projects/<slug:slug>/arena/calibration/", arena.calibration, name="calibration"),
    path("projects/<slug:slug>/playground/", playground.playground, name="playground"),
    path("layers/<uuid:layer_id>/repair/", repair.repair, name="repair"),
    path("drafts/<uuid:repair_id>/discard/", repair.repair_discard, name="repair-discard"),
    path("projects/<slug:slug>/snapshots/", snapshots.snapshots, name="snapshots"),
    path("projects/<slug:slug>/snapshots/freeze/", snapshots.snapshot_freeze, name="snapshot-freeze"),
    path("snapshots/<uuid:snapshot_id>/", snapshots.snapshot, name="snapshot"),
    path("snapshots/<uuid:snapshot_id>/diff/", snapshots.snapshot_diff, name="snapshot-diff"),
    path("snapshots/<uuid:snapshot_id>/exports/", snapshots.snapshot_export, name="snapshot-export"),
    path("exports/<uuid:export_id>/cancel/", snapshots.export_cancel, name="export-cancel"),
    path("sign-in/", pages.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("projects/", projects.projects, name="projects"),
    path("projects/<slug:slug>/", projects.project, name="project"),
    path("projects/<slug:slug>/upload/", projects.project_upload, name="project-upload"),
    path("projects/<slug:slug>/runs/", runs.project_runs, name="project-runs"),
    path("projects/<slug:slug>/settings/", projects.project_settings, name="project-settings"),
    path("projects/<slug:slug>/quality/", quality.project_quality, name="project-quality"),
    path("projects/<slug:slug>/assignees/", quality.project_assignee, name="project-assignee"),
    path("projects/<slug:slug>/members/", projects.project_members, name="project-members"),
    path("projects/<slug:slug>/dashboard/", dashboard.dashboard, name="dashboard"),
    path("projects/<slug:slug>/dashboard/act/", dashboard_acts.dashboard_act, name="dashboard-act"),
    path("dashboard/acts/<uuid:act_id>/cancel/", dashboard_acts.dashboard_act_cancel, name="dashboard-act-cancel"),
    path("projects/<slug:slug>/dashboard/<slug:table>.csv", dashboard.dashboard_csv, name="dashboard-csv"),
    path("projects/<slug:slug>/disputes/", disputes.disputes, name="disputes"),
    path("projects/<slug:slug>/doubtful/", reviewing.doubtful, name="doubtful"),
    path("projects/<slug:slug>/flagged/", reviewing.flagged, name="flagged"),
    path("layers/<uuid:layer_id>/history/", history.history, name="history"),
    path("layers/<uuid:layer_id>/history/act/", history.history_act, name="history-act"),
    path("disputes/<uuid:adjudication_id>/decide/", disputes.dispute_decide, name="dispute-decide"),
    path("runs/<uuid:run_id>/", runs.run, name="run"),
    path("runs/<uuid:run_id>/cancel/", runs.run_cancel, name="run-cancel"),
    path("runs/<uuid:run_id>/retry/", runs.run_retry, name="run-retry"),
    path("runs/<uuid:run_id>/pictures/<uuid:item_id>/", runs.run_picture, name="run-picture"),
]
