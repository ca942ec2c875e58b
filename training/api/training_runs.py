"""Training runs over HTTP: start, watch, cancel, resume."""

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
from training.models import RunTrigger, TrainingRun
from training.selectors.snapshots import snapshot_for
from training.selectors.training_runs import pace_of, series_of, training_run_for, training_runs_of
from training.services.checkpoints import checkpoint_named
from training.services.training_runs import (
    RECIPE,
    cancel_training_run,
    freeze_for_training,
    resume_training_run,
    start_training_run,
)

SCRATCH = "scratch"


class NewTrainingRun(serializers.Serializer[Any]):
    snapshot = serializers.UUIDField(required=False, help_text="Frozen; or else `project`.")
    project = serializers.CharField(
        max_length=140, required=False, help_text="Id, slug or name: its accepted layers are frozen first."
    )
    recipe = serializers.CharField(max_length=60, default=RECIPE)
    parent = serializers.CharField(  # type: ignore[assignment]
        max_length=100,
        required=False,
        help_text=f"Name of a checkpoint, or `{SCRATCH}`; without it what the project uses now.",
    )
    params = serializers.DictField(required=False, help_text="Numbers of the recipe: steps, seed, batch, rate, ...")
    weights = serializers.DictField(
        child=serializers.FloatField(), required=False, help_text="Sampling weights: validated, automatic, composite."
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("snapshot" in data) == ("project" in data):
            raise serializers.ValidationError("Give either a snapshot or a project.", code="snapshot")
        return data


class TrainingRunSerializer(serializers.ModelSerializer[TrainingRun]):
    is_live = serializers.BooleanField(read_only=True)
    error_code = serializers.CharField(read_only=True, help_text="Of a failed run: out_of_disk, non_finite_loss, ...")
    parent = serializers.CharField(source="parent.name", default=None, read_only=True)  # type: ignore[assignment]
    checkpoint = serializers.CharField(source="checkpoint.name", default=None, read_only=True)

    class Meta:
        model = TrainingRun
        fields = (
            "id",
            "project",
            "number",
            "snapshot",
            "parent",
            "checkpoint",
            "recipe",
            "params",
            "weights",
            "status",
            "is_live",
            "error_code",
            "reason",
            "step",
            "steps",
            "trained_s",
            "trigger",
            "cause",
            "code_revision",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields


class SampleAnswer(serializers.Serializer[Any]):
    step = serializers.IntegerField()
    url = serializers.URLField(help_text="Rows: picture with its prompt, the true layer, the network's.")


class TrainingRunAnswer(TrainingRunSerializer):
    series = serializers.SerializerMethodField(help_text="Each step of the training: step and its numbers, as loss.")
    validation = serializers.SerializerMethodField(help_text="Held-out examples: step and numbers.")
    samples_per_s = serializers.SerializerMethodField()
    eta_s = serializers.SerializerMethodField(help_text="Seconds until the last step, while it runs.")
    samples = serializers.SerializerMethodField()

    class Meta(TrainingRunSerializer.Meta):
        more = ("series", "validation", "samples_per_s", "eta_s", "samples", "log")
        fields = (*TrainingRunSerializer.Meta.fields, *more)  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]

    def get_series(self, run: TrainingRun) -> list[dict[str, Any]]:
        return [{"step": row.step, **row.numbers} for row in series_of(run)]

    def get_validation(self, run: TrainingRun) -> list[dict[str, Any]]:
        return [{"step": row.step, **row.numbers} for row in series_of(run, "validation")]

    def get_samples_per_s(self, run: TrainingRun) -> float | None:
        return pace_of(run).samples_per_s

    def get_eta_s(self, run: TrainingRun) -> float | None:
        return pace_of(run).eta_s

    @extend_schema(responses=SampleAnswer(many=True))
    def get_samples(self, run: TrainingRun) -> list[dict[str, Any]]:
        return [{"step": sample.step, "url": sample.picture.url} for sample in run.samples.order_by("step")]


class TrainingRuns(generics.ListAPIView[TrainingRun]):
    """Training runs, newest first."""

    serializer_class = TrainingRunSerializer

    def get_queryset(self) -> Any:
        return training_runs_of(self.request.user, asked(self.request, ProjectFilter).project_of(self.request.user))

    @extend_schema(parameters=[ProjectFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewTrainingRun,
        responses={
            201: TrainingRunAnswer,
            **refused(400, 401, 403, 404),
            **refused(409, why="`not_frozen`, `nothing_to_freeze`, `still_freezing`, `other_project`"),
        },
    )
    def post(self, request: Request) -> Response:
        """Queue a run; a worker of the queue `train` takes it."""
        body = NewTrainingRun(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        user, parent = request.user, given.get("parent")
        if "snapshot" in given:
            snapshot = snapshot_for(user, given["snapshot"], Role.CURATOR)
        else:
            project = project_for(user, given["project"], Role.CURATOR)
            snapshot = freeze_for_training(project, user=user, may_wait=False)
        run = start_training_run(
            snapshot=snapshot,
            recipe=given["recipe"],
            parent=checkpoint_named(parent) if parent and parent != SCRATCH else None,
            from_scratch=parent == SCRATCH,
            params=given.get("params"),
            weights=given.get("weights"),
            user=user,
            trigger=RunTrigger.API,
        )
        return Response(TrainingRunAnswer(run).data, status.HTTP_201_CREATED)


class TrainingRunById(APIView):
    @extend_schema(responses={200: TrainingRunAnswer, **refused(401, 404)})
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """The whole series, how fast it is, sample grids and the end of its log."""
        return Response(TrainingRunAnswer(training_run_for(request.user, run_id)).data)


class CancelTrainingRun(APIView):
    @extend_schema(
        request=None, responses={200: TrainingRunAnswer, **refused(401, 403, 404), **refused(409, why="`not_live`")}
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """Its trainer is killed; what it saved stays, so that it can be resumed."""
        run = training_run_for(request.user, run_id, Role.CURATOR)
        if not cancel_training_run(run):
            raise Refusal("not_live", "This run is over already.", 409)
        run.refresh_from_db()
        return Response(TrainingRunAnswer(run).data)


class ResumeTrainingRun(APIView):
    @extend_schema(
        request=None,
        responses={200: TrainingRunAnswer, **refused(401, 403, 404), **refused(409, why="`not_resumable`")},
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """A cancelled or failed run goes on from its last saved state."""
        run = training_run_for(request.user, run_id, Role.CURATOR)
        if not resume_training_run(run):
            raise Refusal("not_resumable", f"This run is {run.status}; only cancelled and failed runs go on.", 409)
        run.refresh_from_db()
        return Response(TrainingRunAnswer(run).data)
