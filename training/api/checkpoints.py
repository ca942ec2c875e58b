"""Checkpoints over HTTP: what there is, where it comes from, and which one a project uses."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.api.asking import ProjectFilter, asked, refused
from engine.models import Project, Role
from engine.refusals import Refusal
from engine.selectors.access import project_for
from training.models import Checkpoint, Promotion
from training.selectors.checkpoints import checkpoint_for, checkpoints_of, current_checkpoint, standing_promotion
from training.services.promotions import promote_checkpoint, undo_promotion


class CheckpointSerializer(serializers.ModelSerializer[Checkpoint]):
    parent = serializers.CharField(source="parent.name", default=None, read_only=True)  # type: ignore[assignment]
    producer = serializers.CharField(source="producer.name", read_only=True, help_text="Whose layers are its own.")
    run = serializers.UUIDField(source="run.pk", default=None, read_only=True)
    is_current = serializers.SerializerMethodField(help_text="Whether its project uses it.")

    class Meta:
        model = Checkpoint
        fields = (
            "id",
            "name",
            "project",
            "parent",
            "snapshot",
            "run",
            "recipe",
            "producer",
            "digest",
            "size",
            "metrics",
            "is_current",
            "created_at",
        )
        read_only_fields = fields

    def get_is_current(self, checkpoint: Checkpoint) -> bool:
        return checkpoint.project is not None and current_checkpoint(checkpoint.project) == checkpoint


class WhichProject(serializers.Serializer[Any]):
    project = serializers.CharField(max_length=140, required=False, help_text="Of a shipped checkpoint: for whom.")


class PromoteRequest(WhichProject):
    evidence = serializers.DictField(required=False, help_text="What it was decided on.")


class PromotionAnswer(serializers.ModelSerializer[Promotion]):
    checkpoint = serializers.CharField(source="checkpoint.name", read_only=True)
    previous = serializers.CharField(source="previous.name", default=None, read_only=True)

    class Meta:
        model = Promotion
        fields = ("id", "project", "checkpoint", "previous", "evidence", "created_at", "undone_at")
        read_only_fields = fields


class Checkpoints(generics.ListAPIView[Checkpoint]):
    """Checkpoints of one's projects and the shipped ones that a row knows, newest first."""

    serializer_class = CheckpointSerializer

    def get_queryset(self) -> Any:
        return checkpoints_of(self.request.user, asked(self.request, ProjectFilter).project_of(self.request.user))

    @extend_schema(parameters=[ProjectFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class CheckpointById(APIView):
    @extend_schema(responses={200: CheckpointSerializer, **refused(401, 404)})
    def get(self, request: Request, checkpoint_id: uuid.UUID) -> Response:
        return Response(CheckpointSerializer(checkpoint_for(request.user, checkpoint_id)).data)


class PromoteCheckpoint(APIView):
    @extend_schema(
        request=PromoteRequest,
        responses={
            200: PromotionAnswer,
            **refused(400, 401, 403, 404),
            **refused(409, why="`already_promoted`, `other_project`, `checkpoint_missing`"),
        },
    )
    def post(self, request: Request, checkpoint_id: uuid.UUID) -> Response:
        """The project uses it from now on; `undo` brings the previous one back."""
        body = PromoteRequest(data=request.data)
        body.is_valid(raise_exception=True)
        checkpoint = checkpoint_for(request.user, checkpoint_id, Role.CURATOR)
        promotion = promote_checkpoint(
            checkpoint,
            project=_project(request, checkpoint, body.validated_data.get("project")),
            user=request.user,
            evidence=body.validated_data.get("evidence"),
        )
        return Response(PromotionAnswer(promotion).data)


class UndoPromotion(APIView):
    @extend_schema(
        request=WhichProject,
        responses={200: PromotionAnswer, **refused(400, 401, 403, 404), **refused(409, why="`not_promoted`")},
    )
    def post(self, request: Request, checkpoint_id: uuid.UUID) -> Response:
        """Take the promotion of this checkpoint back, as long as no other came after it."""
        body = WhichProject(data=request.data)
        body.is_valid(raise_exception=True)
        checkpoint = checkpoint_for(request.user, checkpoint_id, Role.CURATOR)
        promotion = standing_promotion(_project(request, checkpoint, body.validated_data.get("project")))
        if promotion is None or promotion.checkpoint_id != checkpoint.pk or not undo_promotion(promotion):
            raise Refusal("not_promoted", f"{checkpoint} is not what the project uses.", 409)
        promotion.refresh_from_db()
        return Response(PromotionAnswer(promotion).data)


def _project(request: Request, checkpoint: Checkpoint, key: Any) -> Project:
    if checkpoint.project is not None and not key:
        return checkpoint.project
    if not isinstance(key, str) or not key:
        raise Refusal("no_project", f"{checkpoint} is everybody's: say for which project.")
    return project_for(request.user, key, Role.CURATOR)
