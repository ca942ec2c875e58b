"""Freeze accepted layers into a snapshot: read all of them at one moment, then store everything or nothing."""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC
from functools import partial
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from engine.models import Project
from engine.perceptual_hash import NEAR_DUPLICATE_BITS
from engine.refusals import Refusal
from engine.revision import code_revision
from training.composition import Composition
from training.manifest import Header, RowSum
from training.models import JobStatus, Snapshot
from training.rules import OnReserved, Rules, rules_from_json
from training.selectors.candidates import Pictures, chosen_layers, pictures_of
from training.services.doorbell import ring
from training.services.frozen_rows import Lines, lines_of, name_judges
from training.services.leases import claim, ended_as, heartbeat, write
from training.services.one_moment import one_moment
from training.services.reservations import refuse_reserved

AT_ONCE = 5000
"""Up to so many layers are frozen while somebody waits for the answer; more are left to a worker."""
DRAWERS = "0123456789abcdef"
"""Items are stored in the order of their layers, as the indexes have them: a third of the time. A layer's first digit
says in which drawer its item lies, and one drawer at a time is sorted in memory."""
COPY = """COPY training_snapshotitem (snapshot_id, layer_id, image_id, "row", split, leaf) FROM STDIN"""
# What is missing is looked up first, in the index of layers alone; an update would read every layer for it.
BURY = """
WITH missing AS MATERIALIZED (
    SELECT id FROM training_snapshotitem item
     WHERE snapshot_id = %(snapshot)s AND deleted_at IS NULL
       AND NOT EXISTS (SELECT FROM engine_layer layer WHERE layer.id = item.layer_id)
), buried AS (
    UPDATE training_snapshotitem item SET deleted_at = now()
      FROM missing WHERE item.id = missing.id AND deleted_at IS NULL
    RETURNING 1
)
UPDATE training_snapshot SET deleted_rows = deleted_rows + (SELECT count(*) FROM buried) WHERE id = %(snapshot)s
"""


def request_snapshot(*, project: Project, name: str, rules: Rules, user: Any = None) -> Snapshot:
    """Freeze now when that is quick, or leave it to a worker. Raises ``Refusal`` as ``freeze_snapshot``."""
    if chosen_layers(project, rules)[: AT_ONCE + 1].count() <= AT_ONCE:
        return freeze_snapshot(project=project, name=name, rules=rules, user=user)
    with transaction.atomic():
        snapshot = _new(project, name, rules, user)
        transaction.on_commit(partial(ring, "cpu"))
    return snapshot


def freeze_snapshot(*, project: Project, name: str, rules: Rules, user: Any = None) -> Snapshot:
    """Freeze in this process.

    Raises ``Refusal``: 400 ``no_name``; 409 ``name_taken``, ``nothing_to_freeze``, ``reserved_pictures``. Nothing is
    left behind then.
    """
    snapshot = claim(Snapshot, _new(project, name, rules, user).pk)
    assert snapshot is not None, "nobody else has seen it yet"
    try:
        work_on(snapshot)
    except Refusal:
        snapshot.delete()
        raise
    return snapshot


def work_on(snapshot: Snapshot) -> None:
    """Freeze a claimed snapshot. Raises ``Refusal``, or ``LeaseLost`` when it was cancelled or taken meanwhile."""
    started = time.perf_counter()
    rules = rules_from_json(snapshot.rules)
    name_judges(snapshot.project)
    with heartbeat(snapshot), ExitStack() as files:
        lines, *drawers = (files.enter_context(tempfile.TemporaryFile()) for _ in range(1 + len(DRAWERS)))
        items = dict(zip(DRAWERS, drawers, strict=True))
        header, composition = _read(snapshot, rules, lines, items)
        name = f"snapshots/{header.digest[:2]}/{header.digest}.jsonl"
        lines.seek(0)
        default_storage.save(name, File(lines))
        with transaction.atomic():
            with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(COPY) as copy:
                for drawer in drawers:
                    drawer.seek(0)
                    copy.write(b"".join(sorted(drawer)))
            write(
                snapshot,
                **ended_as(JobStatus.FINISHED),
                terms=header.terms,
                code_revision=header.code_revision,
                digest=header.digest,
                merkle_root=header.merkle_root,
                manifest=name,
                rows=header.rows,
                splits=header.splits,
                composition=composition.to_json(),
                seconds=time.perf_counter() - started,
            )
    bury_missing(snapshot)


def fail(snapshot: Snapshot, refusal: Refusal) -> None:
    write(snapshot, **ended_as(JobStatus.FAILED, reason=f"{refusal.code}: {refusal}"[:500]))


def bury_missing(snapshot: Snapshot) -> None:
    """Tombstones for layers that were deleted while their items were not there yet for the trigger to see."""
    with connection.cursor() as cursor:
        cursor.execute(BURY, {"snapshot": snapshot.pk})


def _new(project: Project, name: str, rules: Rules, user: Any) -> Snapshot:
    name = " ".join(name.split())[:120]
    if not name:
        raise Refusal("no_name", "A snapshot needs a name.")
    try:
        with transaction.atomic():
            return Snapshot.objects.create(project=project, name=name, rules=rules.to_json(), frozen_by=user)
    except IntegrityError as error:
        raise Refusal("name_taken", f"{project} has a snapshot {name} already; they never change.", 409) from error


def _read(
    snapshot: Snapshot, rules: Rules, lines: IO[bytes], items: Mapping[str, IO[bytes]]
) -> tuple[Header, Composition]:
    """Write the manifest's lines and the items' rows; the database is read as it is at one moment."""
    composition = Composition()
    with one_moment() as readers:
        pictures = pictures_of(snapshot.project, chosen_layers(snapshot.project, rules), rules)
        if rules.on_reserved == OnReserved.REFUSE:
            refuse_reserved(pictures.reserved, "They can be left out.")
        total = RowSum(snapshot.name, _terms(snapshot, rules, pictures), code_revision())
        for some in lines_of(snapshot.project, rules, pictures, readers=readers):
            lines.writelines(text + b"\n" for text in some.texts)
            leaves = total.add_all(some.ids, some.groups, some.facts.split, some.texts)
            for layer, item in _items(snapshot.pk, some, leaves):
                items[layer[0]].write(item)
            composition.add(some.facts)
    header = total.header(created_at=timezone.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    if not header.rows:
        raise Refusal("nothing_to_freeze", "No accepted layer fits these rules.", 409)
    return header, composition


def _items(snapshot: uuid.UUID, lines: Lines, leaves: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Layer and row of the table, as COPY takes it."""
    start = str(snapshot)
    columns = zip(lines.layers, lines.images, lines.ids, lines.facts.split, leaves, strict=True)
    for layer, image, row, split, leaf in columns:
        yield layer, f"{start}\t{layer}\t{image}\t{row}\t{split}\t\\\\x{leaf.hex()}\n".encode()


def _terms(snapshot: Snapshot, rules: Rules, pictures: Pictures) -> dict[str, Any]:
    return {
        "project": snapshot.project.name,
        "rules": rules.to_json(),
        "near_duplicate_bits": NEAR_DUPLICATE_BITS,
        "groups": len(pictures.split_of),
        "reserved_left_out": len(pictures.reserved),
    }
