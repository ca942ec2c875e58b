"""The tallies made anew from the truth. Triggers keep them right; this repairs them after a restore without those."""

from __future__ import annotations

from django.db import connection, transaction

from annotation.models import DefectTally, LayerTally, SlotTally, VerdictTally
from engine.models import Project

REBUILD = """
INSERT INTO annotation_verdicttally (project_id, hour, annotator_id, decision, verdicts, counted, active_ms)
SELECT project_id, date_trunc('hour', created_at, 'UTC'), annotator_id, decision,
       count(*), count(*) FILTER (WHERE is_counted), sum(active_ms)
FROM annotation_verdict WHERE project_id = %(project)s AND undone_at IS NULL GROUP BY 1, 2, 3, 4;
INSERT INTO annotation_defecttally (project_id, hour, annotator_id, kind, verdicts)
SELECT project_id, date_trunc('hour', created_at, 'UTC'), annotator_id, defect ->> 'kind', count(DISTINCT verdict.id)
FROM annotation_verdict verdict CROSS JOIN LATERAL jsonb_array_elements(defects) AS defect
WHERE project_id = %(project)s AND undone_at IS NULL GROUP BY 1, 2, 3, 4;
INSERT INTO annotation_slottally (project_id, purpose, status, shard, slots)
SELECT project_id, purpose, status, 0, count(*)
FROM annotation_slot WHERE project_id = %(project)s GROUP BY 1, 2, 3;
INSERT INTO annotation_layertally (project_id, producer_id, kind, label, status, shard, layers)
SELECT project_id, producer_id, kind, label, status, 0, count(*)
FROM engine_layer WHERE project_id = %(project)s GROUP BY 1, 2, 3, 4, 5;
"""


def rebuild_counters(project: Project) -> None:
    """Count a project's verdicts, slots and layers again. Nobody judges in the meantime: writers wait."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE annotation_slot, annotation_verdict, engine_layer IN SHARE MODE")
        for tally in (VerdictTally, DefectTally, SlotTally, LayerTally):
            tally.objects.filter(project=project).delete()
        cursor.execute(REBUILD, {"project": project.pk})
