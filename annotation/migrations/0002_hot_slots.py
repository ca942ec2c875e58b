"""Slots are rewritten often: leave room on their pages, and vacuum them long before a fifth of them is dead."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE annotation_slot SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, "
            "autovacuum_analyze_scale_factor = 0.02)",
            "ALTER TABLE annotation_slot RESET (fillfactor, autovacuum_vacuum_scale_factor, "
            "autovacuum_analyze_scale_factor)",
        )
    ]
