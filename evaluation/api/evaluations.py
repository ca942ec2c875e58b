"""Evaluations over HTTP: have a checkpoint scored on a benchmark, watch it, cancel it, read its numbers."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, pagination, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.api.asking import ProjectFilter, asked, refused
from engine.models import Role
from engine.refusals import Refusal
from evaluation.api.benchmarks import BOARDS
from evaluation.features.variants import VARIANTS
from evaluation.models import EvaluationRun, MetricScore
from evaluation.selectors.benchmarks import benchmark_for
from evaluation.selectors.evaluations import PARTS, evaluation_for, evaluations_of, scores_of
from evaluation.services.evaluations import ask_evaluation
from training.models import JobStatus
from training.services.leases import cancel


class NewEvaluation(serializers.Serializer[Any]):
    benchmark = serializers.UUIDField()
    checkpoint = serializers.CharField(max_length=200, help_text="Its name, `cpu`, `grabcut` or `box`.")
    networks = serializers.ChoiceField(
        [(name, name) for name in VARIANTS],
        required=False,
        help_text="Without it the published ones where they are here, or else offline-reflayer-tiny.",
    )
    again = serializers.BooleanField(default=False, help_text="Also where this was scored before.")


class EvaluationFilter(ProjectFilter):
    benchmark = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(JobStatus.choices, required=False)


class EvaluationSerializer(serializers.ModelSerializer[EvaluationRun]):
    project = serializers.UUIDField(source="benchmark.project_id", read_only=True)
    producer = serializers.CharField(source="producer.name", read_only=True)
    is_live = serializers.BooleanField(read_only=True)

    class Meta:
        model = EvaluationRun
        fields: tuple[str, ...] = (
            "id",
            "project",
            "benchmark",
            "checkpoint",
            "producer",
            "variant",
            "is_offline",
            "status",
            "is_live",
            "reason",
            "items_done",
            "seconds",
            "networks_digest",
            "code_revision",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields


class EvaluationAnswer(EvaluationSerializer):
    items = serializers.SerializerMethodField(help_text="Prompts to answer.")
    report_url = serializers.FileField(
        source="report", read_only=True, allow_null=True, help_text="All of it as JSON, once it is finished."
    )

    class Meta(EvaluationSerializer.Meta):
        fields = (*EvaluationSerializer.Meta.fields, "items", "protocol", "networks", "report_url")
        read_only_fields = fields

    def get_items(self, run: EvaluationRun) -> int:
        return run.benchmark.items.count()


class ScoreFilter(serializers.Serializer[Any]):
    part = serializers.ChoiceField([(part, part) for part in PARTS], default="board")
    board = serializers.ChoiceField(BOARDS, required=False)
    metric = serializers.CharField(required=False, max_length=40)


class ScoreSerializer(serializers.ModelSerializer[MetricScore]):
    class Meta:
        model = MetricScore
        fields = ("board", "metric", "dimension", "slice", "layer", "value", "low", "high", "n", "reason", "choices")
        read_only_fields = fields
        extra_kwargs = {
            "value": {"help_text": "Null where it is undefined; `reason` says why."},
            "choices": {"help_text": "Network, weights digest, canvas, resize, ...: what the number depends on."},
        }


class InOrder(pagination.CursorPagination):
    """As the numbers were stored: board by board."""

    ordering = "id"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500


class Evaluations(generics.ListAPIView[EvaluationRun]):
    """Evaluations, newest first."""

    serializer_class = EvaluationSerializer

    def get_queryset(self) -> Any:
        query = asked(self.request, EvaluationFilter)
        given = {name: query.validated_data[name] for name in ("benchmark", "status") if name in query.validated_data}
        return evaluations_of(self.request.user, query.project_of(self.request.user)).filter(**given)

    @extend_schema(parameters=[EvaluationFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewEvaluation,
        responses={
            200: OpenApiResponse(EvaluationAnswer, description="It was scored before; `again` scores it anew."),
            202: OpenApiResponse(EvaluationAnswer, description="A worker answers and scores it: look again."),
            **refused(400, why="`unknown_checkpoint`"),
            **refused(401, 403, 404),
            **refused(409, why="`no_items`, `missing_weights` (says what to run)"),
        },
    )
    def post(self, request: Request) -> Response:
        """Have a checkpoint scored. What waits or runs is handed back; what stopped goes on after its last answer."""
        body = NewEvaluation(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        run = ask_evaluation(
            benchmark=benchmark_for(request.user, given["benchmark"], Role.CURATOR),
            checkpoint=given["checkpoint"],
            variant=given.get("networks", ""),
            user=request.user,
            again=given["again"],
        )
        code = status.HTTP_202_ACCEPTED if run.is_live else status.HTTP_200_OK
        return Response(EvaluationAnswer(run, context={"request": request}).data, code)


class EvaluationById(APIView):
    @extend_schema(responses={200: EvaluationAnswer, **refused(401, 404)})
    def get(self, request: Request, evaluation_id: uuid.UUID) -> Response:
        """How far it is; once finished, by which networks and under which protocol it was scored."""
        run = evaluation_for(request.user, evaluation_id, Role.VIEWER)
        return Response(EvaluationAnswer(run, context={"request": request}).data)


class CancelEvaluation(APIView):
    @extend_schema(
        request=None, responses={200: EvaluationAnswer, **refused(401, 403, 404), **refused(409, why="`not_live`")}
    )
    def post(self, request: Request, evaluation_id: uuid.UUID) -> Response:
        """Its answers stay; asked for again it goes on after the last one."""
        run = evaluation_for(request.user, evaluation_id, Role.CURATOR)
        if not cancel(run):
            raise Refusal("not_live", "This evaluation is over already.", 409)
        run.refresh_from_db()
        return Response(EvaluationAnswer(run, context={"request": request}).data)


class EvaluationScores(generics.ListAPIView[MetricScore]):
    """Its numbers with interval, n and every choice behind them: of whole boards, of slices or of single layers."""

    serializer_class = ScoreSerializer
    pagination_class = InOrder

    def get_queryset(self) -> Any:
        query = ScoreFilter(data=self.request.query_params.dict())
        query.is_valid(raise_exception=True)
        given = dict(query.validated_data)
        run = evaluation_for(self.request.user, self.kwargs["evaluation_id"], Role.VIEWER)
        return scores_of(run, given.pop("part")).filter(**given)

    @extend_schema(parameters=[ScoreFilter], responses={200: ScoreSerializer(many=True), **refused(400, 401, 404)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)
