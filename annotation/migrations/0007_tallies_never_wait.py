"""Two transactions never share a shard of a tally.

With a shard by process number two connections could meet in one, take its rows in different orders and stop each
other for good: found by ``tests/annotation/test_chaos.py``. A transaction now takes the first shard that no other
open transaction has, without ever waiting, and keeps it until it ends.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION annotation_shard() RETURNS int LANGUAGE plpgsql AS $$
DECLARE shard int := nullif(current_setting('annotation.shard', true), '')::int;
BEGIN
    IF shard IS NULL THEN
        shard := pg_backend_pid() % 16;
        WHILE NOT pg_try_advisory_xact_lock('annotation_slottally'::regclass::oid::int, shard) LOOP
            shard := shard + 1;
        END LOOP;
        PERFORM set_config('annotation.shard', shard::text, true);
    END IF;
    RETURN shard;
END $$;
"""
REPLACE = """
DO $$
DECLARE tally record;
BEGIN
    FOR tally IN
        SELECT pg_get_functiondef(oid) AS definition FROM pg_proc
        WHERE proname LIKE 'annotation\\_tally\\_%%' AND pronamespace = current_schema()::regnamespace
    LOOP
        EXECUTE replace(tally.definition, '{old}', '{new}');
    END LOOP;
END $$;
"""
BY_PROCESS, BY_LOCK = "pg_backend_pid() %% 16", "annotation_shard()"


class Migration(migrations.Migration):
    dependencies = [("annotation", "0006_tally_triggers")]
    operations = [
        migrations.RunSQL(CREATE, "DROP FUNCTION annotation_shard()"),
        migrations.RunSQL(
            [(REPLACE.format(old=BY_PROCESS, new=BY_LOCK), [])],
            [(REPLACE.format(old=BY_LOCK, new=BY_PROCESS), [])],
        ),
    ]
