"""The data engine's part of the API."""

from __future__ import annotations

from django.urls import URLPattern, path

from engine.api.images import Images
from engine.api.layers import LayerById, Layers
from engine.api.projects import Projects, Recipes
from engine.api.repairs import PreviewRepair, RepairById, Repairs, SubmitRepair
from engine.api.runs import CancelRun, RerunStage, RetryRun, Run, Runs
from engine.api.stats import Funnel
from engine.api.tokens import Token, Tokens

urlpatterns: list[URLPattern] = [
    path("tokens/", Tokens.as_view(), name="api-tokens"),
    path("tokens/<uuid:token_id>/", Token.as_view(), name="api-token"),
    path("projects/", Projects.as_view(), name="api-projects"),
    path("recipes/", Recipes.as_view(), name="api-recipes"),
    path("images/", Images.as_view(), name="api-images"),
    path("runs/", Runs.as_view(), name="api-runs"),
    path("runs/<uuid:run_id>/", Run.as_view(), name="api-run"),
    path("runs/<uuid:run_id>/cancel/", CancelRun.as_view(), name="api-run-cancel"),
    path("runs/<uuid:run_id>/retry/", RetryRun.as_view(), name="api-run-retry"),
    path("runs/<uuid:run_id>/rerun/", RerunStage.as_view(), name="api-run-rerun"),
    path("layers/", Layers.as_view(), name="api-layers"),
    path("layers/<uuid:layer_id>/", LayerById.as_view(), name="api-layer"),
    path("repairs/", Repairs.as_view(), name="api-repairs"),
    path("repairs/<uuid:repair_id>/", RepairById.as_view(), name="api-repair"),
    path("repairs/<uuid:repair_id>/preview/", PreviewRepair.as_view(), name="api-repair-preview"),
    path("repairs/<uuid:repair_id>/submit/", SubmitRepair.as_view(), name="api-repair-submit"),
    path("stats/funnel/", Funnel.as_view(), name="api-funnel"),
]
