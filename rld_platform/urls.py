"""Addresses of the whole product."""

from django.contrib import admin
from django.urls import include, path

from rld_platform import api_docs, health, media

urlpatterns = [
    path("api/schema/", api_docs.schema, name="schema"),
    path("api/docs/", api_docs.page, name="api-docs"),
    path("api/", include("engine.urls")),
    path("api/", include("annotation.urls")),
    path("api/", include("training.urls")),
    path("api/", include("evaluation.urls")),
    path("media/<str:token>", media.serve, name="media"),
    path("healthz", health.live, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("django-admin/", admin.site.urls),
    path("", include("frontend.urls")),
]
