"""Benchmarks over HTTP: freeze one, watch it, read its board."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.api.asking import ProjectFilter, asked, refused
from engine.models import Role
from engine.records import LayerKind
from engine.selectors.access import project_for
from evaluation.models import Benchmark
from evaluation.selectors.benchmarks import benchmark_for, benchmarks_of, board_of_scores, network_sets
from evaluation.services.benchmarks import MOST_LAYERS, freeze_layers, watch

BOARDS = [(kind.value, kind.value) for kind in LayerKind]


class NewBenchmark(serializers.Serializer[Any]):
    project = serializers.CharField(max_length=140, help_text="Id, slug or name.")
    name = serializers.CharField(max_length=120)
    layers = serializers.ListField(
        child=serializers.UUIDField(), allow_empty=False, max_length=MOST_LAYERS, help_text="Accepted ones."
    )


class BenchmarkSerializer(serializers.ModelSerializer[Benchmark]):
    size = serializers.IntegerField(read_only=True, help_text="Prompts; 0 for one that is known by reports only.")

    class Meta:
        model = Benchmark
        fields = ("id", "project", "name", "origin", "terms", "digest", "size", "is_watched", "created_at")
        read_only_fields = fields


class BoardFilter(serializers.Serializer[Any]):
    board = serializers.ChoiceField(BOARDS, default=BOARDS[0][0])
    networks = serializers.CharField(
        required=False, max_length=64, help_text="Digest of a set; without it the published ones where there are any."
    )


class NetworkSetAnswer(serializers.Serializer[Any]):
    digest = serializers.CharField()
    variant = serializers.CharField()
    is_offline = serializers.BooleanField(help_text="Named stand-ins; never compare them with published values.")
    runs = serializers.IntegerField()


class NumberAnswer(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True, help_text="Null where it is undefined; `reason` says why.")
    low = serializers.FloatField(allow_null=True, help_text="95 %, over photographs.")
    high = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField()
    reason = serializers.CharField()


class StandingAnswer(serializers.Serializer[Any]):
    evaluation = serializers.UUIDField(source="run.pk")
    producer = serializers.CharField(source="run.producer.name")
    calibrated_hpa = serializers.FloatField(
        source="calibrated", allow_null=True, help_text="HPA with the chosen calibration's weights."
    )
    scores = serializers.DictField(child=NumberAnswer(), help_text="Metric to number; `hpa` among them.")


class BoardAnswer(serializers.Serializer[Any]):
    board = serializers.ChoiceField(BOARDS)
    networks = NetworkSetAnswer(allow_null=True, help_text="By which these scores were made; null before the first.")
    others = NetworkSetAnswer(many=True, help_text="Other sets; their scores stand on boards of their own.")
    calibration = serializers.IntegerField(allow_null=True, help_text="Version of the chosen one, if any.")
    rows = StandingAnswer(many=True)


class Benchmarks(generics.ListAPIView[Benchmark]):
    """Benchmarks, newest first."""

    serializer_class = BenchmarkSerializer

    def get_queryset(self) -> Any:
        return benchmarks_of(self.request.user, asked(self.request, ProjectFilter).project_of(self.request.user))

    @extend_schema(parameters=[ProjectFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewBenchmark,
        responses={
            201: BenchmarkSerializer,
            **refused(400, why="`bad_name`, `not_accepted`, `empty_truth`"),
            **refused(401, 403, 404),
            **refused(409, why="`name_taken`, `trained_on`"),
        },
    )
    def post(self, request: Request) -> Response:
        """Freeze accepted layers. Their pictures leave training for good. (Composites: `make_benchmark`.)"""
        body = NewBenchmark(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        project = project_for(request.user, given["project"], Role.CURATOR)
        made = freeze_layers(project=project, name=given["name"], layers=given["layers"], user=request.user)
        return Response(_answer(request, made.pk), status.HTTP_201_CREATED)


class BenchmarkById(APIView):
    @extend_schema(responses={200: BenchmarkSerializer, **refused(401, 404)})
    def get(self, request: Request, benchmark_id: uuid.UUID) -> Response:
        return Response(_answer(request, benchmark_id))


class WatchBenchmark(APIView):
    @extend_schema(
        request=None, responses={200: BenchmarkSerializer, **refused(401, 403, 404), **refused(409, why="`no_items`")}
    )
    def post(self, request: Request, benchmark_id: uuid.UUID) -> Response:
        """Score new checkpoints of the project on this one, and no longer on another."""
        watch(benchmark_for(request.user, benchmark_id, Role.CURATOR))
        return Response(_answer(request, benchmark_id))


class BenchmarkBoard(APIView):
    @extend_schema(parameters=[BoardFilter], responses={200: BoardAnswer, **refused(400, 401, 404)})
    def get(self, request: Request, benchmark_id: uuid.UUID) -> Response:
        """The newest scores of every producer by one set of networks, the best HPA first."""
        query = BoardFilter(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        board, wanted = query.validated_data["board"], query.validated_data.get("networks")
        benchmark = benchmark_for(request.user, benchmark_id, Role.VIEWER)
        sets = network_sets(benchmark)
        chosen = next((one for one in sets if wanted in (None, one.digest)), None)
        found = board_of_scores(benchmark, board, chosen.digest if chosen else "")
        answer = {
            "board": board,
            "networks": chosen,
            "others": [one for one in sets if one != chosen],
            "calibration": found.calibration.version if found.calibration else None,
            "rows": found.standings,
        }
        return Response(BoardAnswer(answer).data)


def _answer(request: Request, benchmark_id: uuid.UUID) -> Any:
    return BenchmarkSerializer(benchmark_for(request.user, benchmark_id, Role.VIEWER)).data
