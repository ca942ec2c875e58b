"""Snapshots as people look at them: lists, what they hold, what changed between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from engine.models import Layer, Project, Role
from engine.refusals import Refusal
from engine.selectors.access import projects_of, require_role
from training.models import Export, Snapshot, SnapshotItem

COMPARE = """
SELECT count(*) FILTER (WHERE old.id IS NULL), count(*) FILTER (WHERE new.id IS NULL),
       count(*) FILTER (WHERE old.leaf <> new.leaf), count(*) FILTER (WHERE old.leaf = new.leaf),
       count(*) FILTER (WHERE old.split <> new.split)
FROM (SELECT * FROM training_snapshotitem WHERE snapshot_id = %(old)s) old
FULL JOIN (SELECT * FROM training_snapshotitem WHERE snapshot_id = %(new)s) new ON old.layer_id = new.layer_id
"""
LIST = """
SELECT coalesce(new.layer_id, old.layer_id)
FROM (SELECT * FROM training_snapshotitem WHERE snapshot_id = %(old)s) old
FULL JOIN (SELECT * FROM training_snapshotitem WHERE snapshot_id = %(new)s) new ON old.layer_id = new.layer_id
WHERE {condition} ORDER BY coalesce(new."row", old."row") LIMIT %(most)s
"""
CONDITIONS = {"added": "old.id IS NULL", "removed": "new.id IS NULL", "changed": "old.leaf <> new.leaf"}


@dataclass(frozen=True, slots=True)
class Difference:
    """From ``old`` to ``new``. ``changed``: the same layer with another row: verdicts, prompts, split or label.

    ``examples``: some layers of each kind, as far as they are still there.
    """

    old: Snapshot
    new: Snapshot
    added: int
    removed: int
    changed: int
    unchanged: int
    moved: int
    rules: list[tuple[str, Any, Any]]
    counts: dict[str, list[tuple[Any, int, int]]]
    examples: dict[str, list[Layer]]


def snapshots_of(user: Any, project: Project | None = None) -> QuerySet[Snapshot]:
    """Snapshots this person may see, newest first."""
    found = Snapshot.objects.filter(project__in=projects_of(user)).select_related("project", "frozen_by")
    return found if project is None else found.filter(project=project)


def snapshot_for(user: Any, snapshot_id: Any, at_least: str = Role.VIEWER) -> Snapshot:
    """The snapshot. Raises ``Refusal``: 404 for strangers and unknown ids, 403 for too low a role."""
    snapshot = Snapshot.objects.select_related("project", "frozen_by").filter(pk=snapshot_id).first()
    if snapshot is None:
        raise Refusal("not_found", "There is no such snapshot.", 404)
    require_role(user, snapshot.project, at_least)
    return snapshot


def frozen_for(user: Any, snapshot_id: Any, at_least: str = Role.VIEWER) -> Snapshot:
    """The same, frozen; else ``Refusal`` 409 ``not_frozen``."""
    snapshot = snapshot_for(user, snapshot_id, at_least)
    if not snapshot.is_frozen:
        raise Refusal("not_frozen", f"{snapshot} is {snapshot.status}, not frozen.", 409)
    return snapshot


def find_snapshot(key: str, project: Project | None = None) -> Snapshot:
    """By id, or by name where it is one snapshot's only; for commands. Raises ``Refusal``."""
    found = Snapshot.objects.all() if project is None else Snapshot.objects.filter(project=project)
    named = list(found.filter(name=key).exclude(status__in=("failed", "cancelled"))[:2])
    if not named and len(key) == 36:
        named = list(found.filter(pk=key))
    if not named:
        raise Refusal("not_found", f"There is no snapshot {key}.", 404)
    if len(named) > 1:
        raise Refusal("ambiguous", f"Several projects have a snapshot {key}: name the project too.")
    return named[0]


def export_for(user: Any, export_id: Any, at_least: str = Role.CURATOR) -> Export:
    """The export. Raises ``Refusal`` as ``snapshot_for``."""
    export = Export.objects.select_related("snapshot__project", "started_by").filter(pk=export_id).first()
    if export is None:
        raise Refusal("not_found", "There is no such export.", 404)
    require_role(user, export.snapshot.project, at_least)
    return export


def exports_of(user: Any, project: Project | None = None) -> QuerySet[Export]:
    found = Export.objects.filter(snapshot__project__in=projects_of(user, Role.CURATOR)).select_related("snapshot")
    return found if project is None else found.filter(snapshot__project=project)


def example_layers(snapshot: Snapshot, most: int) -> list[Layer]:
    """Layers spread over the snapshot, as far as they are still there."""
    step = max(1, snapshot.rows // most)
    first = snapshot.items.order_by("pk").values_list("pk", flat=True).first() or 0
    wanted = [first + number * step for number in range(most)]
    items = SnapshotItem.objects.filter(snapshot=snapshot, pk__in=wanted, deleted_at=None)
    found = Layer.objects.select_related("image").in_bulk(items.values_list("layer_id", flat=True))
    return list(found.values())


def difference(old: Snapshot, new: Snapshot, most: int = 12) -> Difference:
    ids: dict[str, Any] = {"old": old.pk, "new": new.pk, "most": most}
    with connection.cursor() as cursor:
        cursor.execute(COMPARE, ids)
        added, removed, changed, unchanged, moved = cursor.fetchone()
        examples = {}
        for name, condition in CONDITIONS.items():
            cursor.execute(LIST.format(condition=condition), ids)
            layers = Layer.objects.select_related("image").in_bulk([row[0] for row in cursor.fetchall()])
            examples[name] = list(layers.values())
    rules = [
        (name, old.rules.get(name), new.rules.get(name))
        for name in new.rules
        if old.rules.get(name) != new.rules.get(name)
    ]
    counts = {name: _beside(old, new, name) for name in ("split", "kind", "label", "producer", "licence")}
    return Difference(old, new, added, removed, changed, unchanged, moved, rules, counts, examples)


def _beside(old: Snapshot, new: Snapshot, name: str) -> list[tuple[Any, int, int]]:
    before, after = (dict(snapshot.composition["counts"].get(name, [])) for snapshot in (old, new))
    values = sorted({*before, *after}, key=lambda value: (-abs(after.get(value, 0) - before.get(value, 0)), value))
    return [(value, before.get(value, 0), after.get(value, 0)) for value in values]
