"""Snapshots: the rules and what they would take, freezing, what a frozen one holds, and its exports."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.views.decorators.http import require_POST, require_safe

from engine.models import Layer, Project, Role
from engine.refusals import Refusal
from engine.selectors.access import is_at_least, project_for, role_of
from frontend.forms import SnapshotRules
from frontend.pictures import view_box
from frontend.views.figures import percent, whole, words
from frontend.views.rendering import page, refusals_as_errors
from frontend.views.tables import Table, csv_answer
from training.composition import LONG_EDGES
from training.manifest import SPLITS
from training.models import Export, ExportFormat, JobStatus, Snapshot
from training.rules import Rules
from training.selectors.candidates import Preview, accepted_layers, preview
from training.selectors.snapshots import (
    difference,
    example_layers,
    export_for,
    frozen_for,
    snapshot_for,
    snapshots_of,
)
from training.services.exports import start_export
from training.services.freezing import request_snapshot
from training.services.leases import cancel

AT_ONCE = 20_000
"""With more accepted layers than this the preview waits to be asked for."""
MOST = 50
EXAMPLES = 24
BARS = 10
TONES = {"running": "accent", "finished": "good", "failed": "bad"}
TITLES = {
    "split": "Split",
    "kind": "Kind",
    "label": "Category",
    "producer": "Made by",
    "licence": "Licence of the photo",
    "hidden": "Hidden in the photo",
    "area": "Part of the photo",
    "long_edge": "Long edge of the photo",
    "prompts": "Prompts",
    "judge": "Judged by",
}


@require_safe
@login_required
@refusals_as_errors
def snapshots(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug)
    may_curate = is_at_least(role_of(request.user, project), Role.CURATOR)
    return _list_page(request, project, may_curate, SnapshotRules(project, request.GET) if may_curate else None)


@require_POST
@login_required
@refusals_as_errors
def snapshot_freeze(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Role.CURATOR)
    form = SnapshotRules(project, request.POST)
    if not form.is_valid():
        return _list_page(request, project, True, form)
    name = request.POST.get("name", "").replace("\0", "")
    try:
        snapshot = request_snapshot(project=project, name=name, rules=form.rules(), user=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _list_page(request, project, True, form, name=name)
    return redirect("snapshot", snapshot_id=snapshot.pk)


@require_safe
@login_required
@refusals_as_errors
def snapshot(request: HttpRequest, snapshot_id: uuid.UUID) -> HttpResponseBase:
    found = snapshot_for(request.user, snapshot_id)
    if "csv" in request.GET:
        tables = {"composition": lambda: _composition(found)} if found.is_frozen else {}
        return csv_answer(tables, request.GET["csv"], found.name)
    may_curate = is_at_least(role_of(request.user, found.project), Role.CURATOR)
    exports = list(found.exports.select_related("started_by")) if may_curate else []
    others = snapshots_of(request.user, found.project).filter(status=JobStatus.FINISHED).exclude(pk=found.pk)
    return page(
        request,
        "frontend/snapshot.html",
        here="Projects",
        project=found.project,
        snapshot=found,
        tone=TONES.get(found.status, ""),
        may_curate=may_curate,
        figures=_figures(found) if found.is_frozen else [],
        charts=[(TITLES[name], _bars(name, found)) for name in TITLES] if found.is_frozen else [],
        examples=[(layer, _box(layer)) for layer in example_layers(found, EXAMPLES)] if found.is_frozen else [],
        rules=_rules(found.rules),
        exports=[_export(export) for export in exports],
        is_live=found.is_live or any(export.is_live for export in exports),
        formats=ExportFormat.choices,
        others=others[:20],
    )


@require_safe
@login_required
@refusals_as_errors
def snapshot_diff(request: HttpRequest, snapshot_id: uuid.UUID) -> HttpResponse:
    """What is new in this snapshot since the one in ``?since=``."""
    try:
        since = uuid.UUID(request.GET.get("since", ""))
    except ValueError:
        return redirect("snapshot", snapshot_id=snapshot_id)
    new, old = frozen_for(request.user, snapshot_id), frozen_for(request.user, since)
    if new.project_id != old.project_id:
        raise Refusal("not_found", "There is no such snapshot in this project.", 404)
    found = difference(old, new)
    names = ("added", "removed", "changed", "moved", "unchanged")
    figures = [(name.capitalize(), whole(getattr(found, name))) for name in names]
    return page(
        request,
        "frontend/snapshot_diff.html",
        here="Projects",
        project=new.project,
        old=old,
        new=new,
        figures=figures,
        rules=[(words(name).capitalize(), _plain(before), _plain(after)) for name, before, after in found.rules],
        tables=[(TITLES[name], [_change(*row) for row in rows[:BARS]]) for name, rows in found.counts.items()],
        examples=[
            (name.capitalize(), [(layer, _box(layer)) for layer in layers])
            for name, layers in found.examples.items()
            if layers
        ],
    )


@require_POST
@login_required
@refusals_as_errors
def snapshot_export(request: HttpRequest, snapshot_id: uuid.UUID) -> HttpResponse:
    found = snapshot_for(request.user, snapshot_id, Role.CURATOR)
    try:
        start_export(snapshot=found, format=request.POST.get("format", ""), user=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect(f"/snapshots/{found.pk}/#exports")


@require_POST
@login_required
@refusals_as_errors
def export_cancel(request: HttpRequest, export_id: uuid.UUID) -> HttpResponse:
    export = export_for(request.user, export_id)
    if not cancel(export):
        messages.warning(request, "This export is over already.")
    return redirect(f"/snapshots/{export.snapshot_id}/#exports")


def _list_page(
    request: HttpRequest, project: Project, may_curate: bool, form: SnapshotRules | None, name: str = ""
) -> HttpResponse:
    shown, accepted = None, 0
    frozen = snapshots_of(request.user, project)[:MOST]
    if form is not None:
        accepted = accepted_layers(project, Rules())[: AT_ONCE + 1].count()
        if form.is_valid() and accepted and (accepted <= AT_ONCE or "preview" in request.GET):
            shown = preview(project, form.rules())
    return page(
        request,
        "frontend/snapshots.html",
        here="Projects",
        project=project,
        may_curate=may_curate,
        form=form,
        name=name,
        accepted=accepted,
        preview=shown,
        preview_figures=_preview_figures(shown) if shown else [],
        preview_counts=[(TITLES[key], rows) for key, rows in shown.counts.items()] if shown else [],
        chosen=form.chosen() if form else [],
        cards=[(found, TONES.get(found.status, ""), whole(found.rows)) for found in frozen],
    )


def _preview_figures(shown: Preview) -> list[tuple[str, str, str]]:
    splits = ", ".join(f"{whole(count)} {split}" for split, count in shown.splits.items())
    alike = shown.pictures - shown.groups
    return [
        ("Layers", whole(shown.layers), splits),
        ("Photos", whole(shown.pictures), f"{whole(alike)} look like another" if alike else "none looks like another"),
        ("Reserved photos", whole(len(shown.reserved)), f"with {whole(shown.reserved_layers)} layers"),
        ("Without a prompt", whole(shown.without_prompt), "layers left out"),
    ]


def _figures(found: Snapshot) -> list[tuple[str, str, str]]:
    made = found.composition
    said = made["verdicts"]
    judged, people = sum(said.values()), made["judges"]
    splits = ", ".join(f"{whole(found.splits[split])} {split}" for split in SPLITS if split in found.splits)
    return [
        ("Layers", whole(found.rows), splits),
        ("Photos", whole(made["pictures"]), f"{whole(made['labels'])} categories"),
        ("Verdicts", whole(judged), "by 1 person" if people == 1 else f"by {whole(people)} people"),
        ("Accepting", percent(said.get("accept", 0) / judged if judged else None), "of the counted verdicts"),
        ("Mended by hand", whole(made["repaired"]), "layers"),
    ]


def _bars(name: str, found: Snapshot) -> list[tuple[str, int, str]]:
    """Label, rows, rows as text."""
    rows = found.composition["counts"].get(name, [])
    if name in ("hidden", "area", "long_edge"):
        return [(_bin(name, value), count, whole(count)) for value, count in rows]
    bars = [(str(value) or "none stated", count, whole(count)) for value, count in rows[:BARS]]
    if rest := sum(count for _, count in rows[BARS:]):
        bars.append((f"{len(rows) - BARS} others", rest, whole(rest)))
    return bars


def _composition(found: Snapshot) -> Table:
    """Every value of every chart, also those that share a bar; a number is the lower end of its bin."""
    counts = found.composition["counts"]
    rows = [[TITLES[name], value, count] for name in TITLES for value, count in counts.get(name, [])]
    return Table("Composition", ["By", "Value", "Layers"], rows)


def _bin(name: str, low: float) -> str:
    if name == "long_edge":
        return f"from {whole(int(low))} px" if low else f"under {LONG_EDGES[1]} px"
    return "nothing" if low == 0 else f"from {low * 100:g} %"


def _change(value: str, before: int, after: int) -> tuple[str, str, str, str]:
    return value or "none stated", whole(before), whole(after), f"{after - before:+d}" if after != before else "0"


def _rules(rules: dict[str, Any]) -> list[tuple[str, str]]:
    return [(words(name).capitalize(), _plain(value)) for name, value in rules.items()]


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) or "none stated" for item in value) or "any"
    return "any" if value == "" else words(str(value))


def _export(export: Export) -> dict[str, Any]:
    rows = export.snapshot.rows
    return {
        "export": export,
        "tone": TONES.get(export.status, ""),
        "rows": whole(rows),
        "done": whole(export.rows_done),
        "total": rows,
        "size": filesizeformat(export.size),
    }


def _box(layer: Layer) -> str:
    return view_box(layer.box, layer.image.width, layer.image.height)
