"""Django's admin over the data engine, for operators: to look, not to work in."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from engine.models import (
    ApiToken,
    EngineRun,
    Layer,
    Membership,
    Producer,
    Project,
    Repair,
    RunItem,
    SourceImage,
    StageRun,
    Worker,
)


class LookOnly(admin.ModelAdmin):
    """Statuses change in services only, by compare-and-set; a form that saves whole rows would undo that."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class Memberships(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    list_display = ("name", "recipe", "needed_judgements", "created_at")
    search_fields = ("name", "slug")
    inlines = (Memberships,)


@admin.register(SourceImage)
class SourceImageAdmin(LookOnly):
    list_display = ("original_name", "project", "width", "height", "created_at")
    list_filter = ("project",)
    search_fields = ("original_name", "sha256")


@admin.register(EngineRun)
class EngineRunAdmin(LookOnly):
    list_display = ("id", "project", "recipe_name", "status", "started_by", "created_at", "finished_at")
    list_filter = ("status", "recipe_name", "project")


@admin.register(RunItem)
class RunItemAdmin(LookOnly):
    list_display = ("id", "run", "image", "status", "stages_done", "attempts", "worker", "reason")
    list_filter = ("status",)
    list_select_related = ("run__project", "image", "worker")


@admin.register(StageRun)
class StageRunAdmin(LookOnly):
    list_display = ("run", "stage", "backend", "outcome", "seconds", "reason")
    list_filter = ("stage", "outcome")
    list_select_related = ("run__project",)


@admin.register(Layer)
class LayerAdmin(LookOnly):
    list_display = ("label", "kind", "status", "project", "producer", "drop_reason", "created_at")
    list_filter = ("status", "kind", "project")
    list_select_related = ("project", "producer")


@admin.register(Repair)
class RepairAdmin(LookOnly):
    list_display = ("layer", "author", "status", "created_at", "updated_at")
    list_filter = ("status",)
    list_select_related = ("layer__image", "author")


@admin.register(Producer)
class ProducerAdmin(LookOnly):
    list_display = ("name", "kind", "digest", "created_at")


@admin.register(Worker)
class WorkerAdmin(LookOnly):
    list_display = ("name", "queue", "device", "memory_mb", "doing", "heartbeat_at")


@admin.register(ApiToken)
class ApiTokenAdmin(LookOnly):
    list_display = ("name", "user", "created_at", "last_used_at")
    list_select_related = ("user",)
