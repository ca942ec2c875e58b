"""Gates over HTTP: let a checkpoint try for the place of the one in use, see the evidence, decide."""

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
from engine.refusals import Refusal
from engine.selectors.access import project_for
from evaluation.api.benchmarks import BOARDS
from evaluation.features.variants import VARIANTS
from evaluation.models import Gate, GateStatus
from evaluation.selectors.benchmarks import benchmark_for
from evaluation.selectors.gates import evidence_of, gate_for, gates_of
from evaluation.services.gates import BUDGET, cancel_gate, decide, open_gate, take_back
from training.selectors.checkpoints import checkpoint_for

DECISIONS = {"promote": GateStatus.PROMOTED, "hold": GateStatus.HELD, "reject": GateStatus.REJECTED}


class NewGate(serializers.Serializer[Any]):
    project = serializers.CharField(max_length=140, help_text="Id, slug or name.")
    checkpoint = serializers.UUIDField()
    benchmark = serializers.UUIDField(required=False, help_text="Without it the one that is watched.")
    budget = serializers.IntegerField(min_value=1, max_value=100_000, default=BUDGET, help_text="Votes at most.")
    confidence = serializers.FloatField(min_value=0.5, max_value=0.9999, default=0.95)
    board = serializers.ChoiceField(BOARDS, default=BOARDS[0][0])
    networks = serializers.ChoiceField(
        [(name, name) for name in VARIANTS], required=False, help_text="Without it the published ones, if here."
    )


class Decision(serializers.Serializer[Any]):
    decision = serializers.ChoiceField([(name, name) for name in DECISIONS])
    verdict = serializers.CharField(max_length=300, help_text="Why; it stays with the gate.")


class GateSerializer(serializers.ModelSerializer[Gate]):
    checkpoint = serializers.CharField(source="checkpoint.name", read_only=True)
    rival = serializers.CharField(source="rival.name", read_only=True, help_text="What the project used then.")
    is_open = serializers.BooleanField(read_only=True)

    class Meta:
        model = Gate
        fields: tuple[str, ...] = (
            "id",
            "project",
            "checkpoint",
            "rival",
            "benchmark",
            "board",
            "budget",
            "confidence",
            "status",
            "is_open",
            "verdict",
            "created_at",
            "decided_at",
        )
        read_only_fields = fields


class GateAnswer(GateSerializer):
    evidence = serializers.SerializerMethodField(
        help_text="Paired differences of scores, and the votes: as it stood at the decision, or as it stands now."
    )

    class Meta(GateSerializer.Meta):
        fields = (*GateSerializer.Meta.fields, "run", "rival_run", "evidence", "returned")
        read_only_fields = fields

    def get_evidence(self, gate: Gate) -> dict[str, Any]:
        return gate.evidence or evidence_of(gate)


class Gates(generics.ListAPIView[Gate]):
    """Gates, newest first."""

    serializer_class = GateSerializer

    def get_queryset(self) -> Any:
        return gates_of(self.request.user, asked(self.request, ProjectFilter).project_of(self.request.user))

    @extend_schema(parameters=[ProjectFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewGate,
        responses={
            201: GateAnswer,
            **refused(400, 401, 403, 404),
            **refused(409, why="`no_benchmark`, `in_use`, `other_project`, `gate_open`, `no_items`, `missing_weights`"),
        },
    )
    def post(self, request: Request) -> Response:
        """Both checkpoints are scored, then blind votes between them decide, at most so many."""
        body = NewGate(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        project = project_for(request.user, given["project"], Role.CURATOR)
        benchmark = benchmark_for(request.user, given["benchmark"], Role.CURATOR) if "benchmark" in given else None
        if benchmark is not None and benchmark.project_id != project.pk:
            raise Refusal("other_project", f"{benchmark} belongs to another project.", 409)
        gate = open_gate(
            checkpoint=checkpoint_for(request.user, given["checkpoint"]),
            project=project,
            benchmark=benchmark,
            budget=given["budget"],
            confidence=given["confidence"],
            board=given["board"],
            variant=given.get("networks", ""),
            user=request.user,
        )
        return Response(GateAnswer(gate).data, status.HTTP_201_CREATED)


class GateById(APIView):
    @extend_schema(responses={200: GateAnswer, **refused(401, 404)})
    def get(self, request: Request, gate_id: uuid.UUID) -> Response:
        return Response(GateAnswer(gate_for(request.user, gate_id, Role.VIEWER)).data)


class DecideGate(APIView):
    @extend_schema(
        request=Decision,
        responses={
            200: GateAnswer,
            **refused(400, 401, 403, 404),
            **refused(409, why="`not_open`, `rival_changed`, `checkpoint_missing`"),
        },
    )
    def post(self, request: Request, gate_id: uuid.UUID) -> Response:
        """Decide before the votes do; the evidence is kept as it stands."""
        body = Decision(data=request.data)
        body.is_valid(raise_exception=True)
        gate = gate_for(request.user, gate_id, Role.CURATOR)
        chosen = DECISIONS[body.validated_data["decision"]]
        if not decide(gate, chosen, verdict=body.validated_data["verdict"], user=request.user):
            raise _not_open()
        return Response(GateAnswer(gate).data)


class CancelGate(APIView):
    @extend_schema(
        request=None, responses={200: GateAnswer, **refused(401, 403, 404), **refused(409, why="`not_open`")}
    )
    def post(self, request: Request, gate_id: uuid.UUID) -> Response:
        """Stop without a decision."""
        gate = gate_for(request.user, gate_id, Role.CURATOR)
        if not cancel_gate(gate, request.user):
            raise _not_open()
        return Response(GateAnswer(gate).data)


class UndoGate(APIView):
    @extend_schema(
        request=None, responses={200: GateAnswer, **refused(401, 403, 404), **refused(409, why="`not_promoted`")}
    )
    def post(self, request: Request, gate_id: uuid.UUID) -> Response:
        """Take back the promotion that it made, as long as no other came after it."""
        gate = gate_for(request.user, gate_id, Role.CURATOR)
        if not take_back(gate):
            raise Refusal("not_promoted", f"What {gate} promoted is not what the project uses.", 409)
        return Response(GateAnswer(gate).data)


def _not_open() -> Refusal:
    return Refusal("not_open", "This gate was decided already.", 409)
