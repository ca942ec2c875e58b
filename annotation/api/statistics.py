"""Work over time, in columns ready for charts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api.views import REFUSALS
from annotation.selectors.dashboard import is_by_day, usernames, work_done
from engine.models import Role
from engine.selectors.access import is_at_least, project_for, role_of


class ThroughputQuery(serializers.Serializer[Any]):
    project = serializers.CharField(max_length=140, help_text="Id, slug or name.")
    days = serializers.IntegerField(
        min_value=1, max_value=3650, required=False, help_text="The last so many days; all of the project without."
    )


class ThroughputColumns(serializers.Serializer[Any]):
    """Columns of equal length: one entry per hour (up to three days) or day, person and decision."""

    start = serializers.ListField(child=serializers.DateTimeField(), help_text="Of the hour or day, UTC.")
    step_s = serializers.IntegerField()
    person = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="User names; for admins only, others get sums."
    )
    decision = serializers.ListField(child=serializers.CharField())
    verdicts = serializers.ListField(child=serializers.IntegerField())
    counted = serializers.ListField(child=serializers.IntegerField())
    active_s = serializers.ListField(child=serializers.FloatField())


class Throughput(APIView):
    @extend_schema(parameters=[ThroughputQuery], responses={200: ThroughputColumns, **REFUSALS})
    def get(self, request: Request) -> Response:
        """Decisions and active time per hour or day, for curators; admins see them per person."""
        query = ThroughputQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        project = project_for(request.user, query.validated_data["project"], Role.CURATOR)
        now, days = timezone.now(), query.validated_data.get("days")
        since = now - timedelta(days=days) if days else None
        compares = is_at_least(role_of(request.user, project), Role.ADMIN)
        sums: dict[tuple[Any, ...], list[int]] = {}
        for row in work_done(project, since, now):
            key = (row.start, row.annotator_id if compares else 0, row.decision)
            total = sums.setdefault(key, [0, 0, 0])
            for place, value in enumerate((row.verdicts, row.counted, row.active_ms)):
                total[place] += value
        names = usernames({person for _, person, _ in sums}) if compares else {}
        return Response(
            {
                "step_s": 86_400 if is_by_day(since, now) else 3_600,
                "start": [start for start, _, _ in sums],
                **({"person": [names[person] for _, person, _ in sums]} if compares else {}),
                "decision": [decision for _, _, decision in sums],
                "verdicts": [total[0] for total in sums.values()],
                "counted": [total[1] for total in sums.values()],
                "active_s": [total[2] / 1000 for total in sums.values()],
            }
        )
