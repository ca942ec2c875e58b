"""The review queue over HTTP."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.api import serializers as shapes
from annotation.models import Comparison
from annotation.selectors.assignments import assignment_for, assignment_payloads, verdict_for
from annotation.selectors.comparing import any_assignment_for
from annotation.selectors.statistics import queue_depths
from annotation.services import claims, verdicts, votes
from engine.models import Role
from engine.selectors.access import project_for, projects_of

REFUSALS = {403: shapes.ErrorSerializer, 404: shapes.ErrorSerializer}
CONFLICTS = {**REFUSALS, 409: shapes.ErrorSerializer}


class Claim(APIView):
    @extend_schema(
        request=shapes.ClaimSerializer,
        responses={200: shapes.AssignmentsSerializer, 204: OpenApiResponse(description="None left."), **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Take the next layers to judge. One's own live leases come back first."""
        wanted = shapes.ClaimSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        project = project_for(request.user, wanted.validated_data["project"], Role.ANNOTATOR)
        slots = claims.claim(user=request.user, project=project, count=wanted.validated_data["count"])
        return Response({"assignments": assignment_payloads(slots)}) if slots else Response(status=204)


class RecordVerdict(APIView):
    @extend_schema(
        request=shapes.JudgementSerializer,
        responses={200: shapes.VerdictSerializer, 201: shapes.VerdictSerializer, **CONFLICTS},
    )
    def post(self, request: Request, assignment_id: uuid.UUID) -> Response:
        """Judge. The same `client_id` again answers 200 with the same body; too late is 409 and kept as an extra."""
        given = shapes.JudgementSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        slot = assignment_for(request.user, assignment_id)
        verdict, is_new = verdicts.record_verdict(user=request.user, slot=slot, **given.validated_data)
        return Response(shapes.verdict_answer(verdict), status=201 if is_new else 200)


class Heartbeat(APIView):
    @extend_schema(request=None, responses={200: shapes.HeartbeatSerializer, **CONFLICTS})
    def post(self, request: Request, assignment_id: uuid.UUID) -> Response:
        """Keep the lease alive, of a layer to judge or of a comparison to vote on."""
        held = any_assignment_for(request.user, assignment_id)
        if isinstance(held, Comparison):
            expires_at = votes.keep_comparison(user=request.user, comparison_id=held.pk)
        else:
            expires_at = claims.heartbeat(user=request.user, slot_id=held.pk)
        return Response({"id": held.pk, "expires_at": expires_at})


class Release(APIView):
    @extend_schema(request=None, responses={204: OpenApiResponse(description="It is yours no longer."), **REFUSALS})
    def post(self, request: Request, assignment_id: uuid.UUID) -> Response:
        """Give the layer or the comparison back undecided."""
        held = any_assignment_for(request.user, assignment_id)
        if isinstance(held, Comparison):
            votes.release_comparison(user=request.user, comparison_id=held.pk)
        else:
            claims.release(user=request.user, slot_id=held.pk)
        return Response(status=204)


class UndoVerdict(APIView):
    @extend_schema(request=None, responses={200: shapes.UndoneSerializer, **CONFLICTS})
    def post(self, request: Request, verdict_id: uuid.UUID) -> Response:
        """Take one's own verdict back and hold its layer again."""
        verdict = verdict_for(request.user, verdict_id)
        slot = verdicts.undo(user=request.user, verdict=verdict)
        verdict.refresh_from_db()
        [assignment] = assignment_payloads([slot])
        return Response({"verdict": shapes.verdict_answer(verdict), "assignment": assignment})


class QueueStatistics(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("project", str, description="Id, slug or name; all of one's projects without.")],
        responses={200: shapes.QueuesSerializer, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """How many slots are in which state."""
        key = request.query_params.get("project")
        projects = [project_for(request.user, key)] if key else list(projects_of(request.user))
        return Response(queue_depths(projects))
