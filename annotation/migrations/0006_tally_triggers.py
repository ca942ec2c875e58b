"""Triggers that keep the tallies. One per statement, not per row, so that a million rows at once cost little more."""

from django.db import migrations

TALLIES = {
    "verdicts": (
        "annotation_verdict",
        """
        INSERT INTO annotation_verdicttally AS tally
               (project_id, hour, annotator_id, decision, verdicts, counted, active_ms)
        SELECT project_id, date_trunc('hour', created_at, 'UTC'), annotator_id, decision,
               sum(sign), sum(sign * is_counted::int), sum(sign * active_ms::bigint)
        FROM {changes} WHERE undone_at IS NULL GROUP BY 1, 2, 3, 4
        HAVING (sum(sign), sum(sign * is_counted::int), sum(sign * active_ms::bigint)) <> (0, 0, 0)
        ORDER BY 1, 2, 3, 4
        ON CONFLICT (project_id, hour, annotator_id, decision) DO UPDATE SET
            verdicts = tally.verdicts + excluded.verdicts, counted = tally.counted + excluded.counted,
            active_ms = tally.active_ms + excluded.active_ms;
        INSERT INTO annotation_defecttally AS tally (project_id, hour, annotator_id, kind, verdicts)
        SELECT project_id, date_trunc('hour', created_at, 'UTC'), annotator_id, named.kind, sum(sign)
        FROM {changes}
        CROSS JOIN LATERAL (SELECT DISTINCT defect ->> 'kind' AS kind FROM jsonb_array_elements(defects) defect) named
        WHERE undone_at IS NULL GROUP BY 1, 2, 3, 4 HAVING sum(sign) <> 0 ORDER BY 1, 2, 3, 4
        ON CONFLICT (project_id, hour, annotator_id, kind) DO UPDATE SET verdicts = tally.verdicts + excluded.verdicts;
        """,
    ),
    "slots": (
        "annotation_slot",
        """
        INSERT INTO annotation_slottally AS tally (project_id, purpose, status, shard, slots)
        SELECT project_id, purpose, status, pg_backend_pid() % 16, sum(sign)
        FROM {changes} GROUP BY 1, 2, 3 HAVING sum(sign) <> 0 ORDER BY 1, 2, 3
        ON CONFLICT (project_id, purpose, status, shard) DO UPDATE SET slots = tally.slots + excluded.slots;
        """,
    ),
    "layers": (
        "engine_layer",
        """
        INSERT INTO annotation_layertally AS tally (project_id, producer_id, kind, label, status, shard, layers)
        SELECT project_id, producer_id, kind, label, status, pg_backend_pid() % 16, sum(sign)
        FROM {changes} GROUP BY 1, 2, 3, 4, 5 HAVING sum(sign) <> 0 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (project_id, producer_id, kind, label, status, shard)
        DO UPDATE SET layers = tally.layers + excluded.layers;
        """,
    ),
}
CHANGES = {
    "insert": ("NEW TABLE AS fresh", "(SELECT fresh.*, 1 AS sign FROM fresh) AS change"),
    "update": (
        "OLD TABLE AS stale NEW TABLE AS fresh",
        "(SELECT fresh.*, 1 AS sign FROM fresh UNION ALL SELECT stale.*, -1 FROM stale) AS change",
    ),
    "delete": ("OLD TABLE AS stale", "(SELECT stale.*, -1 AS sign FROM stale) AS change"),
}
ALL = "(SELECT {table}.*, 1 AS sign FROM {table}) AS change"
CREATE = """
CREATE FUNCTION annotation_tally_{name}_{verb}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {count}
    RETURN NULL;
END $$;
CREATE TRIGGER tally_{verb} AFTER {verb} ON {table} REFERENCING {tables}
FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_{name}_{verb}();
"""
DROP = """
DROP TRIGGER tally_{verb} ON {table};
DROP FUNCTION annotation_tally_{name}_{verb}();
"""
FILLFACTOR = "ALTER TABLE annotation_{name}tally SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);"


def statements():
    for name, (table, count) in TALLIES.items():
        for verb, (tables, changes) in CHANGES.items():
            names = {"name": name, "verb": verb, "table": table}
            create = CREATE.format(**names, tables=tables, count=count.format(changes=changes))
            yield create, DROP.format(**names)
        yield count.format(changes=ALL.format(table=table)), ""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0005_counters")]
    operations = [
        *[migrations.RunSQL(FILLFACTOR.format(name=name), "") for name in ("verdict", "defect", "slot", "layer")],
        *[migrations.RunSQL(create, drop) for create, drop in statements()],
    ]
