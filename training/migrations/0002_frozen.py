"""A frozen snapshot says for ever what it said, and a layer that is deleted leaves its date in every one it is in."""

from django.db import migrations

FREEZE = """
CREATE FUNCTION training_forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER snapshot_says_what_it_said BEFORE UPDATE ON training_snapshot
FOR EACH ROW WHEN (OLD.status = 'finished' AND
    (OLD.status, OLD.project_id, OLD.name, OLD.rules, OLD.terms, OLD.code_revision, OLD.digest, OLD.merkle_root,
     OLD.manifest, OLD.rows, OLD.splits, OLD.composition)
    IS DISTINCT FROM
    (NEW.status, NEW.project_id, NEW.name, NEW.rules, NEW.terms, NEW.code_revision, NEW.digest, NEW.merkle_root,
     NEW.manifest, NEW.rows, NEW.splits, NEW.composition)
) EXECUTE FUNCTION training_forbid_change();
CREATE TRIGGER item_says_what_it_said BEFORE UPDATE ON training_snapshotitem
FOR EACH ROW WHEN (
    (OLD.snapshot_id, OLD.layer_id, OLD.image_id, OLD."row", OLD.split, OLD.leaf)
    IS DISTINCT FROM (NEW.snapshot_id, NEW.layer_id, NEW.image_id, NEW."row", NEW.split, NEW.leaf)
) EXECUTE FUNCTION training_forbid_change();

CREATE FUNCTION training_bury() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH buried AS (
        UPDATE training_snapshotitem item SET deleted_at = now() FROM gone
        WHERE item.layer_id = gone.id AND item.deleted_at IS NULL
        RETURNING item.snapshot_id
    ), counted AS (
        SELECT snapshot_id, count(*) AS layers FROM buried GROUP BY snapshot_id
    )
    UPDATE training_snapshot snapshot SET deleted_rows = deleted_rows + counted.layers
    FROM counted WHERE snapshot.id = counted.snapshot_id;
    RETURN NULL;
END $$;
CREATE TRIGGER deleted_layer_leaves_a_tombstone AFTER DELETE ON engine_layer
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION training_bury();
"""
THAW = """
DROP TRIGGER deleted_layer_leaves_a_tombstone ON engine_layer;
DROP FUNCTION training_bury();
DROP TRIGGER item_says_what_it_said ON training_snapshotitem;
DROP TRIGGER snapshot_says_what_it_said ON training_snapshot;
DROP FUNCTION training_forbid_change();
"""


class Migration(migrations.Migration):
    dependencies = [("training", "0001_initial"), ("engine", "0003_layer_origin")]
    operations = [migrations.RunSQL(FREEZE, THAW)]
