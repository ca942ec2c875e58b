"""Calibrations of HPA over HTTP: what was fitted, and which version is used."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, pagination, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.api.asking import ProjectFilter, asked, refused
from engine.models import Role
from evaluation.models import Calibration
from evaluation.selectors.benchmarks import benchmark_for
from evaluation.selectors.calibrations import calibration_for, calibrations_of
from evaluation.services.calibrations import choose


class CalibrationSerializer(serializers.ModelSerializer[Calibration]):
    class Meta:
        model = Calibration
        fields = (
            "benchmark",
            "board",
            "version",
            "is_chosen",
            "producers",
            "is_enough",
            "weights",
            "slope",
            "intercept",
            "condition",
            "bounds_version",
            "networks_digest",
            "rows",
            "points",
            "drift",
            "foretelling",
            "made_at",
        )
        read_only_fields = fields


class LatestMade(pagination.CursorPagination):
    ordering = ("-made_at", "-id")
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100


class Calibrations(generics.ListAPIView[Calibration]):
    """Calibrations with the whole table of agreement, newest first."""

    serializer_class = CalibrationSerializer
    pagination_class = LatestMade

    def get_queryset(self) -> Any:
        return calibrations_of(self.request.user, asked(self.request, ProjectFilter).project_of(self.request.user))

    @extend_schema(parameters=[ProjectFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class ChooseCalibration(APIView):
    @extend_schema(request=None, responses={200: CalibrationSerializer, **refused(401, 403, 404)})
    def post(self, request: Request, benchmark_id: uuid.UUID, board: str, version: int) -> Response:
        """Use these weights on the benchmark's board from now on."""
        calibration = calibration_for(benchmark_for(request.user, benchmark_id, Role.CURATOR), board, version)
        choose(calibration)
        return Response(CalibrationSerializer(calibration).data)
