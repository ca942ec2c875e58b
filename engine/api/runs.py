"""Start, watch, cancel, retry and vary runs of the data engine."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.api.asking import ProjectFilter, asked, refused
from engine.api.run_answer import RunAnswer, run_answer
from engine.models import EngineRun, Role
from engine.records import STAGES
from engine.refusals import Refusal
from engine.selectors.access import project_for
from engine.selectors.runs import run_for, run_report, runs_of
from engine.services.reruns import rerun_stage
from engine.services.runs import cancel_run, retry_run, start_run


class NewRun(serializers.Serializer[Any]):
    project = serializers.CharField(max_length=140, help_text="Id, slug or name.")
    recipe = serializers.CharField(max_length=60, required=False, help_text="The project's when left out.")
    images = serializers.ListField(
        child=serializers.UUIDField(), required=False, min_length=1, help_text="All that are left when left out."
    )
    seed = serializers.IntegerField(min_value=0, max_value=2**63 - 1, required=False, default=0)


class Rerun(serializers.Serializer[Any]):
    stage = serializers.ChoiceField(choices=STAGES)
    params = serializers.DictField(help_text="Those of the stage that are to change.")


class RunSerializer(serializers.ModelSerializer[EngineRun]):
    pictures = serializers.IntegerField(read_only=True)
    ended = serializers.IntegerField(read_only=True)

    class Meta:
        model = EngineRun
        fields = (
            "id",
            "project",
            "recipe_name",
            "seed",
            "status",
            "code_revision",
            "pictures",
            "ended",
            "created_at",
            "finished_at",
        )


class Runs(generics.ListAPIView[EngineRun]):
    """Runs, newest first, with how many pictures each has and how many are through."""

    serializer_class = RunSerializer

    def get_queryset(self) -> Any:
        return runs_of(self.request.user, asked(self.request, ProjectFilter).project_of(self.request.user))

    @extend_schema(parameters=[ProjectFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewRun,
        responses={201: RunAnswer, **refused(400, 401, 403, 404), **refused(409, why="`nothing_to_do`")},
    )
    def post(self, request: Request) -> Response:
        """Queue pictures for a recipe. Pictures which it has done or is working on are left out."""
        body = NewRun(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        run = start_run(
            project=project_for(request.user, given["project"], Role.CURATOR),
            recipe_name=given.get("recipe"),
            images=given.get("images"),
            user=request.user,
            seed=given["seed"],
        )
        return Response(run_answer(run_report(run)), status.HTTP_201_CREATED)


class Run(APIView):
    """One run at this moment: progress, the funnel with reasons, workers."""

    @extend_schema(responses={200: RunAnswer, **refused(401, 404)})
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        return Response(run_answer(run_report(run_for(request.user, run_id))))


class CancelRun(APIView):
    """Stop a run: waiting pictures at once, those in work at the end of their stage."""

    @extend_schema(
        request=None, responses={200: RunAnswer, **refused(401, 403, 404), **refused(409, why="`not_live`: it is over")}
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        run = run_for(request.user, run_id, Role.CURATOR)
        if not cancel_run(run.id):
            raise Refusal("not_live", "This run is over already.", 409)
        run.refresh_from_db()
        return Response(run_answer(run_report(run)))


class RetryRun(APIView):
    """Queue failed and cancelled pictures again, from their last finished stage."""

    @extend_schema(
        request=None,
        responses={200: RunAnswer, **refused(401, 403, 404), **refused(409, why="`nothing_to_do`: nothing failed")},
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        run = run_for(request.user, run_id, Role.CURATOR)
        if not retry_run(run.id):
            raise Refusal("nothing_to_do", "No picture of this run failed or was cancelled.", 409)
        run.refresh_from_db()
        return Response(run_answer(run_report(run)))


class RerunStage(APIView):
    """Do one stage again with other parameters, and what follows it: a new run that keeps the earlier stages."""

    @extend_schema(
        request=Rerun,
        responses={
            201: RunAnswer,
            **refused(400, 401, 403, 404),
            **refused(409, why="`nothing_to_do`: no image is done; `same_recipe`: nothing is changed"),
        },
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        body = Rerun(data=request.data)
        body.is_valid(raise_exception=True)
        run = run_for(request.user, run_id, Role.CURATOR)
        new = rerun_stage(run, body.validated_data["stage"], body.validated_data["params"], request.user)
        return Response(run_answer(run_report(new)), status.HTTP_201_CREATED)
