"""Audit events are added only, and a verdict never says anything else than it said. Tests and restores may truncate."""

from django.db import migrations

FORBID = """
CREATE FUNCTION annotation_forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON annotation_auditevent
FOR EACH ROW EXECUTE FUNCTION annotation_forbid_change();
CREATE TRIGGER verdict_says_what_it_said BEFORE UPDATE ON annotation_verdict
FOR EACH ROW WHEN (
    (OLD.project_id, OLD.layer_id, OLD.slot_id, OLD.annotator_id, OLD.decision, OLD.defects, OLD.note, OLD.client_id,
     OLD.active_ms)
    IS DISTINCT FROM
    (NEW.project_id, NEW.layer_id, NEW.slot_id, NEW.annotator_id, NEW.decision, NEW.defects, NEW.note, NEW.client_id,
     NEW.active_ms)
) EXECUTE FUNCTION annotation_forbid_change();
"""
ALLOW = """
DROP TRIGGER verdict_says_what_it_said ON annotation_verdict;
DROP TRIGGER audit_is_append_only ON annotation_auditevent;
DROP FUNCTION annotation_forbid_change();
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0003_quality")]
    operations = [migrations.RunSQL(FORBID, ALLOW)]
